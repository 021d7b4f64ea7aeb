package org.vmferry.engine.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.system.Inode;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Provider;
import org.vmferry.spi.transport.ChannelTransport;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** A folder of plug-ins: what each sees, what is told of the rest, who closes. */
class PluginFolderTest {
    @TempDir Path folder;

    @Test
    void seesTheSharedThreeAndNothingElseOfTheHosts() throws Exception {
        // The host has all of these: JUnit's service file proves that it is not seen.
        assertThat(Provider.class.getClassLoader().getResource(ENGINES)).isNotNull();
        new JarMaker()
                .transport(
                        "a.Probe",
                        "\"probe\"",
                        """
                        public String toString() {
                            StringBuilder text = new StringBuilder();
                            for (String name : new String[] {
                                "org.vmferry.engine.discovery.Plugins",
                                "org.vmferry.engine.discovery.JarMaker",
                                "org.assertj.core.api.Assertions",
                                "com.fasterxml.jackson.core.JsonFactory",
                                "org.vmferry.spi.option.Provider",
                                "org.slf4j.LoggerFactory",
                                "jakarta.inject.Inject",
                                "java.sql.Driver"}) {
                                try {
                                    Class.forName(name);
                                    text.append("1");
                                } catch (ClassNotFoundException e) {
                                    text.append("0");
                                }
                            }
                            return text + " " + getClass().getClassLoader().getResource("%s");
                        }
                        """
                                .formatted(ENGINES))
                .jar(folder.resolve("a/a.jar"));
        try (Plugins plugins = Plugins.fromDirectory(folder)) {
            assertThat(plugins.transport("probe")).hasToString("00001111 null");
            assertThat(plugins.all()).hasSize(1); // not what the host's own services name
        }
    }

    private static final String ENGINES = "META-INF/services/org.junit.platform.engine.TestEngine";

    @Test
    void twoPluginsBringTwoVersionsOfOneLibrary() throws Exception {
        for (String version : List.of("1", "2")) {
            Path lib =
                    new JarMaker()
                            .source(
                                    "lib.Version",
                                    "package lib; public class Version { public static String of()"
                                            + " { return \"v"
                                            + version
                                            + "\"; } }")
                            .jar(folder.resolve("p" + version + "/lib/lib-" + version + ".jar"));
            new JarMaker()
                    .needs(lib)
                    .transport("p.Same", "lib.Version.of()")
                    .jar(folder.resolve("p" + version + "/plugin.jar"));
        }
        try (Plugins plugins = Plugins.fromDirectory(folder)) {
            assertThat(plugins.rejected()).isEmpty();
            assertThat(plugins.transport("v1").getClass().getName()).isEqualTo("p.Same");
            assertThat(plugins.transport("v2").getClass().getName()).isEqualTo("p.Same");
        }
    }

    /** The interface that was implemented is not always the one that is looked for. */
    @Test
    void aListOfServicesThatNobodyAsksForIsTold() throws Exception {
        Path jar =
                new JarMaker()
                        .transport("a.Good", "\"good\"")
                        .service(ChannelTransport.class, "a.Good")
                        .jar(folder.resolve("a/a.jar"));
        try (Plugins plugins = Plugins.fromDirectory(folder)) {
            assertThat(plugins.all()).extracting(Plugin::id).containsExactly("good");
            assertThat(plugins.rejected())
                    .extracting(RejectedPlugin::sentence)
                    .singleElement()
                    .asString()
                    .startsWith(jar + ": ")
                    .contains(
                            "META-INF/services/org.vmferry.spi.transport.ChannelTransport",
                            "org.vmferry.spi.transport.TransportProvider");
        }
    }

