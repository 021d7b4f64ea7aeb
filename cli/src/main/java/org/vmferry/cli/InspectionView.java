package org.vmferry.cli;

import org.vmferry.engine.report.Inspection;
import org.vmferry.spi.Printable;
import org.vmferry.spi.machine.SectionStore.Fact;

import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.BiConsumer;

/** What a snapshot holds, for people and for programs. */
final class InspectionView {
    private InspectionView() {}

    /** For people. */
    static void print(
            PrintWriter out,
            Charset charset,
            Terminal terminal,
            Snapshot snapshot,
            Inspection inspection) {
        int page = inspection.pageSize();
        out.println(Printable.line(snapshot.path() + ": " + Format.of(inspection).described()));
        facts(
                snapshot,
                inspection,
                (name, value) -> out.printf("  %-13s %s%n", name, Printable.line(value)));

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
        boolean drawn = terminal.out() && terminal.colours();
        if (drawn) for (String row : picture.of(blocks, terminal)) out.println("  |" + row + "|");
        int number = 0;
        for (Inspection.Block block : blocks) {
            String id = "%-24s".formatted(Printable.line(block.id()));
            if (drawn) id = Picture.coloured(id, number++, terminal);
            if (block.missing()) {
                out.printf(
                        "  %s %10s  missing: %s%n",
                        id, Text.bytes(block.usedLength()), Text.why(block.content()));
                for (Inspection.Range range : block.guest())
                    out.println("    " + Text.range(range));
                continue;
            }
            long here = block.present().cardinality();
            out.printf(
                    Locale.ROOT,
                    "  %s %10s  %d of %s%n",
                    id,
                    Text.bytes(block.usedLength()),
                    here,
                    Text.count(block.present().pages(), "page"));
            if (!drawn) out.println("    |" + picture.of(block.present()) + "|");
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

    /** What there is to say of it as a whole: a name and a value each, as the file has them. */
    static void facts(Snapshot snapshot, Inspection inspection, BiConsumer<String, String> taker) {
        BiConsumer<String, String> fact =
                (name, value) -> {
                    if (!value.isEmpty()) taker.accept(name, value);
                };
        fact.accept("machine", inspection.machine());
        fact.accept("page size", Text.bytes(inspection.pageSize()));
        fact.accept("capabilities", String.join(", ", inspection.capabilities()));
        snapshot.libvirt().ifPresent(header -> fact.accept("libvirt", described(snapshot, header)));
        snapshot.packed()
                .ifPresent(
                        packed ->
                                fact.accept(
                                        "packed",
                                        "with %s, from byte %d on"
                                                .formatted(packed.by().id(), packed.start())));
        for (Fact told : inspection.facts()) fact.accept(told.key(), told.value());
        fact.accept("damage", inspection.damage().orElse(""));
        for (String note : inspection.notes()) fact.accept("note", note);
        fact.accept("lost", inspection.lost().orElse(""));
        if (snapshot.offset() > 0) fact.accept("stream", "begins at byte " + snapshot.offset());
    }

    private static String described(Snapshot snapshot, LibvirtHeader header) {
        return "save image of %s, %s when it was saved, format %s"
                .formatted(
                        snapshot.domain().map(name -> "domain '" + name + "'").orElse("a domain"),
                        header.running() ? "running" : "not running",
                        header.formatName());
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
}
