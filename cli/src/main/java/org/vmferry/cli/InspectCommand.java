package org.vmferry.cli;

import org.vmferry.engine.json.Json;
import org.vmferry.engine.report.Inspection;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Printable;
import org.vmferry.spi.machine.SectionStore.Fact;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/** Shows what a snapshot holds. */
@Command(
        name = "inspect",
        description = "Show what a snapshot holds: machine, RAM blocks, devices.",
        footer = {
            "",
            "Examples:",
            "  vmferry inspect vm.snap",
            "  vmferry inspect vm.snap --json | jq '.blocks[].id'",
            "  vmferry inspect vm.snap --device cpu",
            "  vmferry inspect /var/lib/libvirt/qemu/save/web.save",
        })
final class InspectCommand extends SnapshotAction {
    @Option(names = "--json", description = "As one JSON object, for programs.")
    private boolean json;

    @Option(
            names = "--device",
            paramLabel = "NAME",
            description = "The fields of this device, as the snapshot's VMDESCRIPTION names them.")
    private String device;

    @Option(
            names = "--instance",
            paramLabel = "N",
            description = "Which device of that name; all, unless said.")
    private Long instance;

    @Override
    void check() {
        if (instance != null && device == null) throw misuse("--instance goes with --device");
    }

    @Override
    void run(Snapshot snapshot) throws Exception {
        Inspection inspection = inspect(snapshot, this::isWanted);
        interruption.close(); // nothing is left behind, also where standard output hangs
        if (device != null) {
            show(inspection);
            return;
        }
        if (json) out().println(Json.writePretty(tree(snapshot, inspection)));
        else print(out(), charset(), snapshot, inspection);
    }

    private boolean isWanted(Inspection.Device one) {
        return one.name().equals(device)
                && (instance == null || instance == Integer.toUnsignedLong(one.instance()));
    }

    private void show(Inspection inspection) throws MigrationException {
        var wanted = inspection.devices().stream().filter(this::isWanted).toList();
        if (wanted.isEmpty()) throw noSuchDevice(inspection);
        List<Object> trees = new ArrayList<>();
        for (Inspection.Device one : wanted) {
            var fields = inspection.contents().fields(one);
            if (json) trees.add(DeviceView.tree(one, fields));
            else DeviceView.print(out(), one, fields);
        }
        if (json) out().println(Json.writePretty(Map.of("devices", trees)));
    }

    private MigrationException noSuchDevice(Inspection inspection) {
        Map<String, List<String>> instances = new LinkedHashMap<>();
        for (Inspection.Device one : inspection.devices()) {
            instances
                    .computeIfAbsent(one.name(), name -> new ArrayList<>())
                    .add(Integer.toUnsignedString(one.instance()));
        }
        String there =
                instances.entrySet().stream()
                        .map(e -> "'%s' %s".formatted(e.getKey(), String.join("+", e.getValue())))
                        .collect(Collectors.joining(", "));
        return MigrationException.user(
                "there is no device '%s'%s in it, but, with their instances: %s",
                device, instance == null ? "" : " instance " + instance, there);
    }

    private static Charset charset() {
        return System.out.charset();
    }