    @Test
    void whatIsNoPluginIsTold() throws Exception {
        new JarMaker().transport("a.Good", "\"good\"").jar(folder.resolve("a/a.jar"));
        Path loose = new JarMaker().transport("b.Loose", "\"loose\"").jar(folder.resolve("b.jar"));
        Path text = Files.createDirectories(folder.resolve("c")).resolve("not-a.jar");
        Files.writeString(text, "hello");
        Path empty = Files.createDirectory(folder.resolve("d"));
        Path library =
                new JarMaker()
                        .source("l.Lib", "package l; public class Lib {}")
                        .jar(folder.resolve("e/lib.jar"));
        Files.writeString(folder.resolve("README.md"), "not looked at");
        Files.createDirectory(folder.resolve(".hidden"));
        try (Plugins plugins = Plugins.fromDirectory(folder)) {
            assertThat(plugins.all()).extracting(Plugin::id).containsExactly("good");
            assertThat(plugins.rejected())
                    .extracting(RejectedPlugin::location)
                    .containsExactly(
                            loose.toString(),
                            text.toString(),
                            empty.toString(),
                            library.getParent().toString());
            assertThat(plugins.rejected())
                    .extracting(RejectedPlugin::sentence)
                    .satisfiesExactly(
                            s -> assertThat(s).contains("sub-folder of its own"),
                            s -> assertThat(s).contains("no readable jar"),
                            s -> assertThat(s).contains("has no jar in it"),
                            s -> assertThat(s).contains("names a provider"));
        }
    }

    /** Whoever can write there has his code run as us. */
    @ParameterizedTest
    @CsvSource({
        ".,0757,can be written to by everybody",
        "..,0777,can be written to by everybody",
        "..,0775,can be written to by the group nogroup",
        "..,0755 65534,belongs to the user 65534",
        "..,1777 65534,belongs to the user 65534",
        ".,0775,can be written to by the group nogroup",
        ".,0755 65534,belongs to the user 65534",
        "a,0777,can be written to by everybody",
        "a/lib,0777,can be written to by everybody",
        "a/a.jar,0666,can be written to by everybody",
        "a/a.jar,0644 65534,belongs to the user 65534",
        "a/link.jar,0644 65534,belongs to the user 65534",
    })
    void whatOthersCanWriteToIsNotRun(String place, String right, String why) throws Exception {
        assumeTrue(Inode.me().orElse(-1) == 0, "only root can give a file away");
        Path plugins = Files.createDirectories(folder.resolve("plugins"));
        new JarMaker().transport("a.A", "\"a\"").jar(plugins.resolve("a/a.jar"));
        new JarMaker().transport("b.B", "\"b\"").jar(plugins.resolve("b/b.jar"));
        Files.createDirectory(plugins.resolve("a/lib"));
        Files.createSymbolicLink(plugins.resolve("a/link.jar"), Path.of("a.jar"));
        assertThat(found(Plugins.fromDirectory(plugins))).containsExactly("a", "b");

        Path changed = plugins.resolve(place);
        String[] mode = right.split(" ");
        if (mode.length > 1) {
            int nobody = Integer.parseInt(mode[1]);
            if (mode[0].startsWith("1")) Files.setAttribute(changed, "unix:mode", 01777);
            Files.setAttribute(changed, "unix:uid", nobody, LinkOption.NOFOLLOW_LINKS);
        } else {
            Files.setAttribute(changed, "unix:gid", 65534);
            Files.setAttribute(changed, "unix:mode", Integer.parseInt(mode[0], 8));
        }
        try {
            if (place.startsWith(".")) {
                assertThatThrownBy(() -> Plugins.fromDirectory(plugins))
                        .hasMessageContaining("'" + plugins + "' is not used: it ")
                        .hasMessageContaining(why)
                        .hasMessageContaining("--plugins-of-anyone");
            } else {
                Plugins some = Plugins.fromDirectory(plugins);
                assertThat(some.rejected())
                        .extracting(RejectedPlugin::sentence)
                        .singleElement()
                        .asString()
                        .contains("'" + changed + "' is not used: it " + why);
                assertThat(found(some)).containsExactly("b");
            }
            assertThat(found(Plugins.fromAnyonesDirectory(plugins))).containsExactly("a", "b");
        } finally {
            Files.setAttribute(folder, "unix:mode", 0700);
        }
    }

    /** As a umask of 002 leaves it, where each user has a group of his own. */
    @Test
    void aGroupOfItsOwnersNameMayWrite() throws Exception {
        var names = Files.readAttributes(folder, PosixFileAttributes.class);
        assumeTrue(names.group().getName().equals(names.owner().getName()));
        new JarMaker().transport("a.A", "\"a\"").jar(folder.resolve("a/a.jar"));
        Files.setAttribute(folder, "unix:mode", 0775);
        assertThat(found(Plugins.fromDirectory(folder))).containsExactly("a");
    }

