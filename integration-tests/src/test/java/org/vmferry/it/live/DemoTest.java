package org.vmferry.it.live;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.cli.Main;
import org.vmferry.engine.json.Json;
import org.vmferry.it.support.Leftovers;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The demo as a newcomer runs it, with less RAM. */
class DemoTest {
    @TempDir Path directory;

    @Test
    void oneGuestCountsInThreeProcesses() throws Exception {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        Path kept = Files.writeString(directory.resolve("kept"), "old");
        Files.setPosixFilePermissions(kept, PosixFilePermissions.fromString("rw-r-----"));
        int exit =
                Main.commandLine()
                        .setOut(new PrintWriter(out))
                        .setErr(new PrintWriter(err))
                        .execute("demo", "--size", "16M", "--json", "--keep", kept.toString());
        assertThat(exit).as(err.toString()).isZero();
        Map<?, ?> result = (Map<?, ?>) Json.parse(out.toString());
        assertThat(result.get("ramBytes")).isEqualTo(16L << 20);

        List<?> processes = (List<?>) result.get("processes");
        assertThat(processes).hasSize(3);
        assertThat(processes.stream().map(p -> ((Map<?, ?>) p).get("pid")).distinct()).hasSize(3);
        long counted = 0;
        for (Object process : processes) {
            Map<?, ?> turn = (Map<?, ?>) process;
            assertThat(turn.get("countedFrom")).isEqualTo(counted + 1);
            assertThat((Long) turn.get("countedTo")).isGreaterThan(counted + 15);
            counted = (Long) turn.get("countedTo");
        }

        Map<?, ?> live = (Map<?, ?>) result.get("live");
        assertThat((Long) live.get("rounds")).isGreaterThan(1);
        assertThat((Long) live.get("ramBytes")).isGreaterThanOrEqualTo(16L << 20);
        assertThat((Long) live.get("wireBytes")).isBetween(1L << 20, 16L << 20);
        assertThat((Long) live.get("ramBytesPerSecond")).isPositive();
        assertThat((Long) live.get("downtimeMs")).isBetween(0L, (Long) live.get("ms"));
        assertThat((Long) ((Map<?, ?>) result.get("snapshot")).get("bytes"))
                .isGreaterThan(16L << 20)
                .isEqualTo(Files.size(kept));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(kept)))
                .as("as any file that is replaced")
                .isEqualTo("rw-r-----");
        assertThat(Main.commandLine().execute("verify", kept.toString(), "-q")).isZero();
        assertThat(directory).isDirectoryNotContaining(file -> !file.equals(kept));

        Map<?, ?> proof = (Map<?, ?>) result.get("proof");
        assertThat(proof.get("counted")).isEqualTo(counted);
        assertThat(proof.get("gaps")).isEqualTo(0L);
        assertThat(proof.get("repeats")).isEqualTo(0L);
        assertThat((Long) proof.get("instructions")).isBetween(60_000_000L, 10_000_000_000L);
        assertThat((List<?>) proof.get("differences")).isEmpty();
        assertThat(proof.get("holds")).isEqualTo(true);
        Leftovers.assertNoThreadsAtAll();
    }

    /** Ctrl-C: once two more processes are there, and once the guest is in the second. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void leavesNothingWhenItIsInterrupted(boolean moved) throws Exception {
        Path printed = directory.resolve("printed");
        Path temporary = Files.createDirectory(directory.resolve("tmp"));
        Process demo =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-Djava.io.tmpdir=" + temporary,
                                "--enable-native-access=ALL-UNNAMED",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Main.class.getName(),
                                "demo",
                                "--size",
                                "16M")
                        .redirectErrorStream(true)
                        .redirectOutput(printed.toFile())
                        .start();
        try {
            await(demo, () -> demo.children().count() == 2);
            List<ProcessHandle> children = demo.children().toList();
            if (moved) await(demo, () -> Files.readString(printed).contains("moved live"));
            assertThat(temporary).isNotEmptyDirectory();

            demo.destroy(); // as Ctrl-C: the JVM takes SIGTERM and SIGINT alike
            assertThat(demo.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(children).noneMatch(ProcessHandle::isAlive);
            assertThat(temporary).isEmptyDirectory();
            assertThat(Files.readString(printed)).doesNotContain("proof");
        } finally {
            demo.destroyForcibly().waitFor();
        }
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private void await(Process demo, Condition condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
        while (!condition.holds()) {
            assertThat(demo.isAlive()).as(Files.readString(directory.resolve("printed"))).isTrue();
            assertThat(System.nanoTime()).isLessThan(deadline);
            demo.waitFor(5, TimeUnit.MILLISECONDS);
        }
    }
}