    /** The names of these keys are a promise to scripts. */
    static Map<String, Object> tree(Snapshot snapshot, Inspection inspection) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("format", inspection.format());
        tree.put("machine", inspection.machine());
        tree.put("pageSize", inspection.pageSize());
        tree.put("capabilities", inspection.capabilities());
        List<Object> blocks = new ArrayList<>();
        for (Inspection.Block block : inspection.blocks()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("id", block.id());
            one.put("usedLength", block.usedLength());
            one.put("pages", block.present().pages());
            one.put("present", block.present().cardinality());
            one.put("missing", block.missing());
            // In a stream pages have no place of their own.
            one.put("bitmapOffset", orNull(block.bitmapPosition()));
            one.put("pagesOffset", orNull(block.pagesPosition()));
            List<Object> guest = new ArrayList<>();
            for (Inspection.Range range : block.guest()) {
                Map<String, Object> part = new LinkedHashMap<>();
                part.put("address", range.address());
                part.put("offset", range.offset());
                part.put("length", range.length());
                guest.add(part);
            }
            one.put("guest", guest);
            blocks.add(one);
        }
        tree.put("blocks", blocks);
        List<Object> devices = new ArrayList<>();
        for (Inspection.Device device : inspection.devices()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("name", device.name());
            one.put("instance", Integer.toUnsignedLong(device.instance()));
            one.put("version", Integer.toUnsignedLong(device.version()));
            one.put("bytes", device.bytes());
            devices.add(one);
        }
        tree.put("devices", devices);
        List<Object> facts = new ArrayList<>();
        for (Fact fact : inspection.facts()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("key", fact.key());
            one.put("value", fact.value());
            facts.add(one);
        }
        tree.put("facts", facts);
        tree.put("damage", inspection.damage().orElse(null));
        tree.put("notes", inspection.notes());
        tree.put("lost", inspection.lost().orElse(null));
        snapshot.packed().ifPresent(packed -> tree.put("packed", packed.by().id()));
        snapshot.libvirt()
                .ifPresent(
                        header -> {
                            Map<String, Object> libvirt = new LinkedHashMap<>();
                            libvirt.put("domain", snapshot.domain().orElse(null));
                            libvirt.put("format", header.formatName());
                            libvirt.put("running", header.running());
                            libvirt.put("streamOffset", header.streamOffset());
                            tree.put("libvirt", libvirt);
                        });
        return tree;
    }

    private static Long orNull(OptionalLong value) {
        return value.isPresent() ? value.getAsLong() : null;
    }

    /** For people. */
    static void print(PrintWriter out, Charset charset, Snapshot snapshot, Inspection inspection) {
        int page = inspection.pageSize();
        out.println(Printable.line(snapshot.path() + ": " + Format.of(inspection).described()));
        fact(out, "machine", inspection.machine());
        fact(out, "page size", Text.bytes(page));
        fact(out, "capabilities", String.join(", ", inspection.capabilities()));
        snapshot.libvirt().ifPresent(header -> fact(out, "libvirt", described(snapshot, header)));
        snapshot.packed()
                .ifPresent(
                        packed ->
                                fact(
                                        out,
                                        "packed",
                                        "with %s, from byte %d on"
                                                .formatted(packed.by().id(), packed.start())));
        for (Fact fact : inspection.facts()) fact(out, fact.key(), fact.value());
        fact(out, "damage", inspection.damage().orElse(""));
        for (String note : inspection.notes()) fact(out, "note", note);
        fact(out, "lost", inspection.lost().orElse(""));
        if (snapshot.offset() > 0) fact(out, "stream", "begins at byte " + snapshot.offset());

        var blocks = inspection.blocks();
        long used = blocks.stream().mapToLong(Inspection.Block::usedLength).sum();
        long present = blocks.stream().mapToLong(b -> b.present().cardinality()).sum();
        Picture picture = new Picture(charset);
        out.println();
        out.printf(
                "RAM: %s of %s, %s of them in pages that are present%n",
                Text.count(blocks.size(), "block"),
                Text.bytes(used),
                Text.bytes((double) present * page));
        if (!blocks.isEmpty()) out.println("  " + picture.legend());
        for (Inspection.Block block : blocks) {
            if (block.missing()) {
                out.printf(
                        "  %-24s %10s  missing: %s%n",
                        Printable.line(block.id()),
                        Text.bytes(block.usedLength()),
                        Text.why(block.content()));
                for (Inspection.Range range : block.guest())
                    out.println("    " + Text.range(range));
                continue;
            }
            long here = block.present().cardinality();
            out.printf(
                    Locale.ROOT,
                    "  %-24s %10s  %d of %s%n",
                    Printable.line(block.id()),
                    Text.bytes(block.usedLength()),
                    here,
                    Text.count(block.present().pages(), "page"));
            out.println("    |" + picture.of(block.present()) + "|");
            for (Inspection.Range range : block.guest()) out.println("    " + Text.range(range));
        }

        var devices = inspection.devices();
        long bytes = devices.stream().mapToLong(Inspection.Device::bytes).sum();
        out.println();
        out.printf("Devices: %d, %s%n", devices.size(), Text.bytes(bytes));
        int width = 4;
        for (var device : devices)
            width = Math.clamp(Printable.line(device.name()).length(), width, 48);
        if (!devices.isEmpty())
            out.printf("  %-" + width + "s %8s %8s %10s%n", "name", "instance", "version", "bytes");
        for (Inspection.Device device : devices)
            out.printf(
                    "  %-" + width + "s %8s %8s %10d%n",
                    Printable.line(device.name()),
                    Integer.toUnsignedString(device.instance()),
                    Integer.toUnsignedString(device.version()),
                    device.bytes());
    }

    private static void fact(PrintWriter out, String name, String value) {
        if (!value.isEmpty()) out.printf("  %-13s %s%n", name, Printable.line(value));
    }

    private static String described(Snapshot snapshot, LibvirtHeader header) {
        return "save image of %s, %s when it was saved, format %s"
                .formatted(
                        snapshot.domain().map(name -> "domain '" + name + "'").orElse("a domain"),
                        header.running() ? "running" : "not running",
                        header.formatName());
    }
}
