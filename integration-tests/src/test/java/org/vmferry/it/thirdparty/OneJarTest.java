package org.vmferry.it.thirdparty;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;

/** Everything of vmferry in one jar, made by a tool that keeps the first of files of one name. */
class OneJarTest {
    private static final List<String> HOUSE =
            List.of(
                    "org.vmferry.spi.option.Provider",
                    "org.vmferry.engine.Engine",
                    "org.vmferry.multifd.MultifdCarrier",
                    "org.vmferry.mappedram.MappedRamLayout",
                    "org.vmferry.zstd.ZstdCodec",
                    "org.vmferry.testkit.machine.ReferenceMachine",
                    "org.vmferry.cli.Main",
                    "org.slf4j.LoggerFactory",
                    "jakarta.inject.Inject",
                    "com.fasterxml.jackson.core.JsonFactory",
                    "picocli.CommandLine");

    @TempDir Path temp;

    @Test
    void itsPluginsAreFoundThoughListsOfServicesAreLost() throws Exception {
        assertThat(plugins("META-INF/services/org.vmferry.spi.compression.CompressionProvider"))
                .contains("the engine's class loader 'app'")
                .contains("CompressionProvider does not name org.vmferry.multifd.ZlibCodec, and ")
                .doesNotContain("PageCarrier");
    }

    @Test
    void itsPluginsAreFoundWithoutAnyListOfServices() throws Exception {
        assertThat(plugins("META-INF/services"))
                .contains("looked at the engine's class loader")
                .contains("carrier.PageCarrier does not name org.vmferry.multifd.MultifdCarrier");
    }

    /** Its command's words, all of whose plug-ins are there, and other people's perhaps not. */
    private String plugins(String lost) throws Exception {
        Path jar = temp.resolve("all.jar");
        Set<String> names = new HashSet<>();
        try (OutputStream out = Files.newOutputStream(jar);
                JarOutputStream entries = new JarOutputStream(out)) {
            for (Path place : new HashSet<>(HOUSE.stream().map(OneJarTest::place).toList())) {
                add(entries, place, names, lost);
            }
        }
        Path zstd = place("com.github.luben.zstd.Zstd"); // its native parts make it large
        String said =
                ThirdParty.run(
                        new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-cp",
                                ThirdParty.path(List.of(jar, zstd)),
                                "org.vmferry.cli.Main",
                                "plugins"),
                        3);
        List<String> found = new ArrayList<>();
        said.lines()
                .filter(line -> line.endsWith(jar.toString()))
                .forEach(line -> found.add(line.substring(14, 28).strip()));
        assertThat(found)
                .as(said)
                .containsExactlyInAnyOrder(
                        "exec", "file", "tcp", "unix", "mapped-ram", "multifd", "zlib", "zstd");
        assertThat(said)
                .doesNotContain("left out")
                .containsOnlyOnce(jar + ": its META-INF/services/org.vmferry.spi.")
                .contains(
                        "merge META-INF/services (maven-shade-plugin: ServicesResourceTransformer");
        return said;
    }

    private static Path place(String type) {
        try {
            return Path.of(
                    Class.forName(type)
                            .getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI());
        } catch (ReflectiveOperationException | java.net.URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    private static void add(JarOutputStream jar, Path place, Set<String> names, String lost)
            throws IOException {
        if (Files.isDirectory(place)) {
            copy(jar, place, names, lost);
            return;
        }
        try (FileSystem zip =
                FileSystems.newFileSystem(URI.create("jar:" + place.toUri()), Map.of())) {
            copy(jar, zip.getPath("/"), names, lost);
        }
    }

    private static void copy(JarOutputStream jar, Path root, Set<String> names, String lost)
            throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String name = root.relativize(file).toString();
                if (name.endsWith("module-info.class") || name.startsWith(lost)) continue;
                if (!names.add(name)) continue;
                jar.putNextEntry(new JarEntry(name));
                Files.copy(file, jar);
                jar.closeEntry();
            }
        }
    }
}
