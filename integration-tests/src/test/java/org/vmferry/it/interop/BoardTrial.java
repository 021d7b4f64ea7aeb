package org.vmferry.it.interop;

import org.vmferry.it.qemu.MigrationFailedException;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.QemuBinary;
import org.vmferry.it.qemu.QmpException;
import org.vmferry.it.support.Commands;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/** A board of one QEMU, never started, goes through every operation. */
final class BoardTrial {
    static final Duration SOON = Duration.ofSeconds(120);

    /** The QEMU doesn't save the board, whoever asks. */
    static final class NotSavedException extends Exception {
        private static final long serialVersionUID = 1;

        NotSavedException(String how, Exception cause) {
            super(how, cause);
        }
    }

    /**
     * Done to a file with what arrived, before it is compared; nothing unless the trial is tried.
     */
    interface Tamper {
        void with(Path file, long offset) throws IOException;
    }

    /** A snapshot of the QEMU's, and what the memory was. */
    record Saved(Path file, SavedRam ram) {}

    private final Path folder;
    private final BoardMemory memory;
    private final boolean files; // whether the QEMU knows file: and mapped-ram
    private final List<String> uuid;
    private final Saved plain;
    private final Saved placed; // the plain one where the QEMU knows no mapped-ram
    private final Tamper tamper;
    private long compared;
    private int names;

    /**
     * Has the QEMU save it.
     *
     * @throws NotSavedException if the QEMU doesn't
     */
    BoardTrial(Board board, QemuBinary qemu, Path folder, Tamper tamper) throws Exception {
        this.folder = folder;
        this.tamper = tamper;
        files = qemu.atLeast(9, 0);
        int option = board.options().indexOf("-uuid");
        uuid = option < 0 ? List.of() : List.of("--uuid", board.options().get(option + 1));
        memory = new BoardMemory(board, qemu.target(board.target()), folder);
        plain = save("plain");
        placed = files ? save("placed", "mapped-ram") : plain;
    }

    BoardMemory memory() {
        return memory;
    }

    /** How to name a file for its QEMU. */
    String saving(Path file) {
        return files ? "file:" + file : "exec:cat > " + file;
    }

    String loading(Path file) {
        return files ? "file:" + file : "exec:cat " + file;
    }

    private Saved save(String name, String... capabilities) throws Exception {
        Path file = folder.resolve(name);
        try (Qemu source = memory.source()) {
            SavedRam ram = SavedRam.of(source, memory.looked(), folder.resolve(name + "-ram"));
            source.setCapabilities(capabilities);
            source.setParameters(Map.of("max-bandwidth", 0));
            try {
                source.migrate(saving(file));
                source.awaitMigration(SOON);
            } catch (MigrationFailedException | QmpException e) {
                throw new NotSavedException(e.getMessage(), e);
            } catch (IOException e) {
                if (!source.process().waitFor(10, TimeUnit.SECONDS)) throw e;
                String how = "QEMU died of it, status " + source.process().exitValue();
                throw new NotSavedException(how, e);
            }
            return new Saved(file, ram);
        }
    }

    /** Of how much of its RAM each KiB is like no other, in words. */
    String filled() throws IOException {
        return plain.ram.filled();
    }

    /**
     * Tries it.
     *
     * @return in words, what was compared
     * @throws AssertionError if something doesn't hold; its message is a sentence
     */
    String run(Operation operation) throws Exception {
        compared = 0;
        switch (operation) {
            case INSPECT -> {
                return Looking.inspect(snapshots(), memory.looked());
            }
            case VERIFY -> {
                return Looking.verify(snapshots());
            }
            case EXTRACT -> {
                for (Saved each : snapshots()) compareBlocks(each.file, each.ram);
            }
            case TO_MAPPED_RAM -> convert(plain, "mapped-ram");
            case TO_STREAM -> convert(placed, "stream");
            case RECEIVE -> receive();
            case SEND -> send();
            case RECEIVE_MULTIFD -> receive("multifd");
            case SEND_MULTIFD -> send("multifd");
        }
        check(compared > 0, "there is no memory to compare");
        return Cell.bytes(compared);
    }

    /** The snapshots that the QEMU wrote. */
    List<Path> files() {
        return snapshots().stream().map(Saved::file).toList();
    }

    private List<Saved> snapshots() {
        return files ? List.of(plain, placed) : List.of(plain);
    }

    static String command(Object... words) {
        Commands command = new Commands();
        check(command.run(words) == 0, "%s: %s", words[0], command.err());
        return command.out();
    }

