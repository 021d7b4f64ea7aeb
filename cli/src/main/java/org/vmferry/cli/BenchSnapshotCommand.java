package org.vmferry.cli;

import org.vmferry.cli.bench.Bench;
import org.vmferry.cli.bench.SnapshotBench;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.nio.file.Path;

/** Measures snapshots. */
@Command(
        name = "snapshot",
        description = {
            "Save and restore the same RAM with vmferry and with a QEMU, in turn.",
            "A quarter of RAM is zero.",
        },
        footer = {
            "",
            "Examples:",
            "  vmferry bench snapshot --size 4G --rounds 3 --dir /var/tmp",
            "  vmferry bench snapshot --anonymous --size 2G",
        })
final class BenchSnapshotCommand extends BesideQemu {
    @Option(
            names = "--size",
            paramLabel = "N",
            defaultValue = "4G",
            converter = SnapshotAction.Bytes.class,
            description = "How much RAM the guest has (default: ${DEFAULT-VALUE}).")
    private long size;

    @Option(
            names = "--prealloc",
            description =
                    "Make all pages of RAM before the clock starts, as QEMU does with prealloc=on.")
    private boolean prealloc;

    @Option(
            names = "--anonymous",
            description =
                    "RAM is each process's own memory, as with QEMU's plain -m, and no file: in"
                            + " huge pages, where the system has them. Takes twice --size.")
    private boolean anonymous;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            defaultValue = ".",
            description = "Where snapshots go (default: here).")
    private Path directory;

    @Override
    void check() {
        checkSize("--size", size, MIB);
    }

    @Override
    Bench bench(Path ram, String qemu) throws IOException {
        return new SnapshotBench(folderIn(directory), ram, qemu, size, prealloc, anonymous);
    }
}
