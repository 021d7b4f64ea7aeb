package org.vmferry.it.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmferry.it.dist.Unpacked.Said;
import org.vmferry.it.support.Mounted;
import org.vmferry.it.support.Snapshots;
import org.vmferry.it.support.Tools;
import org.vmferry.it.thirdparty.ThirdParty;
import org.vmferry.testkit.tls.TestCertificates;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;

/** The archives of the command, unpacked and run by somebody who has nothing set. */
@Timeout(120)
class ArchivesTest {
    private static final String JDK = System.getProperty("java.home");
    private static final String VERSION = "./vmferry --version";
    private static final Map<Kind, Unpacked> UNPACKED = new EnumMap<>(Kind.class);

    @TempDir private static Path shared;

    /** What is unpacked. */
    enum Kind {
        /** The Java is the machine's. */
        JARS("", Map.of("JAVA_HOME", JDK)),
        /** It brings its own. */
        IMAGE("-" + platform(), Map.of());

        private final String suffix;
        private final Map<String, String> environment;

        Kind(String suffix, Map<String, String> environment) {
            this.suffix = suffix;
            this.environment = environment;
        }

        private Unpacked unpacked() throws Exception {
            Path archive = Unpacked.archive(suffix + ".tar.gz");
            Unpacked there = UNPACKED.get(this);
            if (there == null) {
                Path work = Files.createDirectory(shared.resolve(name()));
                UNPACKED.put(this, there = new Unpacked(archive, work));
                Snapshots.save(work.resolve("vm.snap"), "mapped-ram");
            }
            return there;
        }

        private Said run(String script) throws Exception {
            return unpacked().run(environment, script);
        }
    }

    private static String platform() {
        String machine = System.getProperty("os.arch").replace("amd64", "x64");
        return System.getProperty("os.name").toLowerCase() + "-" + machine;
    }

    @BeforeAll
    static void make() throws Exception {
        Path tls = TestCertificates.in(shared.resolve("tls")).folder();
        Tools.run("chmod", "-R", "go=", tls.toString());
    }

    @ParameterizedTest
    @EnumSource
    void namesMayHaveAnyLetters(Kind kind) throws Exception {
        Said said =
                kind.run(
                        """
                        set -e
                        ./vmferry --version
                        cp vm.snap "s$u"
                        ./vmferry inspect "s$u" >inspected
                        grep -q "ref.ram" inspected
                        ./vmferry convert "s$u" "c$u" --format stream -q
                        ./vmferry verify "c$u" >verified
                        grep -q "^c$u: sound" verified
                        """);
        assertThat(said).isEqualTo(new Said(0, "vmferry " + Unpacked.VERSION + "\n", ""));
    }

    @Test
    @Tag("stress")
    void aMachineGoesFromJarsThroughTlsPackedByZstd() throws Exception {
        goesThroughTlsPackedByZstd(Kind.JARS);
    }

    /** TLS, zstd's library: all that is found by name alone. */
    @Test
    void aMachineGoesFromTheImageThroughTlsPackedByZstd() throws Exception {
        goesThroughTlsPackedByZstd(Kind.IMAGE);
    }

    private static void goesThroughTlsPackedByZstd(Kind kind) throws Exception {
        Map<String, String> environment = new HashMap<>(kind.environment);
        environment.put("tls", shared.resolve("tls").toString());
        Said said =
                kind.unpacked()
                        .run(
                                environment,
                                """
                                options="-c multifd -p multifd-compression=zstd -p tls-creds=$tls"
                                rm -f socket arrived
                                ./vmferry receive unix:socket -o arrived $options 2>received &
                                receiver=$!
                                while ! [ -S socket ]; do
                                    kill -0 $receiver 2>/dev/null || { cat received >&2; exit 9; }
                                    sleep 0.05
                                done
                                ./vmferry send vm.snap unix:socket $options -p tls-hostname=%s -q &&
                                    wait $receiver && ./vmferry verify arrived -q
                                """
                                        .formatted(TestCertificates.HOST));
        assertThat(said.status()).as(said.toString()).isZero(); // on a busy machine it remarks
    }

