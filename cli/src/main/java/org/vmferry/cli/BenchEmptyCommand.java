package org.vmferry.cli;

import org.vmferry.cli.bench.Bench;
import org.vmferry.cli.bench.EmptyBench;
import org.vmferry.engine.system.NativeCalls;
import org.vmferry.spi.MigrationException;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.nio.file.Path;

/** Measures a guest that uses little of its RAM. */
@Command(
        name = "empty",
        description = {
            "Save, load and move live a guest with much RAM, of which little is in use and nothing"
                    + " else was ever touched, with its RAM in the processes' own memory.",
            "Told is also by how much the processes grew, and how many pages were made in"
                    + " vmferry's machines. A QEMU is left out where it would make more of them"
                    + " than there is memory for.",
        },
        footer = {
            "",
            "Example:",
            "  vmferry bench empty --size 32G --used 1 --dir /var/tmp",
        })
final class BenchEmptyCommand extends BesideQemu {
    private static final int MOST = 50;

    @Option(
            names = "--size",
            paramLabel = "N",
            defaultValue = "32G",
            converter = SnapshotAction.Bytes.class,
            description = "How much RAM the guest has (default: ${DEFAULT-VALUE}).")
    private long size;

    @Option(
            names = "--used",
            defaultValue = "1",
            paramLabel = "PERCENT",
            description = "How much of it is in use (default: ${DEFAULT-VALUE}).")
    private int used;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            defaultValue = ".",
            description = "Where snapshots go (default: here).")
    private Path directory;

    @Override
    void check() throws MigrationException {
        checkSize("--size", size, BenchLiveCommand.LEAST);
        if (used < 1 || used > MOST) throw misuse("--used takes 1 to " + MOST);
        if (!NativeCalls.available())
            throw MigrationException.user(
                    "without Linux and native access all of the RAM would be touched: see"
                            + " docs/operations.md");
    }

    @Override
    String qemu() throws IOException {
        String qemu = super.qemu();
        String why = qemu == null ? null : EmptyBench.tooMuchForQemu(size);
        if (why == null) return qemu;
        remark(why + "; vmferry is measured alone, a smaller --size has both");
        return null;
    }

    @Override
    Bench bench(Path ram, String qemu) throws IOException {
        return new EmptyBench(folderIn(directory), ram, qemu, size, used);
    }
}
