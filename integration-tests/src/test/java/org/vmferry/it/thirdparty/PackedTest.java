package org.vmferry.it.thirdparty;

import static org.assertj.core.api.Assertions.assertThat;

import jdk.security.jarsigner.JarSigner;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.engine.Engine;

import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.zip.ZipFile;

/**
 * A host, its plug-ins and a codec of somebody else's in one jar, as the tools of other people's
 * builds make it; it runs from there, in two processes.
 */
class PackedTest {
    @TempDir static Path directory;

    @TempDir Path folder;

    /** All in one run of Maven's, as that takes longest. */
    @BeforeAll
    static void pack() throws Exception {
        Path source = ThirdParty.SOURCES.resolve("packed");
        for (String name : List.of("pom.xml", "src/main/java/example/packed/PackedHost.java")) {
            Path copy = directory.resolve(name);
            Files.createDirectories(copy.getParent());
            Files.copy(source.resolve(name), copy);
        }
        Path repository = MavenRepository.withoutVmferry(directory.resolve("repository"));
        Path rle = Files.createDirectories(repository.resolve("example/rle/1"));
        Files.move(ThirdParty.plugin("rle", rle), rle.resolve("rle-1.jar"));
        Files.writeString(
                rle.resolve("rle-1.pom"),
                """
                <project>
                  <modelVersion>4.0.0</modelVersion>
                  <groupId>example</groupId>
                  <artifactId>rle</artifactId>
                  <version>1</version>
                </project>
                """);
        ProcessBuilder maven =
                new ProcessBuilder(
                                Path.of(System.getProperty("vmferry.maven"), "bin/mvn").toString(),
                                "-B",
                                "-ntp",
                                "-Dstyle.color=never",
                                "-Dmaven.repo.local=" + repository,
                                "-Dvmferry.repository=file:"
                                        + System.getProperty("vmferry.staging"),
                                "-Dmaven.test.skip", // there are none
                                "package")
                        .directory(directory.toFile());
        maven.environment().put("JAVA_HOME", System.getProperty("java.home"));
        maven.environment().put("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC");
        assertThat(ThirdParty.run(maven)).contains("BUILD SUCCESS");
        MavenRepository.keep(repository);
    }

    private static Path packed(String how) {
        return directory.resolve("target/packed-1-%s.jar".formatted(how));
    }

