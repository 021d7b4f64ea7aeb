package org.vmferry.it.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Genuine inputs, changed where they have a structure, come to an end with a sentence, or are
 * accepted: in a JVM of 256 MiB, of which nothing is left. Many of them run the lines of what reads
 * them: see {@link Floors}.
 *
 * <p>{@code -Dfuzz.inputs=1000000} tries as many, {@code -Dfuzz.formats=multifd-host} of these
 * formats, {@code -Dfuzz.first=5000} other ones. {@code -Dfuzz.replay=multifd-host:79} tries one.
 */
@Timeout(300)
class FuzzTest {
    private static final String HEAP = "-Xmx256m";
    private static final int FEW = 50; // inputs of which nothing can be said
    private static final Pattern ROW =
            Pattern.compile(
                    "\\| ([\\w-]+) \\| (\\d+) \\| (\\d+) \\| (\\d+) \\| (\\d+) \\| (\\d+) .*");

    @TempDir Path folder;

    @Test
    @Tag("STR-13")
    @Tag("RAM-3")
    @Tag("MAP-8")
    @Tag("MFD-7")
    void some() throws Exception {
        run("1200", "stream-host,file-host,inspect-mapped,multifd-host,qmp,jars");
    }

    @Test
    @Tag("stress")
    @Timeout(4 * 3600)
    void many() throws Exception {
        run("1000000", "all");
    }

    private void run(String inputs, String formats) throws Exception {
        String replay = System.getProperty("fuzz.replay");
        if (replay != null) {
            String[] parts = replay.split(":");
            fuzz(null, "1", parts[1], parts[0]);
            return;
        }
        String count = System.getProperty("fuzz.inputs", inputs);
        String chosen = System.getProperty("fuzz.formats", formats);
        boolean measured = chosen.equals("all") && Long.parseLong(count) >= Floors.INPUTS;
        Coverage coverage = measured ? new Coverage(folder) : null;
        String said = fuzz(coverage, count, System.getProperty("fuzz.first", "0"), chosen);
        for (Matcher row = ROW.matcher(said); row.find(); ) {
            if (row.group(1).matches("(stream|file|mapped|multifd)-host|multifd-qemu|inspect-.*"))
                deep(row);
        }
        if (coverage == null) return;
        coverage.read();
        System.out.println(coverage.table(Floors.ALL));
        assertThat(coverage.missed(Floors.ALL)).isEmpty();
    }

    /** Inputs that all end in their first bytes would show nothing. */
    private static void deep(Matcher row) {
        long inputs = Long.parseLong(row.group(2));
        if (inputs < FEW) return;
        for (int group = 3; group <= 6; group++) {
            assertThat(Long.parseLong(row.group(group))).as(row.group()).isGreaterThan(inputs / 8);
        }
    }

    /** Coverage is null if none is measured. */
    private String fuzz(Coverage coverage, String inputs, String first, String formats)
            throws Exception {
        Path place = Files.createDirectory(folder.resolve("fuzz"));
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        if (coverage != null) command.add(coverage.argument());
        command.addAll(
                List.of(
                        "--enable-native-access=ALL-UNNAMED",
                        HEAP,
                        "-XX:+UseSerialGC",
                        "-Djava.io.tmpdir=" + place,
                        "-cp",
                        System.getProperty("java.class.path"),
                        FuzzProgram.class.getName(),
                        place.toString(),
                        inputs,
                        first,
                        formats));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        StringBuilder said = new StringBuilder();
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                System.out.println(line);
                said.append(line).append('\n');
            }
            assertThat(process.waitFor()).as("%s", said).isZero();
        } finally {
            process.destroyForcibly();
        }
        return said.toString();
    }
}
