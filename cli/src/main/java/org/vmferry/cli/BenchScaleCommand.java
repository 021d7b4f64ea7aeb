package org.vmferry.cli;

import org.vmferry.cli.bench.Bench;
import org.vmferry.cli.bench.ScaleBench;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;

/** Measures what a migration takes, by size and channels. */
@Command(
        name = "scale",
        description = {
            "Migrate RAM of several sizes on several numbers of channels, with multifd,"
                    + " uncompressed, over the loopback: time, CPU seconds, and the heap that"
                    + " vmferry's JVMs use at the most. A quarter of RAM is zero.",
            "Last is said how far the last size's time per GiB, and its heap, are from the first"
                    + " size's.",
        },
        footer = {
            "",
            "Files in --memory-dir take all sizes together, and the largest once more.",
            "",
            "Example:",
            "  vmferry bench scale --sizes 1G,2G,4G --channels 1,2,4,8 -o scale.json",
        })
final class BenchScaleCommand extends BesideQemu {
    private static final int MOST = 255;

    @Option(
            names = "--sizes",
            split = ",",
            defaultValue = "1G,2G,4G",
            paramLabel = "N",
            converter = SnapshotAction.Bytes.class,
            description = "How much RAM the guests have (default: ${DEFAULT-VALUE}).")
    private List<Long> sizes;

    @Option(
            names = "--channels",
            split = ",",
            defaultValue = "1,2,4,8",
            paramLabel = "N",
            description = "On how many (default: ${DEFAULT-VALUE}).")
    private List<Integer> channels;

    @Override
    void check() {
        for (long size : sizes) checkSize("--sizes", size, MIB);
        if (channels.stream().anyMatch(count -> count < 1 || count > MOST))
            throw misuse("--channels takes 1 to " + MOST);
        if (new HashSet<>(sizes).size() < sizes.size()
                || new HashSet<>(channels).size() < channels.size())
            throw misuse("--sizes and --channels take each value once");
    }

    @Override
    Bench bench(Path ram, String qemu) {
        return new ScaleBench(ram, qemu, sizes, channels);
    }
}
