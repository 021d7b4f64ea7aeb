package org.vmferry.cli;

import org.vmferry.cli.demo.Demo;
import org.vmferry.cli.demo.Proof;
import org.vmferry.cli.demo.Result;
import org.vmferry.engine.Migration;
import org.vmferry.engine.Statistics;
import org.vmferry.engine.json.Json;
import org.vmferry.engine.transport.ScratchFolder;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.OutgoingFile;
import org.vmferry.spi.transport.PositionedFile;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Shows that it works, on this very machine. */
@Command(
        name = "demo",
        description = {
            "Move a running guest through three processes, and prove that it is still the same.",
            "A small RISC-V computer counts on its serial port. It is moved live, over multifd with"
                    + " zstd, to a second process; saved there, as mapped-ram, while it runs; and"
                    + " restored by mapping in a third. Then it is compared with a twin that was"
                    + " never moved.",
            "Takes less than a minute, three times --size of memory, and --size of temporary disk"
                    + " space.",
        },
        footer = {
            "",
            "Examples:",
            "  vmferry demo",
            "  vmferry demo --json",
            "  vmferry demo --size 16M --keep vm.snap",
        })
final class DemoCommand extends Action {
    private static final long SMALLEST = 16 << 20;
    private static final int STEP = 8 << 20; // bytes copied at once

    @Option(
            names = "--size",
            paramLabel = "N",
            defaultValue = "128M",
            converter = SnapshotAction.Bytes.class,
            description = "How much RAM the guest has (default: ${DEFAULT-VALUE}).")
    private long size;

    @Option(names = "--json", description = "As one JSON object, for programs.")
    private boolean json;

    @Option(
            names = "--keep",
            paramLabel = "FILE",
            description = "Keep the snapshot that it makes, to try other commands on.")
    private Path keep;

    private Demo demo;

    @Override
    void run() throws Exception {
        if (size < SMALLEST || size % SMALLEST != 0)
            throw misuse("--size takes a multiple of " + Text.bytes(SMALLEST));
        if (keep == null) {
            runIn(Path.of(System.getProperty("java.io.tmpdir")), snapshot -> {});
            return;
        }
        try (OutgoingFile place = place(keep)) {
            runIn(new ScratchOption().beside(keep), snapshot -> keep(snapshot, place));
        }
    }

    /** What becomes of the snapshot, when all has gone well. */
    private interface Use {
        void of(Path snapshot) throws IOException;
    }

    private void runIn(Path parent, Use use) throws Exception {
        Path directory = ScratchFolder.in(parent);
        try {
            Path snapshot = directory.resolve("demo.snap");
            run(snapshot);
            use.of(snapshot);
        } finally {
            remove(directory);
        }
    }

    private void keep(Path snapshot, OutgoingFile place) throws IOException {
        try (Snapshot kept = Snapshot.open(snapshot, 0);
                Arena arena = Arena.ofConfined()) {
            PositionedFile from = kept.file();
            PositionedFile to = place.file(false);
            ByteBuffer step = arena.allocate(STEP).asByteBuffer();
            to.resize(from.size());
            for (long at = 0; (at = from.nextData(at)) < from.size(); ) {
                interruption.check();
                int bytes = from.read(step.clear(), at);
                to.write(step.flip(), at);
                at += bytes;
            }
        }
        interruption.check();
        interruption.cancelBy(place::release);
        place.complete();
    }

    private void run(Path snapshot) throws Exception {
        Result result;
        try (var begun = new Demo(size, snapshot, new Story())) {
            demo = begun;
            interruption.cancelBy(demo::cancel);
            result = demo.run();
        }
        if (json) out().println(Json.writePretty(tree(result)));
        else print(result.proof());
        if (!result.proof().holds())
            throw MigrationException.host(
                    "the guest is not what it was: %s", result.proof().toString());
    }

    private static void remove(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            for (Path file : files.toList()) Files.delete(file);
        }
        Files.delete(directory);
    }

    /** Tells it as it happens. */
    private final class Story implements Demo.Watcher {
        @Override
        public void had(Result.Turn turn, String how) {
            line("process " + turn.pid(), "%-32s it counts %d to %d", how, turn.from(), turn.to());
        }

        @Override
        public void moved(Result.Live live) {
            line(
                    "  moved live",
                    "%s in %d rounds and %.2f s, %s/s; as %s with zstd; downtime %d ms",
                    Text.bytes(live.ramBytes()),
                    live.rounds(),
                    live.ms() / 1000.0,
                    Text.bytes(live.bytesPerSecond()),
                    Text.bytes(live.wireBytes()),
                    live.downtimeMs());
        }

        @Override
        public void saved(Result.Saved saved) {
            line(
                    "  saved",
                    "to a file of %s in %.2f s; downtime %d ms",
                    Text.bytes(saved.bytes()),
                    saved.ms() / 1000.0,
                    saved.downtimeMs());
        }

        @Override
        public Statistics follow(Migration migration)
                throws MigrationException, InterruptedException {
            Statistics done = DemoCommand.this.follow(migration, "moving the guest");
            interruption.cancelBy(demo::cancel); // it was the migration's to be cancelled
            return done;
        }
    }

    private void print(Proof proof) {
        if (!proof.holds()) return;
        line("proof", "counted 1 to %d over three processes: no gap, no repeat", proof.counted());
        line(
                "",
                "RAM and devices equal a twin's that was never moved, after %,d instructions",
                proof.instructions());
    }

    private void line(String what, String format, Object... values) {
        if (json) return;
        out().printf("%-16s %s%n", what, String.format(Locale.ROOT, format, values));
        out().flush();
    }

    private static Map<String, Object> tree(Result result) {
        List<Object> turns = new ArrayList<>();
        for (Result.Turn turn : result.turns()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("pid", turn.pid());
            one.put("countedFrom", turn.from());
            one.put("countedTo", turn.to());
            turns.add(one);
        }
        Map<String, Object> live = new LinkedHashMap<>();
        live.put("ms", result.live().ms());
        live.put("downtimeMs", result.live().downtimeMs());
        live.put("rounds", result.live().rounds());
        live.put("ramBytes", result.live().ramBytes());
        live.put("wireBytes", result.live().wireBytes());
        live.put("ramBytesPerSecond", Math.round(result.live().bytesPerSecond()));
        Map<String, Object> snapshot = new LinkedHashMap<>();
        snapshot.put("ms", result.saved().ms());
        snapshot.put("downtimeMs", result.saved().downtimeMs());
        snapshot.put("bytes", result.saved().bytes());
        snapshot.put("mappedMs", result.mappedMs());
        Map<String, Object> proof = new LinkedHashMap<>();
        proof.put("counted", result.proof().counted());
        proof.put("gaps", result.proof().gaps());
        proof.put("repeats", result.proof().repeats());
        proof.put("instructions", result.proof().instructions());
        proof.put("differences", result.proof().differences());
        proof.put("holds", result.proof().holds());
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("ramBytes", result.ramBytes());
        tree.put("processes", turns);
        tree.put("live", live);
        tree.put("snapshot", snapshot);
        tree.put("proof", proof);
        return tree;
    }
}
