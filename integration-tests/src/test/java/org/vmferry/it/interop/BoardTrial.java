package org.vmferry.it.interop;

import static org.assertj.core.api.Assertions.assertThat;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Inspection;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.QemuBinary;
import org.vmferry.it.qemu.QemuBuilder;
import org.vmferry.it.support.Commands;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** A board of one QEMU, never started, with RAM of which no page is zero or like another. */
final class BoardTrial {
    private static final Duration SOON = Duration.ofSeconds(60);

    private final QemuBinary qemu;
    private final Path folder;
    private final BoardMemory memory;
    private final Path plain;
    private final Path placed; // null where the QEMU knows no mapped-ram
    private List<Placement> seen = List.of(); // what the guest sees, of RAM blocks
    private final Map<Placement, Path> ram = new LinkedHashMap<>();
    private final Map<Placement, String> blocks = new LinkedHashMap<>();
    private long bytes;

    /** Has the QEMU save it. */
    BoardTrial(Board board, QemuBinary qemu, Path folder) throws Exception {
        this.qemu = qemu;
        this.folder = folder;
        memory = new BoardMemory(board, qemu.target(board.target()), folder);
        plain = folder.resolve("plain");
        placed = qemu.atLeast(9, 0) ? folder.resolve("placed") : null;
        try (Qemu source = memory.source().start()) {
            seen = memory.placements(source);
            for (Placement each : seen) ram.put(each, saved(source, each, "ram-" + ram.size()));
            save(source, plain);
        }
        if (placed == null) return;
        try (Qemu source = memory.source().start()) {
            source.setCapabilities("mapped-ram");
            save(source, placed);
        }
    }

    private Path saved(Qemu from, Placement what, String name) throws IOException {
        Path file = folder.resolve(name);
        from.saveMemory(what.address(), what.length(), file);
        return file;
    }

    private void save(Qemu source, Path file) throws IOException {
        source.setParameters(Map.of("max-bandwidth", 0));
        source.migrate(placed == null ? "exec:cat > " + file : "file:" + file);
        source.awaitMigration(SOON);
    }

    /**
     * Tries it.
     *
     * @return how many bytes of RAM were compared
     */
    long run(Operation operation) throws Exception {
        bytes = 0;
        switch (operation) {
            case INSPECT -> inspect();
            case VERIFY -> files().forEach(file -> command("verify", file));
            case EXTRACT -> extract();
            case TO_MAPPED_RAM -> convert(plain, "mapped-ram");
            case TO_STREAM -> convert(placed == null ? plain : placed, "stream");
            case RECEIVE -> receive();
            case SEND -> send();
            case RECEIVE_MULTIFD -> receive("multifd");
            case SEND_MULTIFD -> send("multifd");
        }
        return bytes;
    }

    private List<Path> files() {
        return placed == null ? List.of(plain) : List.of(plain, placed);
    }

    private static String command(Object... words) {
        Commands command = new Commands();
        int status = command.run(words);
        assertThat(status).as("%s: %s", words[0], command.err()).isZero();
        return command.out();
    }

    private void inspect() throws Exception {
        for (Path file : files()) {
            String said = command("inspect", file);
            for (Inspection.Block block : Engine.create().inspect("file:" + file).blocks()) {
                assertThat(said).contains(block.id());
            }
        }
    }

    private void extract() throws Exception {
        for (Path file : files()) assertHolds(file);
    }

    /** A snapshot has what the guest saw. */
    private void assertHolds(Path snapshot) throws Exception {
        var names =
                Engine.create().inspect("file:" + snapshot).blocks().stream()
                        .map(Inspection.Block::id)
                        .collect(Collectors.toSet());
        Map<String, List<Placement>> parts = new LinkedHashMap<>();
        for (Placement each : seen) {
            String block = each.block(names);
            if (block != null) parts.computeIfAbsent(block, b -> new ArrayList<>()).add(each);
        }
        assertThat(parts).as("blocks that the guest sees, of %s", names).isNotEmpty();
        for (var part : parts.entrySet()) {
            Path out = folder.resolve("extract");
            command("extract", snapshot, "--block", part.getKey(), "-o", out);
            for (Placement each : part.getValue()) {
                assertSame(each, out, each.offset(), ram.get(each));
            }
            Files.delete(out);
        }
    }

