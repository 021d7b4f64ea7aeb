package org.vmferry.it.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.json.Json;
import org.vmferry.it.fuzz.Coverage.Floor;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A floor is missed in words, and is not missed where it was reached. */
class CoverageTest {
    private static final Path SOURCE =
            Path.of(
                    System.getProperty("vmferry.root"),
                    "engine/src/main/java/org/vmferry/engine/json/Json.java");
    private static final Pattern JSON =
            Pattern.compile(
                    "of the lines of engine/json/Json [1-8]\\d % were run, fewer than 90 %;"
                            + " not run: (.+)");

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
        List<String> missed =
                coverage.missed(
                        List.of(
                                new Floor("engine/json/Json", 90),
                                new Floor("engine/stream/Trailer", 1),
                                new Floor("engine/stream/Gone", 1)));
        assertThat(missed).hasSize(3);
        Matcher json = JSON.matcher(missed.getFirst());
        assertThat(json.matches()).as(missed.getFirst()).isTrue();
        assertThat(lines(json.group(1)))
                .contains(line("throw new IOException(\"Not a JSON object"))
                .doesNotContain(line("if (length > MAX_LENGTH)"));
        assertThat(missed.get(1)).startsWith("of the lines of engine/stream/Trailer 0 % were run");
        assertThat(missed.get(2))
                .isEqualTo("engine/stream/Gone has a floor, and there is no such file");
    }

    /** Of "12, 20-25". */
    private static List<Integer> lines(String stretches) {
        List<Integer> lines = new ArrayList<>();
        for (String stretch : stretches.split(", ")) {
            String[] ends = stretch.split("-");
            int last = Integer.parseInt(ends[ends.length - 1]);
            for (int line = Integer.parseInt(ends[0]); line <= last; line++) lines.add(line);
        }
        return lines;
    }

    /** The first that has this. */
    private static int line(String text) throws IOException {
        List<String> all = Files.readAllLines(SOURCE);
        for (int i = 0; i < all.size(); i++) if (all.get(i).contains(text)) return i + 1;
        throw new AssertionError(SOURCE + " has no " + text);
    }

    /** The process: one number is read. */
    static final class ANumber {
        private ANumber() {}

        public static void main(String[] arguments) throws IOException {
            Json.parse("12".getBytes(StandardCharsets.UTF_8));
        }
    }
}
