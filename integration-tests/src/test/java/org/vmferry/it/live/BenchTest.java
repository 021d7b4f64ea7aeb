package org.vmferry.it.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.cli.Main;
import org.vmferry.cli.bench.SnapshotBench;
import org.vmferry.engine.json.Json;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Launched;
import org.vmferry.it.support.Leftovers;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * That the benches do what they measure, and tell what they found; how fast is for nobody to fail
 * on.
 */
@SuppressWarnings("unchecked")
class BenchTest {
    private static final Pattern CELL =
            Pattern.compile("(-?[0-9.]+)(?: \\((-?[0-9.]+) to (-?[0-9.]+)\\))?");

    @TempDir Path folder;
    @TempDir Path found;
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... arguments) {
        return Main.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments);
    }

    /** Runs one, and compares what it shows with what it keeps. */
    private Map<String, Object> measure(String subject, String... options) throws Exception {
        Path file = found.resolve("bench.json");
        String[] line = {"bench", subject, "--memory-dir=" + folder, "-o", file.toString()};
        int status = run(Stream.of(line, options).flatMap(Stream::of).toArray(String[]::new));
        assertThat(status).as(err.toString()).isZero();
        assertThat(folder).as("nothing is left").isEmptyDirectory();
        Leftovers.assertNoThreads();
        var tree = (Map<String, Object>) Json.parse(Files.readString(file));
        assertThat(tree)
                .containsOnlyKeys(
                        "subject",
                        "begin",
                        "end",
                        "machine",
                        "versions",
                        "load",
                        "options",
                        "works",
                        "conclusions")
                .containsEntry("subject", subject);
        if (!List.of(options).contains("--json")) assertShown(tree);
        return tree;
    }

    private void assertShown(Map<String, Object> tree) {
        List<String> lines = out.toString().lines().toList();
        List<List<String>> table = new ArrayList<>();
        for (String line : lines)
            if (line.startsWith("| "))
                table.add(Stream.of(line.substring(2).split(" *\\| ?")).toList());
        List<String> head = table.removeFirst();
        var works = (List<Map<String, Object>>) tree.get("works");
        assertThat(table).hasSameSizeAs(works);
        for (int i = 0; i < works.size(); i++) {
            Map<String, Object> work = works.get(i);
            List<String> row = table.get(i);
            assertThat(row).startsWith(work.get("work").toString(), work.get("unit").toString());
            for (int column = 2; column < row.size(); column++)
                assertCell(row.get(column), work.get(head.get(column).toLowerCase(Locale.ROOT)));
        }
        for (Object sentence : (List<Object>) tree.get("conclusions"))
            assertThat(lines).contains(sentence.toString());
        for (String name : List.of("vmferry", "jdk"))
            assertThat(lines.getFirst())
                    .contains(((Map<String, Object>) tree.get("versions")).get(name).toString());
    }

    /** A cell has the rounds' figures, as rounded as it shows them. */
    private static void assertCell(String cell, Object figures) {
        if (figures == null) {
            assertThat(cell).isEqualTo("-");
            return;
        }
        Matcher shown = CELL.matcher(cell);
        assertThat(shown.matches()).as(cell).isTrue();
        List<Double> sorted = rounds(figures).stream().sorted().toList();
        assertThat(shown.group(1)).satisfies(text -> assertRounded(text, median(sorted)));
        boolean apart = shown.group(2) != null;
        assertThat(apart ? shown.group(2) : shown.group(1))
                .satisfies(text -> assertRounded(text, sorted.getFirst()));
        assertThat(apart ? shown.group(3) : shown.group(1))
                .satisfies(text -> assertRounded(text, sorted.getLast()));
        assertThat((Map<String, Object>) figures)
                .containsEntry("median", median(sorted))
                .containsEntry("least", sorted.getFirst())
                .containsEntry("most", sorted.getLast());
    }

    private static void assertRounded(String text, double value) {
        int digits = text.contains(".") ? text.length() - text.indexOf('.') - 1 : 0;
        assertThat(Double.parseDouble(text))
                .isCloseTo(value, within(0.501 * Math.pow(10, -digits)));
    }

    private static double median(List<Double> sorted) {
        int size = sorted.size();
        return (sorted.get((size - 1) / 2) + sorted.get(size / 2)) / 2;
    }

    private static List<Double> rounds(Object figures) {
        return ((List<Number>) ((Map<String, Object>) figures).get("rounds"))
                .stream().map(Number::doubleValue).toList();
    }

    /** One side's rounds of a work. */
    private static List<Double> rounds(Map<String, Object> tree, String name, String side) {
        for (var work : (List<Map<String, Object>>) tree.get("works"))
            if (name.equals((work.get("work") + " " + work.get("unit")).strip()))
                return rounds(work.get(side));
        throw new AssertionError("no " + name + " in " + tree.get("works"));
    }

    private static void assertWorks(Map<String, Object> tree, String... works) {
        assertThat((List<Map<String, Object>>) tree.get("works"))
                .extracting(row -> (row.get("work") + " " + row.get("unit")).strip())
                .containsExactly(works);
    }

    /** Both sides took time for all of it but what a QEMU does not do. */
    private static void assertBothDid(Map<String, Object> tree) {
        for (var work : (List<Map<String, Object>>) tree.get("works")) {
            boolean timed = !work.get("unit").equals("CPU s"); // of these 0 hundredths may pass
            boolean both = !work.get("work").toString().startsWith("map");
            for (String side : both ? List.of("qemu", "vmferry") : List.of("vmferry"))
                assertThat(rounds(work.get(side)))
                        .as("%s: %s", side, work.get("work"))
                        .isNotEmpty()
                        .allMatch(value -> timed ? value > 0 : value >= 0);
            if (!both) assertThat(work).containsEntry("qemu", null).containsEntry("ratio", null);
        }
    }

    @Test
    @RequiresQemu
    void liveHasTwoGuestsThatRun() throws Exception {
        Map<String, Object> tree =
                measure(
                        "live",
                        "--size=64M",
                        "--rounds=1",
                        "--dirty-rate=2000",
                        "--downtime-limit=500",
                        "--json");
        assertThat((Map<String, Object>) tree.get("options"))
                .containsEntry("dirty-rate", 2000L)
                .containsEntry("downtime-limit", 500L);
        assertWorks(
                tree,
                "downtime, with downtime-limit 500 ms",
                "total time ms",
                "rounds",
                "dirtied, of 2000 pages/s");
        assertBothDid(tree);
        assertThat(Json.parse(out.toString())).as("--json shows what -o keeps").isEqualTo(tree);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--prealloc", "--anonymous"})
    @RequiresQemu
    void snapshotSavesRestoresAndMaps(String memory) throws Exception {
        Map<String, Object> tree =
                measure("snapshot", "--size=4M", "--rounds=1", memory, "--dir=" + folder);
        assertWorks(
                tree,
                Stream.of("", ", 2 channels", ", 2 channels, direct-io")
                        .flatMap(
                                way ->
                                        Stream.of("save", "restore", "map to first access")
                                                .map(work -> work + way + " ms"))
                        .toArray(String[]::new));
        assertBothDid(tree);
    }

    /** Where the file would be, none can be made. Whoever is second finds it free. */
    @ParameterizedTest
    @CsvSource(
            value = {"null, false", "qemu-system-x86_64, true"},
            nullValues = "null")
    @RequiresQemu
    void memoryOfOnesOwnIsNoFile(String qemu, boolean qemuFirst) throws Exception {
        Files.createDirectory(folder.resolve("restored"));
        try (var bench = new SnapshotBench(folder, folder, qemu, 4 << 20, true, true)) {
            bench.prepare();
            bench.round(qemuFirst); // which compares what was restored
        }
    }

    @Test
    @RequiresQemu
    void multifdHasEachCodec() throws Exception {
        Map<String, Object> tree = measure("multifd", "--size=4M", "--rounds=1");
        assertWorks(
                tree,
                "none GB/s",
                "none CPU s",
                "zlib GB/s",
                "zlib CPU s",
                "zstd GB/s",
                "zstd CPU s");
        assertBothDid(tree);
        assertThat((Map<String, Object>) tree.get("options"))
                .containsOnlyKeys(
                        "size",
                        "rounds",
                        "memory-dir",
                        "qemu",
                        "compression",
                        "prealloc",
                        "anonymous")
                .containsEntry("size", 4L << 20)
                .containsEntry("compression", List.of("none", "zlib", "zstd"))
                .containsEntry("anonymous", false);
        var machine = (Map<String, Object>) tree.get("machine");
        assertThat(machine).containsKeys("cpu", "huge-pages");
        assertThat((Long) machine.get("cores")).isPositive();
        assertThat((Long) machine.get("memory")).isGreaterThan(64L << 20);
        assertThat(machine.get("kernel").toString()).contains(System.getProperty("os.version"));
        assertThat((Map<String, Object>) tree.get("versions"))
                .hasEntrySatisfying("qemu", it -> assertThat(it.toString()).matches("\\d+\\..*"))
                .containsOnlyKeys("vmferry", "jdk", "qemu");
        assertThat((Map<String, Object>) tree.get("load"))
                .containsOnlyKeys("begin", "end")
                .allSatisfy((when, load) -> assertThat((Double) load).isNotNegative());
    }

    /** QEMU's source has its RAM from one whose RAM is a file, and none of them is one. */
    @Test
    @RequiresQemu
    void multifdBetweenMemoriesOfTheirOwn() throws Exception {
        Map<String, Object> tree =
                measure("multifd", "--size=4M", "--rounds=2", "--anonymous", "--compression=none");
        assertWorks(tree, "none GB/s", "none CPU s");
        assertBothDid(tree);
        for (String side : List.of("qemu", "vmferry", "ratio"))
            assertThat(rounds(tree, "none GB/s", side)).as(side).hasSize(2);
        double first = rounds(tree, "none GB/s", "vmferry").getFirst();
        assertThat(rounds(tree, "none GB/s", "ratio").getFirst())
                .as("of two rates")
                .isEqualTo(first / rounds(tree, "none GB/s", "qemu").getFirst());
    }

    @Test
    void downtimeIsTheGuestsOwn() throws Exception {
        Map<String, Object> tree =
                measure(
                        "downtime",
                        "--size=64M",
                        "--rounds=1",
                        "--dirty-rate=100",
                        "--downtime-limit=5000",
                        "--empty",
                        "--window=1M",
                        "--with=max-bandwidth=0");
        assertWorks(
                tree,
                "the guest stood still ms",
                "downtime, told ms",
                "downtime, expected ms",
                "rounds");
        List<Double> stood = rounds(tree, "the guest stood still ms", "vmferry");
        assertThat(stood).hasSize(1).allMatch(ms -> ms > 0);
        assertThat(tree.get("conclusions").toString())
                .contains("within 5000 ms: " + (stood.getFirst() <= 5000 ? 1 : 0) + " of 1");
        assertThat(out.toString()).as("vmferry alone").doesNotContain("| QEMU", "| ratio");
    }

    @Test
    @RequiresQemu
    void scaleHasEachSizeOnEachNumberOfChannels() throws Exception {
        Map<String, Object> tree = measure("scale", "--sizes=4M,8M", "--channels=3", "--rounds=1");
        List<String> works =
                Stream.of("4 MiB, 3 channels", "8 MiB, 3 channels")
                        .flatMap(work -> Stream.of(" s", " CPU s", " heap, MiB").map(work::concat))
                        .toList();
        assertThat((List<Map<String, Object>>) tree.get("works"))
                .extracting(row -> row.get("work") + " " + row.get("unit"))
                .containsExactlyInAnyOrderElementsOf(works);
        for (String work : works) {
            List<Double> own = rounds(tree, work, "vmferry");
            assertThat(own).as(work).hasSize(1);
            if (work.endsWith("heap, MiB")) assertThat(own.getFirst()).isBetween(1.0, 200.0);
            if (work.endsWith(" s") && !work.endsWith("CPU s")) {
                assertThat(own.getFirst()).as(work).isPositive();
                assertThat(rounds(tree, work, "qemu").getFirst()).as(work).isPositive();
            }
        }
        double perGib =
                rounds(tree, "8 MiB, 3 channels s", "vmferry").getFirst()
                        / rounds(tree, "4 MiB, 3 channels s", "vmferry").getFirst()
                        / 2;
        double heap =
                rounds(tree, "8 MiB, 3 channels heap, MiB", "vmferry").getFirst()
                        / rounds(tree, "4 MiB, 3 channels heap, MiB", "vmferry").getFirst();
        String sentence = ((List<Object>) tree.get("conclusions")).getFirst().toString();
        Matcher told = Pattern.compile("x([0-9.]+), CPU \\S+, heap x([0-9.]+)").matcher(sentence);
        assertThat(told.find()).as(sentence).isTrue();
        assertRounded(told.group(1), perGib);
        assertRounded(told.group(2), heap);
    }

    /** What is in use arrives, and what is not is made by nobody but a QEMU. */
    @Test
    @RequiresQemu
    void emptyMakesNoPagesThatWereNot() throws Exception {
        Map<String, Object> tree =
                measure("empty", "--size=512M", "--used=4", "--rounds=1", "--dir=" + folder);
        long size = (512L << 20) / 4096;
        long used = 5 * (4L << 20) / 4096; // runs of 4 MiB
        assertThat(tree)
                .containsEntry(
                        "conclusions",
                        List.of("written to before: %d of %d pages".formatted(used, size)));
        for (String work : List.of("save", "live, source"))
            assertThat(rounds(tree, work + ", made of RAM pages", "vmferry"))
                    .as(work)
                    .containsExactly(0.0);
        for (String work : List.of("in use", "load", "live, destination"))
            assertThat(rounds(tree, work + ", made of RAM pages", "vmferry").getFirst())
                    .as(work)
                    .isBetween((double) used, used * 2.0);
        double mib = used / 256.0;
        for (String work : List.of("load", "live"))
            assertThat(rounds(tree, work + ", processes grew by MiB", "vmferry").getFirst())
                    .as(work)
                    .isBetween(mib / 2, size / 256.0 / 2);
        for (String work : List.of("save ms", "load ms", "live ms"))
            for (String side : List.of("qemu", "vmferry"))
                assertThat(rounds(tree, work, side).getFirst()).as(work).isPositive();
    }

    @Test
    void coldIsBesideWarm() throws Exception {
        Map<String, Object> tree = measure("cold", "--size=4M", "--rounds=1");
        assertWorks(
                tree,
                "from the JVMs' start to both done ms",
                "both JVMs by then CPU s",
                "source, from call to done ms",
                "destination, from call to done ms",
                "the migration in both JVMs CPU s",
                "vmferry inspect ms",
                "vmferry inspect CPU s",
                "vmferry verify ms",
                "vmferry verify CPU s");
        double all = rounds(tree, "from the JVMs' start to both done ms", "cold").getFirst();
        for (String side : List.of("source", "destination")) {
            String work = side + ", from call to done ms";
            assertThat(rounds(tree, work, "cold").getFirst()).as(work).isBetween(1.0, all);
            assertThat(rounds(tree, work, "warm").getFirst()).as(work).isPositive();
        }
        // A JVM takes more than these to begin, whoever measures.
        for (String work : List.of("both JVMs by then", "vmferry inspect", "vmferry verify"))
            assertThat(rounds(tree, work + " CPU s", "cold").getFirst()).as(work).isPositive();
        for (String work : List.of("vmferry inspect", "vmferry verify"))
            assertThat(rounds(tree, work + " ms", "cold").getFirst()).as(work).isGreaterThan(10);
    }

    /** In the middle of a migration that does not converge. */
    @Test
    void oneThatIsEndedSaysSoAndLeavesNothing() throws Exception {
        String[] line =
                ("bench live --size=64M --rounds=1 --qemu=none --dirty-rate=1000000"
                                + " --downtime-limit=1 --memory-dir="
                                + folder)
                        .split(" ");
        try (Launched bench = Launched.with(found, found, (Object[]) line)) {
            bench.await(() -> !bench.descendants().isEmpty());
            List<ProcessHandle> sides = bench.descendants();
            Path arrived = Path.of("arrived");
            bench.await(() -> holds(arrived));
            bench.signal("TERM");
            assertThat(bench.end(20)).isEqualTo(143);
            assertThat(bench.err()).contains("vmferry: interrupted").doesNotContain("Exception");
            assertThat(bench.out()).isEmpty();
            assertThat(sides).noneMatch(ProcessHandle::isAlive);
        }
        assertThat(folder).isEmptyDirectory();
    }

    private boolean holds(Path name) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.anyMatch(file -> file.endsWith(name));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "live --size=32M | --size takes 64M or more",
                "multifd --size=1025k | --size takes 1M or more, a multiple of 1M",
                "multifd --compression=lzo | --compression takes none, zlib, zstd",
                "snapshot --rounds=0 | --rounds takes 1 or more",
                "downtime --window=4G | --window takes 1M to --size less 16M",
                "scale --channels=0 | --channels takes 1 to 255",
                "scale --sizes=1G,1G | --sizes and --channels take each value once",
                "empty --used=51 | --used takes 1 to 50",
            })
    void whatMakesNoSenseIsSaidBeforeAnythingIsMade(String line, String sentence) {
        assertThat(run(("bench " + line + " --memory-dir=" + folder).split(" "))).isEqualTo(2);
        assertThat(err.toString()).contains(sentence);
        assertThat(folder).isEmptyDirectory();
    }
}
