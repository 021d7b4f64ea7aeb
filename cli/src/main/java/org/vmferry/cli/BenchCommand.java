package org.vmferry.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Measures vmferry, beside a QEMU where it can. */
@Command(
        name = "bench",
        description = {
            "Measure vmferry on this machine, beside a QEMU on the same RAM where there is one.",
            "Shown are medians, the least and the most of all rounds, and the same of each round's"
                    + " ratio: above 1 vmferry is better.",
        },
        synopsisSubcommandLabel = "WHAT",
        commandListHeading = "What:%n",
        subcommands = {
            BenchSnapshotCommand.class,
            BenchMultifdCommand.class,
            BenchLiveCommand.class,
            BenchDowntimeCommand.class,
            BenchScaleCommand.class,
            BenchEmptyCommand.class,
            BenchColdCommand.class,
        },
        footer = {
            "",
            "Examples:",
            "  vmferry bench snapshot --size 4G --rounds 3 --dir /var/tmp",
            "  vmferry bench scale -o scale.json",
            "  vmferry bench WHAT --help",
        })
final class BenchCommand {
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Say how it is used.")
    private boolean help;

    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Say which version this is.")
    private boolean version;
}