    static void check(boolean holds, String sentence, Object... with) {
        if (!holds) throw new AssertionError(sentence.formatted(with));
    }

    /** A file that isn't there, whatever an operation before has left. */
    private Path fresh(String name) {
        return folder.resolve(name + names++);
    }

    /** What is extracted is what the QEMU had. */
    private void compareBlocks(Path snapshot, SavedRam ram) throws IOException {
        Map<String, List<Placement>> parts = new LinkedHashMap<>();
        for (Placement each : memory.looked()) {
            String block = each.block(ram.blocks().keySet());
            if (block != null) parts.computeIfAbsent(block, b -> new ArrayList<>()).add(each);
        }
        check(!parts.isEmpty(), "the guest sees none of %s", ram.blocks().keySet());
        for (var part : parts.entrySet()) {
            Path out = fresh("extract");
            command("extract", snapshot, "--block", part.getKey(), "-o", out);
            for (Placement each : part.getValue()) compare(ram, each, out, each.offset());
            Files.delete(out);
        }
    }

    private void compare(SavedRam ram, Placement what, Path with, long offset) throws IOException {
        tamper.with(with, offset);
        compared += ram.compare(what, with, offset);
    }

    private void convert(Saved from, String format) throws IOException {
        Path to = fresh("converted");
        command("convert", from.file, to, "--format", format);
        if (files || format.equals("stream")) {
            load(from.ram, to, format);
        } else {
            Path again = fresh("again");
            command("convert", to, again, "--format", "stream");
            load(from.ram, again, "stream");
            Files.delete(again);
        }
        Files.delete(to);
    }

    private void load(SavedRam ram, Path file, String format) throws IOException {
        try (Qemu destination = memory.destination()) {
            if (format.equals("mapped-ram")) destination.setCapabilities("mapped-ram");
            destination.migrateIncoming(loading(file));
            compareArrived(ram, destination);
        }
    }

    /** What has come to a QEMU is what another had. */
    void compareArrived(SavedRam ram, Qemu destination) throws IOException {
        destination.awaitMigration(SOON);
        SavedRam got = SavedRam.of(destination, memory.looked(), folder.resolve("got"));
        for (var each : got.parts().entrySet()) compare(ram, each.getKey(), each.getValue(), 0);
        got.delete();
    }

    private void receive(String... capabilities) throws Exception {
        Path socket = fresh("socket");
        Path out = fresh("received");
        Commands command = new Commands();
        List<Object> words = new ArrayList<>(List.of("receive", "unix:" + socket, "-o", out));
        for (String capability : capabilities) words.addAll(List.of("-c", capability));
        FutureTask<Integer> status = command.begin(words.toArray());
        try (Qemu source = memory.source()) {
            SavedRam ram = SavedRam.of(source, memory.looked(), folder.resolve("ram"));
            source.setCapabilities(capabilities);
            source.setCapabilities("return-path");
            source.setParameters(Map.of("max-bandwidth", 0));
            Commands.await(socket);
            source.migrate("unix:" + socket);
            String theirs = "completed";
            try {
                source.awaitMigration(SOON);
            } catch (IOException | MigrationFailedException e) {
                theirs = Cell.words(e);
            }
            check(
                    status.get(SOON.toSeconds(), TimeUnit.SECONDS) == 0
                            && theirs.equals("completed"),
                    "receive: %s; QEMU: %s",
                    command.err(),
                    theirs);
            compareBlocks(out, ram);
            ram.delete();
        } finally {
            if (!status.isDone()) SocketChannel.open(UnixDomainSocketAddress.of(socket)).close();
        }
        Files.delete(out);
    }

    private void send(String... capabilities) throws IOException {
        Path socket = fresh("socket");
        List<Object> words = new ArrayList<>(List.of("send", plain.file, "unix:" + socket));
        words.addAll(List.of("-c", "return-path"));
        for (String capability : capabilities) words.addAll(List.of("-c", capability));
        words.addAll(uuid); // a snapshot doesn't have it
        // As docs/operations.md says of old QEMUs.
        if (!files) words.addAll(List.of("-p", "multifd-flush-after-each-section=on"));
        if (!files) words.addAll(List.of("-p", "zero-page-detection=legacy"));
        try (Qemu destination = memory.destination()) {
            destination.setCapabilities(capabilities);
            destination.migrateIncoming("unix:" + socket);
            Commands command = new Commands();
            int status = command.run(words.toArray());
            check(status == 0, "send: %s; QEMU: %s", command.err(), destination.stderr());
            compareArrived(plain.ram, destination);
        }
    }
}
