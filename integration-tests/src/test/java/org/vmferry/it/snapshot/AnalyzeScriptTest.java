package org.vmferry.it.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.json.Json;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Commands;
import org.vmferry.it.support.Snapshots;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * QEMU's own analyze-migration.py reads what we write. Debian ships it in a source package alone:
 * .ci/install-analyze fetches it.
 */
@Tag("stress")
@Tag("STR-14")
class AnalyzeScriptTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Path SCRIPT =
            Path.of(
                    System.getenv()
                            .getOrDefault(
                                    "VMFERRY_ANALYZE",
                                    "/opt/vmferry-qemu-scripts/analyze-migration.py"));

    @TempDir Path folder;

    @BeforeEach
    void needsTheScript() {
        assertThat(SCRIPT).as(".ci/install-analyze fetches it").isRegularFile();
    }

    private Map<?, ?> analyzed(Path stream) throws Exception {
        Path said = folder.resolve("said");
        Process python =
                new ProcessBuilder("python3", SCRIPT.toString(), "-f", stream.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(said.toFile())
                        .start();
        assertThat(python.waitFor()).as("%s", Files.readString(said)).isZero();
        return (Map<?, ?>) Json.parse(Files.readAllBytes(said));
    }

    private static Map<?, ?> device(Map<?, ?> analyzed, String name) {
        return (Map<?, ?>)
                analyzed.entrySet().stream()
                        .filter(e -> ((String) e.getKey()).startsWith(name + " ("))
                        .findFirst()
                        .orElseThrow()
                        .getValue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "validate-uuid", "x-ignore-shared", "validate-uuid x-ignore-shared"})
    void aHostOfOurs(String capabilities) throws Exception {
        Path file = folder.resolve("host.save");
        Snapshots.save(file, capabilities.isEmpty() ? new String[0] : capabilities.split(" "));
        Map<?, ?> state = analyzed(file);
        assertThat(state).hasSize(5);
        assertThat(device(state, "globalstate").get("runstate").toString())
                .startsWith("70 72 65 6c 61 75 6e 63 68 00");
        assertThat(device(state, "ref-cpu").get("length")).isEqualTo("0x00000108");
    }

    @Test
    @RequiresQemu
    void whatConvertMakesOfMappedRam() throws Exception {
        Path file = folder.resolve("qemu.save");
        Path direct = folder.resolve("direct.save");
        save(direct);
        save(file, "mapped-ram");
        Path converted = folder.resolve("converted");
        Commands command = new Commands();
        assertThat(command.run("convert", file, converted, "--format", "stream"))
                .as(command.err())
                .isZero();
        Map<?, ?> state = analyzed(converted);
        assertThat(device(state, "cpu")).isEqualTo(device(analyzed(direct), "cpu"));
        assertThat(state).hasSizeGreaterThan(20);
    }

    private static void save(Path file, String... capabilities) throws IOException {
        try (Qemu source = Qemu.builder().memory(8).paused().start()) {
            source.setCapabilities(capabilities);
            source.migrate("file:" + file);
            source.awaitMigration(SOON);
        }
    }
}
