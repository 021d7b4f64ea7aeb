package org.vmferry.it.leak;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.testkit.tls.TestCertificates;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What fails half-way is undone, wherever that is: the first descriptor can't be had, then the
 * second one, and so on until all can; threads likewise.
 */
class ShortageTest {
    @TempDir Path folder;

    @Test
    @Timeout(180)
    void whatFailsHalfWayIsUndone() throws Exception {
        // Side by side: most of the time each waits for a word of its other end.
        Process descriptors = begin(Limits.DESCRIPTORS);
        Process threads = begin(Limits.THREADS);
        try {
            check(descriptors);
            check(threads);
        } finally {
            descriptors.destroyForcibly();
            threads.destroyForcibly();
        }
    }

    private Process begin(Limits what) throws IOException {
        Path own = Files.createDirectory(folder.resolve(what.name()));
        Path certificates = TestCertificates.in(own.resolve("certificates")).folder();
        Path temporary = Files.createDirectory(own.resolve("tmp"));
        ProcessBuilder builder =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-XX:+UseSerialGC",
                                "-Xmx256m",
                                "-XX:-UsePerfData",
                                "-XX:TieredStopAtLevel=1",
                                "-XX:-UseDynamicNumberOfCompilerThreads",
                                "-XX:ThreadStackSize=" + (Limits.STACK >> 10),
                                "-Xlog:disable",
                                "-Djava.io.tmpdir=" + temporary,
                                "-cp",
                                System.getProperty("java.class.path"),
                                Short.class.getName(),
                                what.name(),
                                own.toString(),
                                certificates.toString())
                        .redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().put("MALLOC_ARENA_MAX", "1"); // address space is what is counted
        return builder.start();
    }

    private static void check(Process process) throws IOException {
        List<String> lines;
        try (var out = process.inputReader(StandardCharsets.UTF_8)) {
            lines = out.readAllLines();
        }
        String all = String.join("\n", lines);
        assertThat(lines).as(all).isNotEmpty().noneMatch(line -> line.startsWith("WRONG"));
        assertThat(lines.getLast()).as(all).isEqualTo("done");
        assertThat(lines.stream().filter(line -> line.contains(", 1: ")))
                .as("in each trial the second could not be had: %s", all)
                .hasSize(3);
    }
}
