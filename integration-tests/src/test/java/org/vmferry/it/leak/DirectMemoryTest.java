package org.vmferry.it.leak;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.testkit.tls.TestCertificates;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Memory outside the heap is given back when a migration ends, not when garbage is collected. */
class DirectMemoryTest {
    @TempDir static Path directory;

    /** See {@link Direct}. */
    private static final class Child implements AutoCloseable {
        private final Process process;
        private final BufferedReader in;
        private final Writer out;

        Child() throws IOException {
            process =
                    new ProcessBuilder(
                                    Path.of(System.getProperty("java.home"), "bin", "java")
                                            .toString(),
                                    "--enable-native-access=ALL-UNNAMED",
                                    "-XX:+UseSerialGC",
                                    "-Xmx512m",
                                    "-Xmn400m", // so that garbage is seldom collected
                                    "-XX:+DisableExplicitGC",
                                    "-XX:NativeMemoryTracking=summary",
                                    "-XX:MaxDirectMemorySize=16m",
                                    "-cp",
                                    System.getProperty("java.class.path"),
                                    Direct.class.getName(),
                                    TestCertificates.in(directory.resolve("certificates"))
                                            .folder()
                                            .toString())
                            .redirectError(ProcessBuilder.Redirect.INHERIT)
                            .start();
            in = process.inputReader(StandardCharsets.UTF_8);
            out = process.outputWriter(StandardCharsets.UTF_8);
        }

        /** Has it migrate: the outcome, and bytes that it has outside its heap. */
        String[] migrate(int channels, String codec, String ends) throws IOException {
            out.write("%d %s %s%n".formatted(channels, codec, ends));
            out.flush();
            return in.readLine().split(" ");
        }

        @Override
        public void close() {
            process.destroyForcibly();
        }
    }

    @Test
    void isGivenBackHoweverAMigrationEnds() throws Exception {
        endings(4);
    }

    @Test
    @Tag("stress")
    void isGivenBackOfEachCodecAndEnd() throws Exception {
        endings(60);
    }

    private void endings(int count) throws Exception {
        try (Child child = new Child()) {
            // Both ends of 32 channels with TLS are in this process.
            String[] said = child.migrate(32, "none", "whole");
            assertThat(said[0]).isEqualTo("completed/completed");
            String before = said[1];
            String[] codecs = {"zstd", "zlib", "none"};
            String[] ends = {"whole", "cancelled", "yanked", "deaf"};
            for (int i = 0; i < count; i++) {
                String end = ends[i % ends.length];
                said = child.migrate(i % 5 == 1 ? 0 : 8, codecs[i % 3], end);
                if (end.equals("whole")) assertThat(said[0]).isEqualTo("completed/completed");
                else if (end.equals("deaf"))
                    assertThat(said[0]).matches("failed:.*silence-timeout.*/failed:.*");
                else assertThat(said[0]).matches("failed:.*/(failed|cancelled):USER:.*");
                assertThat(said[1]).as("bytes after %d: %s", i, said[0]).isEqualTo(before);
            }
        }
    }
}
