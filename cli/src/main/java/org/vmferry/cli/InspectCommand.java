package org.vmferry.cli;

import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.cli.map.RamMap;
import org.vmferry.engine.json.Json;
import org.vmferry.engine.report.Inspection;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.OutgoingFile;
import org.vmferry.spi.transport.PositionedFile;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
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
            "  vmferry inspect vm.snap --html vm.html",
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

    @Option(
            names = "--html",
            paramLabel = "OUT",
            description =
                    "Write one page for a browser: a map of what all RAM looks like, and all"
                            + " devices' fields. - for standard output.")
    private Path html;

    @Mixin private ScratchOption scratch;

    @Override
    void check() {
        if (html != null && (json || device != null))
            throw misuse("--html shows all there is: it goes with neither --json nor --device");
        if (instance != null && device == null) throw misuse("--instance goes with --device");
    }

    @Override
    void run(Snapshot snapshot) throws Exception {
        if (html != null) {
            writePage(snapshot);
            return;
        }
        Inspection inspection = inspect(snapshot, this::isWanted);
        interruption.close(); // nothing is left behind, also where standard output hangs
        if (device != null) {
            show(inspection);
            return;
        }
        if (json) out().println(Json.writePretty(InspectionView.tree(snapshot, inspection)));
        else InspectionView.print(out(), charset(), Terminal.here(), snapshot, inspection);
    }

    /** What is looked into after its structure was read is read twice. */
    @Override
    Snapshot ready(Snapshot opened) throws Exception {
        if (html == null || !opened.isOnce()) return opened;
        try (opened;
                Progress progress = progress("reading " + opened.path())) {
            return opened.kept(
                    new Spool(
                            opened.file(),
                            scratch(),
                            bytes -> {
                                interruption.check();
                                progress.show(bytes, 0);
                            }));
        }
    }

    private boolean isOnStandardOutput() {
        return html.equals(StandardInput.TYPED);
    }

    private Path scratch() throws IOException {
        return isOnStandardOutput() ? scratch.folder() : scratch.beside(html);
    }

    private void writePage(Snapshot snapshot) throws Exception {
        if (isOnStandardOutput()) {
            String page = page(snapshot);
            interruption.close(); // as above
            out().print(page);
            return;
        }
        if (snapshot.isAlso(html)) throw misuse("OUT is the snapshot itself");
        try (OutgoingFile place = place(html)) {
            byte[] page = page(snapshot).getBytes(StandardCharsets.US_ASCII);
            place.file(false).write(ByteBuffer.wrap(page), 0);
            complete(place);
            remark("%s: a page of %s".formatted(html, Text.bytes(page.length)));
        }
    }

    private String page(Snapshot snapshot) throws Exception {
        Inspection inspection = inspect(snapshot, device -> true);
        RamMap map = new RamMap(inspection.blocks(), inspection.pageSize());
        look(snapshot, inspection, map);
        return HtmlPage.of(snapshot, inspection, map);
    }

    private void look(Snapshot snapshot, Inspection inspection, RamMap map) throws Exception {
        if (present(inspection) == 0) return;
        if (Format.of(inspection) == Format.MAPPED_RAM) {
            PositionedFile file = snapshot.file();
            look(inspection, map, block -> placed(file, block));
            return;
        }
        try (var archive = archive(scratch())) {
            if (inspection.lost().isPresent()) archive.takeLosses();
            read(engine(), snapshot, archive, () -> present(inspection));
            look(inspection, map, block -> kept(snapshot, archive, block));
        }
    }

    private void look(
            Inspection inspection, RamMap map, Function<Inspection.Block, RamMap.Bytes> where)
            throws IOException {
        long all = present(inspection);
        try (Progress progress = progress("looking at RAM")) {
            for (Inspection.Block block : inspection.blocks()) {
                if (!map.has(block)) continue;
                map.look(
                        block,
                        where.apply(block),
                        seen -> {
                            interruption.check();
                            progress.show(seen, all);
                        });
            }
        }
    }

    private static RamMap.Bytes placed(PositionedFile file, Inspection.Block block) {
        long from = block.pagesPosition().getAsLong();
        return (offset, target) -> {
            if (file.read(target.asByteBuffer(), from + offset) < target.byteSize())
                throw new EOFException("the file was cut short in block '" + block.id() + "'");
        };
    }

    /** What a stream brought; its records have to be read all. */
    private static RamMap.Bytes kept(
            Snapshot snapshot, ArchiveMachine archive, Inspection.Block block) {
        return archive.ram().blocks().stream()
                .filter(b -> b.id().equals(block.id()) && b.usedLength() == block.usedLength())
                .<RamMap.Bytes>map(b -> b::read)
                .findFirst()
                .orElse(
                        (offset, target) -> {
                            throw MigrationException.user(
                                    "%s was changed while it was read", snapshot.path());
                        });
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
}
