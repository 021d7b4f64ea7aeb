package org.vmferry.it.live;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** In two JVMs that have just begun hardly anything is left to be loaded while the guest stands. */
class WarmthTest {
    private static final String BEGINS = FreshSide.class.getName() + "$Begins ";
    private static final String ENDS = FreshSide.class.getName() + "$Ends ";

    /** For closing what is no longer needed, such as multifd's channels; cold it is a hundred. */
    private static final int FEW = 20;

    private static final int OURS = 8;

    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"", "multifd multifd-compression=zstd"})
    @Timeout(120)
    void littleIsLoadedInThePause(String options) throws Exception {
        Process target = side("receive", "tcp:127.0.0.1:0", options);
        try (var address = target.inputReader(StandardCharsets.UTF_8)) {
            Process source = side("send", address.readLine(), options);
            assertThat(source.waitFor()).isZero();
            assertThat(target.waitFor()).isZero();
        } finally {
            target.destroyForcibly();
        }
        for (String role : List.of("send", "receive")) {
            assertThat(Files.readAllLines(folder.resolve(role)))
                    .as("nobody records")
                    .noneMatch(line -> line.startsWith("jdk.jfr.internal."));
            List<String> loaded = loadedMeanwhile(role);
            assertThat(loaded).as(role).hasSizeLessThanOrEqualTo(FEW);
            assertThat(loaded)
                    .as(role)
                    .noneMatch(name -> name.startsWith("com.github.luben."))
                    .filteredOn(name -> name.startsWith("org.vmferry."))
                    .hasSizeLessThanOrEqualTo(OURS);
        }
    }

    private Process side(String role, String uri, String options) throws Exception {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-XX:+UseSerialGC",
                                "-Xlog:class+load:file=" + folder.resolve(role) + ":none",
                                "-cp",
                                System.getProperty("java.class.path"),
                                FreshSide.class.getName(),
                                role,
                                uri));
        if (!options.isEmpty()) command.addAll(List.of(options.split(" ")));
        return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    private List<String> loadedMeanwhile(String role) throws Exception {
        List<String> lines = Files.readAllLines(folder.resolve(role));
        int from = -1;
        int to = -1;
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).startsWith(BEGINS)) from = i;
            if (lines.get(i).startsWith(ENDS)) to = i;
        }
        assertThat(from).isNotNegative();
        assertThat(to).isGreaterThan(from);
        return lines.subList(from + 1, to).stream().map(line -> line.split(" ")[0]).toList();
    }
}