    /** It is there that another one can be put in its place. */
    @Test
    void whereALinkLeadsCounts() throws Exception {
        Path open = Files.createDirectory(folder.resolve("open"));
        Path real = Files.createDirectories(open.resolve("between/real"));
        new JarMaker().transport("a.A", "\"a\"").jar(real.resolve("a/a.jar"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), real);
        assertThat(found(Plugins.fromDirectory(link))).containsExactly("a");
        Files.setAttribute(open, "unix:mode", 0777);
        assertThatThrownBy(() -> Plugins.fromDirectory(link))
                .hasMessageContaining("'" + link + "' is not used: it lies in '")
                .hasMessageContaining("/open', which can be written to by everybody");
    }

    /** Who writes where a link stands, or owns it, chooses where it leads. */
    @ParameterizedTest
    @CsvSource({
        "/way,0777,'lies in ''%s/way'', which can be written to by everybody'",
        "/way,0775,'lies in ''%s/way'', which can be written to by the group nogroup'",
        "/way,0755 65534,'lies in ''%s/way'', which belongs to the user 65534'",
        "/way/link,0777 65534,'lies behind the link ''%s/way/link'', which belongs to the user"
                + " 65534'",
        "/far,0777,'lies in ''%s/far'', which can be written to by everybody'",
        "/other/jars,0777,'lies in ''%s/other/jars'', which can be written to by everybody'",
    })
    void theWayThroughLinksCounts(String place, String right, String why) throws Exception {
        assumeTrue(Inode.me().orElse(-1) == 0, "only root can give a file away");
        Path top = folder.toRealPath();
        Files.createDirectories(top.resolve("way"));
        Path real = Files.createDirectories(top.resolve("far/near/plugins"));
        Files.createSymbolicLink(top.resolve("way/link"), Path.of("../far/./near"));
        new JarMaker().transport("a.A", "\"a\"").jar(top.resolve("other/jars/a.jar"));
        Files.createDirectory(real.resolve("a"));
        Files.createSymbolicLink(real.resolve("a/a.jar"), top.resolve("other/jars/a.jar"));
        Path named = top.resolve("way/link/plugins");
        assertThat(found(Plugins.fromDirectory(named))).containsExactly("a");

        Path changed = Path.of(top + place);
        String[] mode = right.split(" ");
        if (mode.length > 1) {
            Files.setAttribute(changed, "unix:uid", 65534, LinkOption.NOFOLLOW_LINKS);
        } else {
            Files.setAttribute(changed, "unix:gid", 65534);
            Files.setAttribute(changed, "unix:mode", Integer.parseInt(right, 8));
        }
        String said;
        try (Plugins left = Plugins.fromDirectory(named)) {
            assertThat(left.all()).isEmpty();
            said = left.rejected().getFirst().sentence();
        } catch (MigrationException e) {
            said = e.getMessage();
        }
        assertThat(said).contains("is not used: it " + why.formatted(top));
        assertThat(found(Plugins.fromAnyonesDirectory(named))).containsExactly("a");
    }

    /** As in /tmp: nobody but its owner may rename what is ours there. */
    @Test
    void aFolderWhereEachKeepsHisOwnMayBeAround() throws Exception {
        Path plugins = Files.createDirectory(folder.resolve("plugins"));
        new JarMaker().transport("a.A", "\"a\"").jar(plugins.resolve("a/a.jar"));
        Files.setAttribute(folder, "unix:mode", 01777);
        assertThat(found(Plugins.fromDirectory(plugins))).containsExactly("a");
    }

    private static List<String> found(Plugins plugins) throws IOException {
        try (plugins) {
            return plugins.all().stream().map(Plugin::id).toList();
        }
    }