    @ParameterizedTest
    @EnumSource
    void plugInsOfOthersAreFound(Kind kind) throws Exception {
        Path plugins = Files.createDirectories(shared.resolve("plugins-" + kind));
        ThirdParty.plugins(plugins);
        Map<String, String> environment = new HashMap<>(kind.environment);
        environment.put("VMFERRY_PLUGINS", plugins.toString());
        Said said = kind.unpacked().run(environment, "./vmferry plugins");
        assertThat(said.err()).isEmpty();
        assertThat(said.status()).isZero();
        assertThat(said.out().lines().map(line -> line.replaceAll(" {2,}", "|")))
                .contains("codec|rle|" + plugins.resolve("rle/rle.jar"))
                .anyMatch(line -> line.startsWith("codec|zstd|"))
                .anyMatch(line -> line.startsWith("page carrier|multifd|"))
                .anyMatch(line -> line.startsWith("file layout|mapped-ram|"));
    }

    @ParameterizedTest
    @EnumSource
    void itRunsWhereNothingCanBeWritten(Kind kind) throws Exception {
        Path home = kind.unpacked().home().toRealPath();
        try (Mounted locked = Mounted.readOnly(home)) {
            assertThat(kind.run("./vmferry verify vm.snap -q")).isEqualTo(new Said(0, "", ""));
        }
    }

    /** By processes that it starts itself. */
    @Test
    @Tag("stress")
    void theImageMovesARunningGuest() throws Exception {
        Said said = Kind.IMAGE.run("./vmferry demo --size 16M");
        assertThat(said.err()).doesNotContain("WARNING:"); // of the JVM's, such as native access
        assertThat(said.status()).as(said.toString()).isZero();
        assertThat(said.out()).contains("no gap, no repeat");
    }

    /** Not even zstd's library: it is there already. */
    @Test
    void theImageUnpacksNothing() throws Exception {
        Unpacked image = Kind.IMAGE.unpacked();
        Tools.require("zstd");
        try (Mounted nothing = Mounted.withoutPrograms(shared.resolve("tmp"))) {
            Said said =
                    image.run(
                            Map.of("JAVA_TOOL_OPTIONS", "-Djava.io.tmpdir=" + nothing.at()),
                            """
                            set -e
                            ./vmferry convert vm.snap packed.raw --format stream -q
                            zstd -q -f packed.raw -o packed.zst
                            ./vmferry verify packed.zst -q
                            """);
            assertThat(said.status()).as(said.toString()).isZero();
            assertThat(Files.list(nothing.at())).isEmpty();
        }
    }

    /** It starts as fast as it does because its classes are in memory as they were. */
    @Test
    void theImageHasItsClassesReady() throws Exception {
        Said said =
                Kind.IMAGE
                        .unpacked()
                        .run(
                                Map.of("JAVA_TOOL_OPTIONS", "-Xlog:class+load:file=classes.log"),
                                "./vmferry --version && cat classes.log");
        assertThat(said.status()).as(said.toString()).isZero();
        assertThat(said.out().lines().filter(line -> line.contains(" org.vmferry.cli.Main ")))
                .singleElement()
                .asString()
                .contains("shared objects file");
    }

    @Test
    void aJavaInThePathIsEnough() throws Exception {
        Said said = Kind.JARS.unpacked().run(Map.of("PATH", JDK + "/bin:/usr/bin:/bin"), VERSION);
        assertThat(said).isEqualTo(new Said(0, "vmferry " + Unpacked.VERSION + "\n", ""));
    }

    @Test
    void whereOnlyAnOldJavaIsASentenceSaysSo() throws Exception {
        Unpacked jars = Kind.JARS.unpacked();
        Path old = Files.createDirectories(shared.resolve("old/bin"));
        Files.writeString(old.resolve("java"), "#!/bin/sh\necho started\n");
        Tools.run("chmod", "+x", old.resolve("java").toString());
        Files.writeString(old.resolveSibling("release"), "JAVA_VERSION=\"17.0.1\"\n");
        String refused = Mounted.run("unshare", "--mount", "true");
        assumeTrue(refused == null, () -> "none can be hidden here: " + refused);
        Said said =
                jars.run(
                        Map.of("JAVA_HOME", old.getParent().toString()),
                        """
                        exec unshare --mount sh -c '
                            for all in /usr/lib/jvm /opt/java; do
                                if [ -d $all ]; then mount -t tmpfs none $all; fi
                            done
                            exec ./vmferry --version'
                        """);
        assertThat(said)
                .isEqualTo(
                        new Said(
                                1,
                                "",
                                "vmferry: no Java 25 or newer was found (%s is Java 17.0.1): install one, or set JAVA_HOME to it.\n"
                                        .formatted(old.getParent())));
    }
}
