package org.vmferry.it.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.it.support.Tools;
import org.vmferry.spi.Printable;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Whatever others call themselves, neither a line of the engine's log nor the message of anything
 * that it throws, down the causes, drives a terminal or looks like a line of somebody else's.
 */
class HostileNamesTest {
    private static final long SECONDS = 240;

    @TempDir Path folder;

    @Test
    void noNameDrivesAHostsTerminal() throws Exception {
        Tools.require("openssl");
        String text = said(folder, HostileNames.class, "tls");
        List<String> lines = List.of(text.split("\n"));
        assertThat(lines.getLast()).isEqualTo("all was tried");
        assertThat(lines)
                .filteredOn(line -> !Printable.lines(line).equals(line) || line.startsWith("EVIL"))
                .as("lines that drive a terminal, or are a name's own")
                .isEmpty();
        // It was about such names: they stand there, cleaned.
        assertThat(lines).filteredOn(line -> line.contains("EVIL")).hasSizeGreaterThan(300);
    }

    /** What such a host says, until it ends. */
    static String said(Path folder, Class<?> main, String argument) throws Exception {
        Path said = folder.resolve("said");
        Process host =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-XX:+UseSerialGC",
                                "-XX:TieredStopAtLevel=1",
                                "-Dstderr.encoding=UTF-8",
                                "-Dsun.jnu.encoding=UTF-8",
                                "-cp",
                                System.getProperty("java.class.path"),
                                main.getName(),
                                Files.createDirectory(folder.resolve("of-the-host")).toString(),
                                argument)
                        .redirectErrorStream(true)
                        .redirectOutput(said.toFile())
                        .start();
        try {
            assertThat(host.waitFor(SECONDS, TimeUnit.SECONDS)).as("it ends").isTrue();
        } finally {
            host.destroyForcibly().waitFor();
        }
        return Files.readString(said);
    }
}
