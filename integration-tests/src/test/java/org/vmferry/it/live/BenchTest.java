package org.vmferry.it.live;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.cli.Main;
import org.vmferry.engine.json.Json;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Leftovers;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** That the benches do what they measure; how fast is for nobody to fail on. */
class BenchTest {
    @TempDir Path folder;
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... arguments) {
        return Main.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(arguments);
    }

    @Test
    @RequiresQemu
    @SuppressWarnings("unchecked")
    void liveHasTwoGuestsThatRun() throws Exception {
        int status =
                run(
                        "bench",
                        "live",
                        "--size=64M",
                        "--rounds=1",
                        "--dirty-rate=2000",
                        "--downtime-limit=500",
                        "--memory-dir=" + folder,
                        "--json");
        assertThat(status).as(err.toString()).isZero();
        Map<String, Object> tree = (Map<String, Object>) Json.parse(out.toString());
        assertThat(tree)
                .containsEntry("subject", "live")
                .containsEntry("dirty-rate", 2000L)
                .containsEntry("downtime-limit", 500L);
        List<Map<String, Object>> rows = (List<Map<String, Object>>) tree.get("medians");
        assertThat(rows)
                .extracting(row -> row.get("work"))
                .containsExactly(
                        "downtime, with downtime-limit 500",
                        "total time",
                        "rounds",
                        "dirtied, of 2000");
        for (Map<String, Object> row : rows) {
            for (String side : List.of("qemu", "vmferry")) {
                assertThat(((Number) row.get(side)).doubleValue())
                        .as("%s: %s", side, row.get("work"))
                        .isPositive();
            }
        }
        assertThat(Files.list(folder)).as("nothing is left").isEmpty();
        Leftovers.assertNoThreads();
    }

    @Test
    @RequiresQemu
    void snapshotSavesRestoresAndMaps() throws Exception {
        measures(
                "snapshot",
                List.of("", ", 2 channels", ", 2 channels, direct-io").stream()
                        .flatMap(
                                way ->
                                        Stream.of("save", "restore", "map to first access")
                                                .map(work -> work + way + " ms"))
                        .toArray(String[]::new));
    }

    @Test
    @RequiresQemu
    void multifdHasEachCodec() throws Exception {
        measures(
                "multifd",
                "none GB/s",
                "none CPU s",
                "zlib GB/s",
                "zlib CPU s",
                "zstd GB/s",
                "zstd CPU s");
    }

    /** QEMU's source has its RAM from one whose RAM is a file, and none of them is one. */
    @Test
    @RequiresQemu
    void multifdBetweenMemoriesOfTheirOwn() throws Exception {
        String[] places = {"--memory-dir=" + folder, "--anonymous", "--compression=none"};
        Map<String, Object> tree = measures("multifd", places, "none GB/s", "none CPU s");
        assertThat(tree).containsEntry("anonymous", true);
    }

    private void measures(String subject, String... works) throws Exception {
        String[] places = {"--dir=" + folder, "--memory-dir=" + folder};
        assertThat(measures(subject, places, works))
                .containsOnlyKeys("subject", "bytes", "rounds", "medians");
    }

    /** A pair of a few MiB, and all that it says; a QEMU does not map. */
    @SuppressWarnings("unchecked")
    private Map<String, Object> measures(String subject, String[] how, String... works)
            throws Exception {
        String[] line = {"bench", subject, "--size=4M", "--rounds=1", "--json"};
        int status = run(Stream.of(line, how).flatMap(Stream::of).toArray(String[]::new));
        assertThat(status).as(err.toString()).isZero();
        Map<String, Object> tree = (Map<String, Object>) Json.parse(out.toString());
        assertThat(tree)
                .containsEntry("subject", subject)
                .containsEntry("bytes", 4L << 20)
                .containsEntry("rounds", 1L);
        List<Map<String, Object>> rows = (List<Map<String, Object>>) tree.get("medians");
        assertThat(rows)
                .extracting(row -> row.get("work") + " " + row.get("unit"))
                .containsExactly(works);
        for (Map<String, Object> row : rows) {
            assertThat(row).containsOnlyKeys("work", "unit", "qemu", "vmferry", "ratio");
            boolean timed = !row.get("unit").equals("CPU s"); // of these 0 hundredths may pass
            boolean both = !row.get("work").toString().startsWith("map");
            for (String side : both ? List.of("qemu", "vmferry") : List.of("vmferry")) {
                assertThat(((Number) row.get(side)).doubleValue())
                        .as("%s: %s", side, row.get("work"))
                        .isGreaterThanOrEqualTo(timed ? Double.MIN_VALUE : 0);
            }
            if (!both) assertThat(row).containsEntry("qemu", null).containsEntry("ratio", null);
        }
        assertThat(folder).as("nothing is left").isEmptyDirectory();
        Leftovers.assertNoThreads();
        return tree;
    }

    @Test
    @SuppressWarnings("unchecked")
    void downtimeIsTheGuestsOwn() throws Exception {
        int status =
                run(
                        "bench",
                        "downtime",
                        "--size=64M",
                        "--rounds=1",
                        "--dirty-rate=100",
                        "--downtime-limit=5000",
                        "--empty",
                        "--window=1M",
                        "--with=max-bandwidth=0",
                        "--memory-dir=" + folder,
                        "--json");
        assertThat(status).as(err.toString()).isZero();
        Map<String, Object> tree = (Map<String, Object>) Json.parse(out.toString());
        assertThat(tree).containsEntry("subject", "downtime").containsEntry("rounds", 1L);
        assertThat((List<Object>) tree.get("told")).hasSize(1);
        for (Object ms : (List<Object>) tree.get("guest"))
            assertThat(((Number) ms).doubleValue()).isPositive();
        assertThat(Files.list(folder)).as("nothing is left").isEmpty();
    }

    @Test
    void liveWantsRoomForItsWindow() {
        assertThat(run("bench", "live", "--size=32M")).isEqualTo(2);
        assertThat(err.toString()).contains("--size 64M or more");
    }
}
