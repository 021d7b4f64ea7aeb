package org.vmferry.cli;

import org.vmferry.cli.bench.SnapshotBench;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/** Measures vmferry beside a QEMU. */
@Command(
        name = "bench",
        description = {
            "Save and restore the same RAM with vmferry and with a QEMU, in turn, and show the"
                    + " ratios.",
            "Without a QEMU vmferry is measured alone. Times are medians, in ms.",
        },
        footer = {"", "Example:", "  vmferry bench snapshot --size 4G --rounds 3 --dir /var/tmp"})
final class BenchCommand extends Action {
    /** What is measured. */
    enum Subject {
        /** mapped-ram snapshots. */
        snapshot
    }

    @Parameters(index = "0", description = "What to measure: ${COMPLETION-CANDIDATES}.")
    private Subject subject;

    @Option(
            names = "--size",
            defaultValue = "4G",
            converter = SnapshotAction.Bytes.class,
            description = "Of RAM (default: ${DEFAULT-VALUE}).")
    private long size;

    @Option(names = "--rounds", defaultValue = "3", description = "Default: ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(
            names = "--dir",
            defaultValue = ".",
            description = "Where snapshots go (default: here).")
    private Path directory;

    @Option(
            names = "--memory-dir",
            description = "Where RAM's files lie (default: /dev/shm, or as --dir).")
    private Path memory;

    @Option(
            names = "--qemu",
            defaultValue = "qemu-system-x86_64",
            description = "Default: ${DEFAULT-VALUE}.")
    private String qemu;

    @Override
    void run() throws Exception {
        if (rounds < 1 || size < 1 << 20 || size % (1 << 20) != 0)
            throw misuse("--rounds takes 1 or more, --size a multiple of 1M");
        Path shm = Path.of("/dev/shm");
        if (memory == null) memory = Files.isWritable(shm) ? shm : directory;
        boolean there = find(qemu);
        if (!there) remark("no " + qemu + " here: vmferry is measured alone");
        Path files = Files.createTempDirectory(directory, ".vmferry-bench-").toAbsolutePath();
        Path ram = Files.createTempDirectory(memory, ".vmferry-bench-").toAbsolutePath();
        var bench = new SnapshotBench(files, ram, there ? qemu : null, size);
        try {
            remark("making " + Text.bytes(size) + " of RAM, a quarter of it zero");
            bench.fill();
            for (int round = 0; round < rounds; round++) {
                interruption.check();
                remark("round %d of %d".formatted(round + 1, rounds));
                bench.round(round % 2 == 0);
            }
            print(bench.medians());
        } finally {
            bench.clean();
            Files.delete(files);
            Files.delete(ram);
        }
    }

    private static boolean find(String program) {
        if (program.contains("/")) return Files.isExecutable(Path.of(program));
        for (String directory : System.getenv("PATH").split(File.pathSeparator))
            if (Files.isExecutable(Path.of(directory, program))) return true;
        return false;
    }

    private void print(Map<String, Double> medians) {
        out().printf("%-34s %12s %12s %8s%n", "", "QEMU ms", "vmferry ms", "ratio");
        medians.forEach(
                (what, ms) -> {
                    if (!what.startsWith("vmferry ")) return;
                    String work = what.substring("vmferry ".length());
                    Double other = medians.get("QEMU " + work);
                    out().printf(
                                    Locale.ROOT,
                                    "%-34s %12s %12.1f %8s%n",
                                    work,
                                    other == null ? "-" : "%.1f".formatted(other),
                                    ms,
                                    other == null ? "-" : "%.2f".formatted(other / ms));
                });
    }
}
