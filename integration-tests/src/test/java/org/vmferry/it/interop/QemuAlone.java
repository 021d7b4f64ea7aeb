package org.vmferry.it.interop;

import org.vmferry.it.qemu.Qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/** What a QEMU does with a board when it is alone: where it fails too, a cell says so. */
final class QemuAlone {
    /** How a QEMU does what an operation does. */
    private enum Way {
        STREAM,
        MAPPED_RAM,
        SOCKET,
        MULTIFD
    }

    private final BoardTrial trial;
    private final Path folder;
    private final boolean files;
    private final Map<Way, Optional<String>> tried = new EnumMap<>(Way.class);

    QemuAlone(BoardTrial trial, boolean files, Path folder) {
        this.trial = trial;
        this.files = files;
        this.folder = folder;
    }

    /** What a QEMU says that fails in the same; empty if it doesn't, or has no such operation. */
    Optional<String> words(Operation operation) {
        return switch (operation) {
            case INSPECT, VERIFY, EXTRACT -> Optional.empty();
            case TO_MAPPED_RAM -> words(files ? Way.MAPPED_RAM : Way.STREAM);
            case TO_STREAM -> words(Way.STREAM);
            case RECEIVE, SEND -> words(Way.SOCKET);
            case RECEIVE_MULTIFD, SEND_MULTIFD -> words(Way.MULTIFD);
        };
    }

    private Optional<String> words(Way way) {
        return tried.computeIfAbsent(
                way,
                now -> {
                    try {
                        go(now);
                        return Optional.empty();
                    } catch (IOException | RuntimeException | AssertionError e) {
                        return Optional.of(Cell.words(e));
                    }
                });
    }

    private void go(Way way) throws IOException {
        Path there = folder.resolve("alone");
        Files.deleteIfExists(there);
        boolean socket = way == Way.SOCKET || way == Way.MULTIFD;
        String[] capabilities =
                switch (way) {
                    case MAPPED_RAM -> new String[] {"mapped-ram"};
                    case MULTIFD -> new String[] {"multifd"};
                    default -> new String[0];
                };
        BoardMemory memory = trial.memory();
        try (Qemu source = memory.source();
                Qemu destination = memory.destination()) {
            SavedRam ram = SavedRam.of(source, memory.looked(), folder.resolve("alone-ram"));
            source.setCapabilities(capabilities);
            destination.setCapabilities(capabilities);
            source.setParameters(Map.of("max-bandwidth", 0));
            if (socket) {
                source.setCapabilities("return-path");
                destination.migrateIncoming("unix:" + there);
                source.migrate("unix:" + there);
                source.awaitMigration(BoardTrial.SOON);
            } else {
                source.migrate(trial.saving(there));
                source.awaitMigration(BoardTrial.SOON);
                destination.migrateIncoming(trial.loading(there));
            }
            trial.compareArrived(ram, destination);
            ram.delete();
        }
        Files.deleteIfExists(there);
    }
}
