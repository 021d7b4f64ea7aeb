package org.vmferry.it.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.json.Json;
import org.vmferry.it.fuzz.Coverage.Floor;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** A floor is missed in words, and is not missed where it was reached. */
class CoverageTest {
    @TempDir Path folder;

    @Test
    void namesWhatWasNotRun() throws Exception {
        Coverage coverage = new Coverage(folder);
        Process process =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                coverage.argument(),
                                "-cp",
                                System.getProperty("java.class.path"),
                                ANumber.class.getName())
                        .inheritIO()
                        .start();
        assertThat(process.waitFor()).isZero();
        coverage.read();

        assertThat(coverage.missed(List.of(new Floor("engine/json/Json", 10)))).isEmpty();
        assertThat(
                        coverage.missed(
                                List.of(
                                        new Floor("engine/json/Json", 90),
                                        new Floor("engine/stream/Trailer", 1),
                                        new Floor("engine/stream/Gone", 1))))
                .satisfiesExactly(
                        json ->
                                assertThat(json)
                                        .matches(
                                                "of the lines of engine/json/Json [1-8]\\d % were"
                                                        + " run, fewer than 90 %; not run:"
                                                        + " (\\d+(-\\d+)?(, )?)+"),
                        trailer ->
                                assertThat(trailer)
                                        .startsWith(
                                                "of the lines of engine/stream/Trailer 0 % were"
                                                        + " run"),
                        gone ->
                                assertThat(gone)
                                        .isEqualTo(
                                                "engine/stream/Gone has a floor, and there is no"
                                                        + " such file"));
    }

    /** The process: one number is read. */
    static final class ANumber {
        private ANumber() {}

        public static void main(String[] arguments) throws IOException {
            Json.parse("12".getBytes(StandardCharsets.UTF_8));
        }
    }
}
