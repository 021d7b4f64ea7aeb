package org.vmferry.cli;

import org.vmferry.cli.bench.DowntimeBench;
import org.vmferry.cli.bench.LiveBench;
import org.vmferry.cli.bench.MultifdBench;
import org.vmferry.cli.bench.Results;
import org.vmferry.cli.bench.SnapshotBench;
import org.vmferry.engine.json.Json;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Measures vmferry beside a QEMU. */
@Command(
        name = "bench",
        description = {
            "snapshot: save and restore the same RAM with vmferry and with a QEMU, in turn.",
            "multifd: migrate the same RAM from vmferry to vmferry and from QEMU to QEMU, in turn,"
                    + " over the loopback on two channels, uncompressed, with zlib 1 and with zstd"
                    + " 1. vmferry's two JVMs have migrated before they are measured; the RAM"
                    + " that arrived then is compared.",
            "live: migrate a guest that writes to a quarter of its RAM, --dirty-rate pages a"
                + " second, from vmferry to vmferry and from QEMU to QEMU, in turn, with 128 MiB/s."
                + " Rounds and the pages that were dirtied are told, not judged.",
            "downtime: how long a guest stands still, by its own clock, when both processes that"
                    + " migrate it have just begun; vmferry alone. Shown is how often it was within"
                    + " --downtime-limit.",
            "Shown are medians, and medians of each round's ratio: above 1 vmferry is better."
                    + " Without a QEMU vmferry is measured alone. A quarter of RAM is zero.",
        },
        footer = {
            "",
            "Examples:",
            "  vmferry bench snapshot --size 4G --rounds 3 --dir /var/tmp",
            "  vmferry bench multifd --json",
            "  vmferry bench multifd --anonymous --size 2G --compression none",
            "  vmferry bench live --size 1G --dirty-rate 20000",
            "  vmferry bench downtime --size 64M --rounds 100 --dirty-rate 1000",
        })
final class BenchCommand extends Action {
    /** What is measured. */
    enum Subject {
        /** mapped-ram snapshots. */
        snapshot,
        /** Migrations. */
        multifd,
        /** Migrations of a guest that runs. */
        live,
        /** Switch-overs of processes that have just begun. */
        downtime
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

    @Option(
            names = "--compression",
            split = ",",
            paramLabel = "CODEC",
            description = "multifd: only these of none, zlib, zstd.")
    private List<String> codecs = MultifdBench.CODECS;

    @Option(
            names = "--prealloc",
            description =
                    "multifd: destinations touch all of their RAM before they are timed, so that"
                            + " making pages is no part of it.")
    private boolean prealloc;

    @Option(
            names = "--anonymous",
            description =
                    "multifd: RAM is each process's own memory, as with QEMU's plain -m, and no"
                            + " file: in huge pages, where the system has them. Takes three times"
                            + " --size.")
    private boolean anonymous;

    @Option(
            names = "--dirty-rate",
            defaultValue = "10000",
            paramLabel = "PAGES/S",
            description =
                    "live, downtime: pages that the guest dirties (default: ${DEFAULT-VALUE}).")
    private long dirtyRate;

    @Option(
            names = "--downtime-limit",
            defaultValue = "300",
            paramLabel = "MS",
            description = "live, downtime: the parameter (default: ${DEFAULT-VALUE}).")
    private long downtimeLimit;

    @Option(
            names = "--window",
            defaultValue = "16M",
            converter = SnapshotAction.Bytes.class,
            description = "downtime: of RAM, what the guest writes to (default: ${DEFAULT-VALUE}).")
    private long window;

    @Option(
            names = "--empty",
            description = "downtime: all of RAM is zero but what the guest writes to.")
    private boolean empty;

    @Option(
            names = "--by",
            paramLabel = "COMMAND",
            description =
                    "downtime: what starts both processes, such as \"ip netns exec slow\", where a"
                            + " slow link is.")
    private String by = "";

    @Option(
            names = "--with",
            split = ",",
            paramLabel = "OPTION",
            description = "downtime: capabilities, and parameters as name=value.")
    private List<String> with = List.of();

    @Option(names = "--json", description = "As one JSON object, for programs.")
    private boolean json;

    @Override
    void run() throws Exception {
        if (rounds < 1 || size < 1 << 20 || size % (1 << 20) != 0)
            throw misuse("--rounds takes 1 or more, --size a multiple of 1M");
        if (!MultifdBench.CODECS.containsAll(codecs))
            throw misuse("--compression takes " + String.join(", ", MultifdBench.CODECS));
        boolean guest = subject == Subject.live || subject == Subject.downtime;
        if (guest && (size < 64 << 20 || dirtyRate < 1 || downtimeLimit < 1))
            throw misuse(
                    subject
                            + " takes --size 64M or more, a --dirty-rate and --downtime-limit above"
                            + " 0");
        if (subject == Subject.downtime && (window < 1 << 20 || window > size - (16 << 20)))
            throw misuse("--window takes 1M to --size less 16M");
        Path shm = Path.of("/dev/shm");
        if (memory == null) memory = Files.isWritable(shm) ? shm : directory;
        boolean alone = subject == Subject.downtime;
        boolean there = !alone && find(qemu);
        if (!alone && !there) remark("no " + qemu + " here: vmferry is measured alone");
        Path ram = Files.createTempDirectory(memory, ".vmferry-bench-").toAbsolutePath();
        try {
            if (!empty) remark("making " + Text.bytes(size) + " of RAM, a quarter of it zero");
            String binary = there ? qemu : null;
            switch (subject) {
                case snapshot -> snapshot(ram, binary);
                case multifd -> multifd(ram, binary);
                case live -> live(ram, binary);
                case downtime -> downtime(ram);
            }
        } finally {
            Files.delete(ram);
        }
    }