    /** 64 MiB of them pack into 64 KiB; of 1 GiB the JDK made a list for over a minute. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "META-INF/services/org.vmferry.spi.transport.TransportProvider",
                "meta-inf/services/org.vmferry.spi.transport.TransportProvider",
                "META-INF/MANIFEST.MF",
                "META-INF/A.SF"
            })
    void aJarThatUnpacksToAThousandTimesIsLeftOut(String name) throws Exception {
        new JarMaker().transport("a.A", "\"a\"").jar(folder.resolve("a/a.jar"));
        Path bomb = Files.createDirectory(folder.resolve("b")).resolve("bomb.jar");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(bomb))) {
            zip.putNextEntry(new ZipEntry(name));
            byte[] lines = "# \n\n".repeat(1 << 18).getBytes(StandardCharsets.US_ASCII);
            for (int i = 0; i < 64; i++) zip.write(lines);
        }
        assertThat(Files.size(bomb)).isLessThan(1 << 20);
        try (Plugins plugins = Plugins.fromDirectory(folder)) {
            assertThat(plugins.all()).extracting(Plugin::id).containsExactly("a");
            assertThat(plugins.rejected().getFirst().sentence())
                    .contains(bomb + " is left out", name + " has more than 1048576 bytes");
        }
    }

    @Test
    void aClassNameOfSomeKibIsSaidInPart() throws Exception {
        String list = "META-INF/services/org.vmferry.spi.transport.TransportProvider";
        String name = "x." + "Y".repeat(70_000);
        Path jar = Files.createDirectory(folder.resolve("a")).resolve("a.jar");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
            zip.putNextEntry(new ZipEntry(list));
            zip.write(name.getBytes(StandardCharsets.US_ASCII));
        }
        try (Plugins plugins = Plugins.fromDirectory(folder)) {
            String sentence = plugins.rejected().getFirst().sentence();
            assertThat(sentence.length()).isLessThan(2100);
            assertThat(sentence)
                    .startsWith("transport x.YYY")
                    .contains("YYY of " + jar + " is left out: ", "[...]")
                    .endsWith("YYY not found");
        }
    }

    @Test
    void aListOfThousandsOfNamesIsLeftOut() throws Exception {
        String list = "META-INF/services/org.vmferry.spi.transport.TransportProvider";
        StringBuilder names = new StringBuilder();
        for (int i = 0; i < 1001; i++) names.append("x.Y").append(i).append('\n');
        Path jar = Files.createDirectory(folder.resolve("a")).resolve("a.jar");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
            zip.putNextEntry(new ZipEntry(list));
            zip.write(names.toString().getBytes(StandardCharsets.US_ASCII));
        }
        try (Plugins plugins = Plugins.fromDirectory(folder)) {
            assertThat(plugins.rejected()).hasSize(1);
            assertThat(plugins.rejected().getFirst().sentence())
                    .contains(jar + " is left out", list + " has more than 1000 lines");
        }
    }

    @Test
    void aFoldersNameDrivesNoTerminal() throws Exception {
        Files.createDirectory(folder.resolve("a\u001b[2J\u202eb"));
        try (Plugins plugins = Plugins.fromDirectory(folder)) {
            assertThat(plugins.rejected().getFirst().sentence())
                    .contains("/a?[2J?b has no jar in it");
        }
        try (Plugins plugins = Plugins.fromDirectory(folder.resolve("a\u001b[2J\u202eb"))) {
            assertThat(plugins.places()).noneMatch(place -> place.contains("\u001b"));
            assertThat(plugins.places()).anyMatch(place -> place.contains("/a?[2J?b"));
        }
    }

    @Test
    void aFolderThatIsNotThereIsTheUsersFault() {
        assertThatThrownBy(() -> Plugins.fromDirectory(folder.resolve("gone")))
                .isInstanceOfSatisfying(
                        MigrationException.class, e -> assertThat(e.blame()).isEqualTo(Blame.USER))
                .hasMessageContaining("gone");
    }

    @Test
    void closingFreesTheJars() throws Exception {
        Path jar = new JarMaker().transport("a.A", "\"a\"").jar(folder.resolve("a/open.jar"));
        Plugins plugins = Plugins.fromDirectory(folder);
        Plugins combined = Plugins.of(List.of()).plus(plugins);
        combined.transport("a");
        assertThat(openFiles(jar)).isPositive();
        combined.close();
        assertThat(openFiles(jar)).isZero();
        plugins.close();
    }

    private static long openFiles(Path jar) throws Exception {
        try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
            return files.filter(
                            file -> {
                                try {
                                    return Files.readSymbolicLink(file).equals(jar.toRealPath());
                                } catch (java.io.IOException e) {
                                    return false; // closed meanwhile
                                }
                            })
                    .count();
        }
    }
}
