package org.vmferry.it.thirdparty;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Somebody else's host, linked by jlink into a runtime of its own with the engine and plug-ins as
 * named modules; it reads a plug-in folder too.
 */
class LinkedHostTest {
    @TempDir Path directory;

    @Test
    void aLinkedHostSavesRestoresAndUsesAPluginFolder() throws Exception {
        List<String> house =
                List.of("vmferry-spi", "vmferry-engine", "jackson", "slf4j-api", "jakarta.inject");
        List<String> plugins =
                List.of(
                        "vmferry-plugin-multifd",
                        "vmferry-plugin-mappedram",
                        "vmferry-plugin-compression-zstd",
                        "zstd-jni");
        Path host = ThirdParty.jar("host", house, directory.resolve("host"));
        Path runtime = directory.resolve("runtime");
        ThirdParty.run(
                "jlink",
                List.of(
                        "--module-path",
                        String.join(
                                ":",
                                ThirdParty.path(ThirdParty.jars(house)),
                                ThirdParty.path(ThirdParty.jars(plugins)),
                                host.toString()),
                        "--add-modules",
                        "example.host",
                        "--bind-services", // or it has no plug-ins
                        "--limit-modules", // or it has everything of the JDK that serves
                        "example.host,org.vmferry.multifd,org.vmferry.mappedram,org.vmferry.zstd",
                        "--output",
                        runtime.toString()));
        Path journal = directory.resolve("journal.txt");
        assertThat(ThirdParty.run(host(runtime, "-Dexample.journal=" + journal)).lines())
                .filteredOn(line -> !line.startsWith("SLF4J"))
                .containsExactly(
                        "the engine is a named module: true",
                        "restored from a snapshot: true",
                        "arrived with zstd: true",
                        "arrived with others' plug-ins: true");
        // In and out, side by side: what it is of is a name that all lines of one have.
        assertThat(Files.readAllLines(journal))
                .containsExactlyInAnyOrder(
                        "receive-1 begins: memory:host",
                        "send-2 begins: memory:host",
                        "send-2 done",
                        "receive-1 done");
        // As if it had been linked without them.
        assertThat(ThirdParty.run(host(runtime, "--limit-modules=example.host"), 1))
                .containsPattern(
                        "capability '(mapped-ram|multifd)' is not there: add"
                            + " org.vmferry:vmferry-plugin-(mappedram|multifd), to the image: jlink"
                            + " takes its module org.vmferry.(mappedram|multifd) if --add-modules"
                            + " names it, or with --bind-services");
    }

    private ProcessBuilder host(Path runtime, String option) throws Exception {
        return new ProcessBuilder(
                runtime.resolve("bin/java").toString(),
                "--enable-native-access=org.vmferry.engine,com.github.luben.zstd_jni",
                option,
                "-m",
                "example.host/example.host.Host",
                directory.resolve("host.snap").toString(),
                ThirdParty.plugins(directory.resolve("plugins")).toString());
    }
}