    private void snapshot(Path ram, String binary) throws Exception {
        Path files = Files.createTempDirectory(directory, ".vmferry-bench-").toAbsolutePath();
        try (var bench = new SnapshotBench(files, ram, binary, size)) {
            interruption.cancelBy(bench::cancel);
            bench.fill();
            for (int round = 0; round < rounds; round++) {
                begin(round);
                bench.round(round % 2 == 0);
            }
            print(bench.results());
        } finally {
            Files.delete(files);
        }
    }

    private void multifd(Path ram, String binary) throws Exception {
        try (var bench = new MultifdBench(ram, binary, size, prealloc, anonymous)) {
            interruption.cancelBy(bench::cancel);
            bench.prepare(codecs);
            for (int round = 0; round < rounds; round++) {
                begin(round);
                for (String codec : codecs) bench.round(codec, round % 2 == 0);
            }
            print(bench.results());
        }
    }

    private void live(Path ram, String binary) throws Exception {
        try (var bench = new LiveBench(ram, binary, size, dirtyRate, downtimeLimit)) {
            interruption.cancelBy(bench::cancel);
            bench.prepare();
            for (int round = 0; round < rounds; round++) {
                begin(round);
                bench.round(round % 2 == 0);
            }
            print(bench.results());
        }
    }

    private void downtime(Path ram) throws Exception {
        List<String> command = by.isBlank() ? List.of() : List.of(by.strip().split(" ++"));
        try (var bench =
                new DowntimeBench(
                        ram, command, size, empty, window, dirtyRate, downtimeLimit, with)) {
            interruption.cancelBy(bench::cancel);
            bench.prepare();
            for (int round = 0; round < rounds; round++) {
                begin(round);
                bench.round();
            }
            print(bench.gaps());
        }
    }

    private void print(List<DowntimeBench.Gap> gaps) {
        List<Double> sorted = gaps.stream().map(DowntimeBench.Gap::guest).sorted().toList();
        long within = sorted.stream().filter(ms -> ms <= downtimeLimit).count();
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("subject", subject.name());
        tree.put("bytes", size);
        tree.put("rounds", rounds);
        tree.put("dirty-rate", dirtyRate);
        tree.put("downtime-limit", downtimeLimit);
        tree.put("within", within);
        tree.put("median", sorted.get(sorted.size() / 2));
        tree.put("most", sorted.getLast());
        tree.put("told", gaps.stream().map(gap -> (Object) gap.told()).toList());
        tree.put("guest", gaps.stream().map(gap -> (Object) gap.guest()).toList());
        if (json) {
            out().println(Json.writePretty(tree));
            return;
        }
        out().printf("%10s %10s %10s %10s%n", "guest, ms", "told", "expected", "rounds");
        for (var gap : gaps)
            out().printf(
                            Locale.ROOT,
                            "%10.1f %10d %10d %10d%n",
                            gap.guest(),
                            gap.told(),
                            gap.expected(),
                            gap.rounds());
        out().printf(
                        Locale.ROOT,
                        "within %d ms: %d of %d; median %.1f ms, most %.1f ms%n",
                        downtimeLimit,
                        within,
                        rounds,
                        sorted.get(sorted.size() / 2),
                        sorted.getLast());
    }

    private void begin(int round) throws Exception {
        interruption.check();
        remark("round %d of %d".formatted(round + 1, rounds));
    }

    private static boolean find(String program) {
        if (program.contains("/")) return Files.isExecutable(Path.of(program));
        for (String directory : System.getenv("PATH").split(File.pathSeparator))
            if (Files.isExecutable(Path.of(directory, program))) return true;
        return false;
    }

    private void print(Results results) {
        if (json) {
            out().println(Json.writePretty(tree(results)));
            return;
        }
        out().printf("%-44s %-6s %10s %10s %8s%n", "", "", "QEMU", "vmferry", "ratio");
        for (Results.Row row : results.rows())
            out().printf(
                            Locale.ROOT,
                            "%-44s %-6s %10s %10.2f %8s%n",
                            row.work(),
                            row.unit(),
                            number(row.qemu()),
                            row.vmferry(),
                            number(row.ratio()));
    }

    private static String number(Double value) {
        return value == null ? "-" : String.format(Locale.ROOT, "%.2f", value);
    }

    private Map<String, Object> tree(Results results) {
        List<Object> rows = new ArrayList<>();
        for (Results.Row row : results.rows()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("work", row.work());
            one.put("unit", row.unit());
            one.put("qemu", row.qemu());
            one.put("vmferry", row.vmferry());
            one.put("ratio", row.ratio());
            rows.add(one);
        }
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("subject", subject.name());
        tree.put("bytes", size);
        tree.put("rounds", rounds);
        if (anonymous) tree.put("anonymous", true);
        if (subject == Subject.live) {
            tree.put("dirty-rate", dirtyRate);
            tree.put("downtime-limit", downtimeLimit);
        }
        tree.put("medians", rows);
        return tree;
    }
}
