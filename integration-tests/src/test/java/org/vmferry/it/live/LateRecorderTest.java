package org.vmferry.it.live;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.cli.jvm.ChildJvm;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** A flight recorder that is started in the middle of a process' first migration. */
class LateRecorderTest {
    @TempDir Path folder;

    @Test
    @Timeout(120)
    void hearsOfAllThatEndsFromThenOn() throws Exception {
        String file = folder.resolve("recording.jfr").toString();
        Process process =
                new ProcessBuilder(ChildJvm.command(List.of(), LateRecorder.class, file))
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        try (var said = process.inputReader(StandardCharsets.UTF_8)) {
            assertThat(said.lines())
                    .containsOnly(
                            "vmferry.Migration receive-1",
                            "vmferry.Migration send-2",
                            "vmferry.Channel receive-1",
                            "vmferry.Channel send-2",
                            "vmferry.Round send-2");
            assertThat(process.waitFor()).isZero();
        } finally {
            process.destroyForcibly();
        }
    }
}
