package org.vmferry.cli;

import org.vmferry.cli.bench.Bench;
import org.vmferry.cli.bench.DowntimeBench;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.List;

/** Measures switch-overs of processes that have just begun. */
@Command(
        name = "downtime",
        description = {
            "Measure how long a guest stands still, by its own clock, when both processes that"
                    + " migrate it have just begun; vmferry alone.",
            "Shown is how often it was within --downtime-limit. A quarter of RAM is zero.",
        },
        footer = {
            "",
            "Example:",
            "  vmferry bench downtime --size 64M --rounds 100 --dirty-rate 1000",
        })
final class BenchDowntimeCommand extends BenchAction {
    private static final long FIRST = 16 * MIB; // of RAM, not in the window

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

    @Option(
            names = "--window",
            paramLabel = "N",
            defaultValue = "16M",
            converter = SnapshotAction.Bytes.class,
            description = "How much of its RAM the guest writes to (default: ${DEFAULT-VALUE}).")
    private long window;

    @Option(names = "--empty", description = "All of RAM is zero but what the guest writes to.")
    private boolean empty;

    @Option(
            names = "--by",
            paramLabel = "COMMAND",
            description =
                    "What starts both processes, such as \"ip netns exec slow\", where a slow link"
                            + " is.")
    private String by = "";

    @Option(
            names = "--with",
            split = ",",
            paramLabel = "OPTION",
            description = "Capabilities, and parameters as name=value.")
    private List<String> with = List.of();

    @Override
    void check() {
        checkSize("--size", size, BenchLiveCommand.LEAST);
        if (dirtyRate < 1 || downtimeLimit < 1)
            throw misuse("--dirty-rate and --downtime-limit take 1 or more");
        if (window < MIB || window > size - FIRST)
            throw misuse("--window takes 1M to --size less 16M");
    }

    @Override
    Bench bench(Path ram, String qemu) {
        List<String> command = by.isBlank() ? List.of() : List.of(by.strip().split(" ++"));
        return new DowntimeBench(ram, command, size, empty, window, dirtyRate, downtimeLimit, with);
    }
}
