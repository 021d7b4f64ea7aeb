package org.vmferry.cli;

import org.vmferry.cli.bench.Bench;
import org.vmferry.cli.bench.LiveBench;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.nio.file.Path;

/** Measures migrations of a guest that runs. */
@Command(
        name = "live",
        description = {
            "Migrate a guest that writes to a quarter of its RAM, --dirty-rate pages a second, from"
                    + " vmferry to vmferry and from QEMU to QEMU, in turn, with 128 MiB/s.",
            "Rounds and the pages that were dirtied are told, not judged. A quarter of RAM is"
                    + " zero.",
        },
        footer = {
            "",
            "Example:",
            "  vmferry bench live --size 1G --dirty-rate 20000",
        })
final class BenchLiveCommand extends BesideQemu {
    static final long LEAST = 64 * MIB;

    @Option(
            names = "--size",
            paramLabel = "N",
            defaultValue = "4G",
            converter = SnapshotAction.Bytes.class,
            description = "How much RAM the guest has (default: ${DEFAULT-VALUE}).")
    private long size;

    @Option(
            names = "--dirty-rate",
            defaultValue = "10000",
            paramLabel = "PAGES/S",
            description = "Pages that the guest dirties (default: ${DEFAULT-VALUE}).")
    private long dirtyRate;

    @Option(
            names = "--downtime-limit",
            defaultValue = "300",
            paramLabel = "MS",
            description = "The parameter of that name (default: ${DEFAULT-VALUE}).")
    private long downtimeLimit;

    @Override
    void check() {
        checkSize("--size", size, LEAST);
        if (dirtyRate < 1 || downtimeLimit < 1)
            throw misuse("--dirty-rate and --downtime-limit take 1 or more");
    }

    @Override
    Bench bench(Path ram, String qemu) {
        return new LiveBench(ram, qemu, size, dirtyRate, downtimeLimit);
    }
}
