package org.vmferry.cli;

import org.vmferry.cli.bench.Bench;
import org.vmferry.cli.bench.MultifdBench;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.List;

/** Measures migrations. */
@Command(
        name = "multifd",
        description = {
            "Migrate the same RAM from vmferry to vmferry and from QEMU to QEMU, in turn, over the"
                    + " loopback on two channels, uncompressed, with zlib 1 and with zstd 1.",
            "vmferry's two JVMs have migrated before they are measured; the RAM that arrived then"
                    + " is compared. A quarter of RAM is zero.",
        },
        footer = {
            "",
            "Examples:",
            "  vmferry bench multifd --json",
            "  vmferry bench multifd --anonymous --size 2G --compression none",
        })
final class BenchMultifdCommand extends BesideQemu {
    @Option(
            names = "--size",
            paramLabel = "N",
            defaultValue = "4G",
            converter = SnapshotAction.Bytes.class,
            description = "How much RAM the guest has (default: ${DEFAULT-VALUE}).")
    private long size;

    @Option(
            names = "--compression",
            split = ",",
            paramLabel = "CODEC",
            description = "Only these of none, zlib, zstd.")
    private List<String> codecs = MultifdBench.CODECS;

    @Option(
            names = "--prealloc",
            description =
                    "Destinations make all of their pages before they are timed, so that making"
                            + " pages is no part of it.")
    private boolean prealloc;

    @Option(
            names = "--anonymous",
            description =
                    "RAM is each process's own memory, as with QEMU's plain -m, and no file: in"
                            + " huge pages, where the system has them. Takes three times --size.")
    private boolean anonymous;

    @Override
    void check() {
        checkSize("--size", size, MIB);
        if (!MultifdBench.CODECS.containsAll(codecs))
            throw misuse("--compression takes " + String.join(", ", MultifdBench.CODECS));
    }

    @Override
    Bench bench(Path ram, String qemu) {
        return new MultifdBench(ram, qemu, size, codecs, prealloc, anonymous);
    }
}