    private void assertSame(Placement what, Path file, long offset, Path wanted)
            throws IOException {
        try (FileChannel got = FileChannel.open(file);
                FileChannel want = FileChannel.open(wanted)) {
            assertThat(got.size()).as("%s", what).isGreaterThanOrEqualTo(offset + want.size());
            assertThat(want.size()).isEqualTo(what.length());
            int difference =
                    got.map(MapMode.READ_ONLY, offset, want.size())
                            .mismatch(want.map(MapMode.READ_ONLY, 0, want.size()));
            assertThat(difference).as("where %s differs", what).isEqualTo(-1);
            bytes += want.size();
        }
    }

    private void convert(Path from, String format) throws Exception {
        Path to = folder.resolve("converted");
        Path again = folder.resolve("again");
        command("convert", from, to, "--format", format);
        if (placed != null || format.equals("stream")) {
            loads(to, format.equals("mapped-ram"));
        } else {
            command("convert", to, again, "--format", "stream");
            loads(again, false);
            Files.delete(again);
        }
        Files.delete(to);
    }

    private void loads(Path file, boolean mapped) throws Exception {
        try (Qemu destination = memory.destination().start()) {
            if (mapped) destination.setCapabilities("mapped-ram");
            destination.migrateIncoming(placed == null ? "exec:cat " + file : "file:" + file);
            assertArrived(destination);
        }
    }

    private void assertArrived(Qemu destination) throws Exception {
        destination.awaitMigration(SOON);
        for (Placement each : seen) {
            Path got = saved(destination, each, "got");
            assertSame(each, got, 0, ram.get(each));
            Files.delete(got);
        }
    }

    private static List<Object> with(List<Object> words, String... capabilities) {
        List<Object> all = new ArrayList<>(words);
        for (String capability : capabilities) all.addAll(List.of("-c", capability));
        return all;
    }

    private void receive(String... capabilities) throws Exception {
        Path socket = folder.resolve("socket");
        Path out = folder.resolve("received");
        Commands command = new Commands();
        List<Object> words = with(List.of("receive", "unix:" + socket, "-o", out), capabilities);
        FutureTask<Integer> status = command.begin(words.toArray());
        try (Qemu source = memory.source().start()) {
            source.setCapabilities(with(capabilities, "return-path"));
            source.setParameters(Map.of("max-bandwidth", 0));
            Commands.await(socket);
            source.migrate("unix:" + socket);
            String theirs = "completed";
            try {
                source.awaitMigration(SOON);
            } catch (IOException e) {
                theirs = e.getMessage();
            }
            assertThat(status.get(SOON.toSeconds(), TimeUnit.SECONDS))
                    .as("%s; the QEMU: %s", command.err(), theirs)
                    .isZero();
            assertThat(theirs).isEqualTo("completed");
        }
        assertHolds(out);
        Files.delete(out);
    }

    private static String[] with(String[] words, String more) {
        List<String> all = new ArrayList<>(List.of(words));
        all.add(more);
        return all.toArray(String[]::new);
    }

    private void send(String... capabilities) throws Exception {
        Path socket = folder.resolve("socket");
        try (Qemu destination = memory.destination().start()) {
            if (capabilities.length > 0) destination.setCapabilities(capabilities);
            destination.migrateIncoming("unix:" + socket);
            List<Object> words = List.of("send", plain, "unix:" + socket);
            Commands command = new Commands();
            int status = command.run(with(words, with(capabilities, "return-path")).toArray());
            assertThat(status).as("%s; QEMU: %s", command.err(), destination.stderr()).isZero();
            assertArrived(destination);
        }
        Files.deleteIfExists(socket);
    }
}