    private ProcessBuilder host(List<String> where, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
        command.addAll(where);
        command.add(folder.toString());
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command);
    }

    private ProcessBuilder host(Path jar, String... arguments) {
        return host(List.of("-jar", jar.toString()), arguments);
    }

    private static void holds(String said) {
        assertThat(said)
                .containsPattern("vmferry [0-9]+\\.[0-9]") // not the host's, which is 1
                .contains("vmferry " + Engine.version() + "\n")
                .contains("restored whole and RUNNING")
                .contains("arrived whole and RUNNING")
                .doesNotContain("engine.Engine - "); // what was left out
    }

    /** With a notifier in a folder of plug-ins besides. */
    @ParameterizedTest
    @CsvSource({"merged", "minimized", "nested"})
    void itRunsFromThere(String how) throws Exception {
        Path plugins = folder.resolve("plugins");
        ThirdParty.plugin("journal", plugins.resolve("journal"));
        Path journal = folder.resolve("journal.txt");
        List<String> where =
                List.of("-Dexample.journal=" + journal, "-jar", packed(how).toString());
        String said = ThirdParty.run(host(where, "zstd,rle", plugins.toString()));
        holds(said);
        assertThat(said.lines().filter("arrived whole and RUNNING"::equals)).hasSize(2);
        assertThat(Files.readAllLines(journal))
                .filteredOn(line -> line.contains(" done"))
                .hasSize(6); // saved, restored, left and arrived twice
    }

    /** Folders have plug-ins that were built for another spi than what its own has become. */
    @Test
    void itRunsRelocatedButForFoldersOfPlugins() throws Exception {
        Path plugins = folder.resolve("plugins");
        ThirdParty.plugin("journal", plugins.resolve("journal"));
        String said = ThirdParty.run(host(packed("relocated"), "zstd,rle", plugins.toString()));
        holds(said);
        assertThat(said.lines().filter("arrived whole and RUNNING"::equals)).hasSize(2);
        assertThat(said)
                .contains("what its META-INF/services/org.vmferry.spi.notifier.MigrationNotifier")
                .contains("names is left out: that is no kind of plug-in")
                .contains("the kinds are packed.org.vmferry.spi.");
    }

    @Test
    void forgottenListsAreToldAtOnce() throws Exception {
        Path jar = packed("unmerged");
        assertThat(codecs(jar)).hasSize(1); // of three
        assertThat(ThirdParty.run(host(jar, "zstd,rle"), 1))
                .contains("WARN org.vmferry.engine.Engine - " + jar + ": its META-INF/services/")
                .contains("CompressionProvider does not name org.vmferry.zstd.ZstdCodec")
                .contains("maven-shade-plugin: ServicesResourceTransformer")
                .contains("arrived whole and RUNNING") // vmferry's own is there all the same
                .containsPattern(
                        "multifd-compression=rle: takes none, zlib, zstd; if it is in"
                                + " .*unmerged.jar, that jar has lost the list that names it: merge"
                                + " META-INF/services .*ServicesResourceTransformer");
    }

    /** What docs/embedding.md shows of its pom. */
    @Test
    void theGuideShowsItsPom() throws Exception {
        String guide = Files.readString(ThirdParty.ROOT.resolve("docs/embedding.md"));
        String pom = Files.readString(directory.resolve("pom.xml")).replaceAll("(?m)^ +", "");
        List<String> blocks =
                Pattern.compile("```xml packed/pom.xml\n(.*?)```", Pattern.DOTALL)
                        .matcher(guide)
                        .results()
                        .map(block -> block.group(1).replaceAll("(?m)^ +", ""))
                        .toList();
        assertThat(blocks).isNotEmpty().allSatisfy(block -> assertThat(pom).contains(block));
    }

    /** The list in it. */
    private static List<String> codecs(Path jar) throws IOException {
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            String name = "META-INF/services/org.vmferry.spi.compression.CompressionProvider";
            String list = new String(zip.getInputStream(zip.getEntry(name)).readAllBytes());
            return list.lines().toList();
        }
    }

    /** Its native part finds its classes by name. */
    @Test
    void aRelocatedZstdIsToldFromOneThatCanNotBeUnpacked() throws Exception {
        assertThat(ThirdParty.run(host(packed("relocated-zstd"), "rle,zstd"), 1))
                .contains("restored whole and RUNNING")
                .contains("arrived whole and RUNNING") // with the other
                .contains("zstd-jni must not be relocated");
    }

    /** What stands twice in a class path counts once. */
    @Test
    @Tag("stress")
    void thePluginsMayStandBesideItToo() throws Exception {
        List<Path> path = new ArrayList<>(List.of(packed("merged")));
        path.addAll(ThirdParty.jars(List.of("vmferry-plugin-multifd", "vmferry-plugin-comp")));
        List<String> where = new ArrayList<>(List.of("--enable-native-access=ALL-UNNAMED", "-cp"));
        where.addAll(List.of(ThirdParty.path(path), "example.packed.PackedHost"));
        holds(ThirdParty.run(host(where, "zstd")));
    }

    @Test
    @Tag("stress")
    void oneInsideAndInAFolderIsTold() throws Exception {
        Path twin = ThirdParty.plugin("rle", folder.resolve("plugins/rle"));
        String plugins = folder.resolve("plugins").toString();
        assertThat(ThirdParty.run(host(packed("nested"), "rle", plugins), 1))
                .contains("codec 'rle' is there, but can't be used")
                .containsPattern("so is called codec 'rle', example.rle.RleCodec of .*nested.jar")
                .contains(twin.toString());
    }

    /** As a host may be that publishes it: sealed, signed, with a descriptor that got into it. */
    @Test
    @Tag("stress")
    void itMayBeSealedAndSigned() throws Exception {
        Path sealed = Files.copy(packed("merged"), folder.resolve("sealed.jar"));
        try (FileSystem jar =
                        FileSystems.newFileSystem(URI.create("jar:" + sealed.toUri()), Map.of());
                FileSystem engine =
                        FileSystems.newFileSystem(
                                ThirdParty.jars(List.of("vmferry-engine")).getFirst())) {
            Path manifest = jar.getPath("META-INF/MANIFEST.MF");
            Files.writeString(manifest, Files.readString(manifest).strip() + "\nSealed: true\n\n");
            Files.copy(engine.getPath("module-info.class"), jar.getPath("module-info.class"));
        }
        Path store = folder.resolve("keys.p12");
        char[] word = "changeit".toCharArray();
        ThirdParty.run(
                new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin/keytool").toString(),
                        "-genkeypair",
                        "-alias",
                        "host",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=host",
                        "-keystore",
                        store.toString(),
                        "-storepass",
                        new String(word)));
        var keys =
                (KeyStore.PrivateKeyEntry)
                        KeyStore.getInstance(store.toFile(), word)
                                .getEntry("host", new KeyStore.PasswordProtection(word));
        Path signed = folder.resolve("signed.jar");
        try (ZipFile in = new ZipFile(sealed.toFile());
                OutputStream out = Files.newOutputStream(signed)) {
            new JarSigner.Builder(keys).build().sign(in, out);
        }
        holds(ThirdParty.run(host(List.of("-jar", signed.toString()), "zstd,rle")));
    }
}
