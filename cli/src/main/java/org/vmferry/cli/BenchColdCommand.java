package org.vmferry.cli;

import org.vmferry.cli.bench.Bench;
import org.vmferry.cli.bench.ColdBench;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.nio.file.Path;

/** Measures what a JVM does first. */
@Command(
        name = "cold",
        description = {
            "Measure the first migration of two JVMs that have just begun, beside one of the same"
                    + " JVMs when they are warm; and inspect and verify of a small snapshot as"
                    + " new processes.",
            "The ratio is of cold to warm. A quarter of RAM is zero.",
        },
        footer = {
            "",
            "Example:",
            "  vmferry bench cold --rounds 10",
        })
final class BenchColdCommand extends BenchAction {
    @Option(
            names = "--size",
            paramLabel = "N",
            defaultValue = "64M",
            converter = SnapshotAction.Bytes.class,
            description = "How much RAM the guest has (default: ${DEFAULT-VALUE}).")
    private long size;

    @Override
    void check() {
        checkSize("--size", size, MIB);
    }

    @Override
    Bench bench(Path ram, String qemu) {
        return new ColdBench(ram, size, Main.class);
    }
}
