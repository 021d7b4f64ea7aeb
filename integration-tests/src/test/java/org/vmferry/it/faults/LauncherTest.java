package org.vmferry.it.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import static java.nio.file.StandardOpenOption.WRITE;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmferry.engine.Engine;
import org.vmferry.it.support.Installed;
import org.vmferry.it.support.Mounted;
import org.vmferry.it.support.Tools;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The launcher: which JDK it takes, and that what makes it faster is never in its way. */
@Timeout(120)
class LauncherTest {
    private static final String JDK = System.getProperty("java.home");
    private static final String CACHE = ".cache-" + System.getProperty("java.runtime.version");
    private static final String VERSION = "vmferry " + Engine.version() + "\n";

    /** A script's last line: this JVM. */
    private static final String RUNS = "exec '" + JDK + "/bin/java' \"$@\"";

    @TempDir private static Path shared;
    private static Path install;
    private static Path lib;

    /** As two first uses at once left it: a cache is for one place. */
    private static Path kept;

    private static List<Said> firstUses;

    @TempDir Path directory;

    /** How it ended. */
    private record Said(int status, String out, String err) {
        static final Said WELL = new Said(0, VERSION, "");
    }

    @BeforeAll
    static void twoFirstUsesAtOnce() throws Exception {
        install = shared.resolve("install");
        kept = shared.resolve("kept");
        lib = Installed.in(install);
        Path dead = Files.createDirectory(lib.resolve(".new-1")); // one that was cut off
        Files.write(dead.resolve("cache"), new byte[1000]);
        Running one = start(shared.resolve("one"), JDK);
        Running other = start(shared.resolve("other"), JDK);
        firstUses = List.of(one.end(), other.end());
        Tools.run("mv", install.toString(), kept.toString());
    }

    @AfterAll
    static void nothingIsLeft() throws Exception {
        Tools.run("rm", "-rf", install.toString(), kept.toString()); // links to jars, which stay
    }

    @BeforeEach
    void asItWas() throws Exception {
        Tools.run("rm", "-rf", install.toString());
        Tools.run("cp", "-a", kept.toString(), install.toString());
    }

    /** A launcher on its way. */
    private record Running(Process process, Path out, Path err) {
        Said end() throws IOException, InterruptedException {
            assertThat(process.waitFor(100, TimeUnit.SECONDS)).isTrue();
            return new Said(process.exitValue(), Files.readString(out), Files.readString(err));
        }
    }

    private static Running start(Path notes, String jdk, String... variables) throws IOException {
        Path out = notes.resolveSibling(notes.getFileName() + ".out");
        Path err = notes.resolveSibling(notes.getFileName() + ".err");
        var builder = new ProcessBuilder(install.resolve("vmferry").toString(), "--version");
        builder.environment().keySet().removeIf(name -> name.matches("_?J.*_OPTIONS"));
        builder.environment().put("JAVA_HOME", jdk);
        for (int i = 0; i < variables.length; i += 2)
            builder.environment().put(variables[i], variables[i + 1]);
        return new Running(
                builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start(), out, err);
    }

    private Said run(String jdk, String... variables) throws Exception {
        return start(directory.resolve("said"), jdk, variables).end();
    }

    /** What is printed where a terminal of 72 columns is. */
    private String onATerminal(String command) throws Exception {
        Path out = directory.resolve("terminal");
        var builder = new ProcessBuilder("script", "-qec", "stty cols 72; " + command, "/dev/null");
        builder.environment().keySet().removeIf(name -> name.matches("_?J.*_OPTIONS|NO_COLOR"));
        builder.environment().put("JAVA_HOME", JDK);
        builder.environment().put("TERM", "xterm");
        Process process =
                builder.redirectInput(Path.of("/dev/null").toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(out.toFile())
                        .start();
        assertThat(process.waitFor(100, TimeUnit.SECONDS)).isTrue();
        return Files.readString(out).replace("\r", "");
    }

    @Test
    void itSaysWhereATerminalIsAndHowWideItIs() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/script")), "there is no script");
        String help = "'" + install.resolve("vmferry") + "' inspect --help";
        String coloured = onATerminal(help);
        assertThat(coloured).contains("\u001b[");
        String plain = coloured.replaceAll("\u001b\\[[\\d;]*m", "");
        assertThat(plain.lines().mapToInt(String::length).max().orElseThrow()).isBetween(67, 72);
        String none = onATerminal("NO_COLOR=1 " + help);
        assertThat(none).isEqualTo(plain);
        String piped = onATerminal(help + " | cat");
        assertThat(piped).doesNotContain("\u001b").isNotEqualTo(plain);
    }

    /** Whether the command's classes come out of the cache; it does well, either way. */
    private boolean takesTheCache() throws Exception {
        Path log = directory.resolve("classes");
        String options = "-Xlog:class+load:file=" + log;
        Said said = run(JDK, "JDK_JAVA_OPTIONS", options);
        String note = "NOTE: Picked up JDK_JAVA_OPTIONS: " + options + "\n";
        assertThat(said).isEqualTo(new Said(0, VERSION, note));
        String main =
                Files.readAllLines(log).stream()
                        .filter(line -> line.contains(" org.vmferry.cli.Main "))
                        .findFirst()
                        .orElseThrow();
        return main.contains("shared objects file");
    }

    private List<String> caches() throws IOException {
        try (Stream<Path> all = Files.list(lib)) {
            return all.map(file -> file.getFileName().toString())
                    .filter(name -> name.startsWith(".new-") || name.startsWith(".cache-"))
                    .toList();
        }
    }

    @Test
    void firstUsesMakeACacheWhichALaterOneTakes() throws Exception {
        assertThat(firstUses).containsExactly(Said.WELL, Said.WELL);
        assertThat(caches()).containsExactlyInAnyOrder(CACHE, CACHE + ".for");
        assertThat(takesTheCache()).isTrue();
    }

    /** What may become of a cache. */
    enum Spoilt {
        EMPTY {
            @Override
            void spoil(Path cache) throws IOException {
                Files.write(cache, new byte[0]);
            }
        },
        CUT {
            @Override
            void spoil(Path cache) throws IOException {
                try (var file = FileChannel.open(cache, WRITE)) {
                    file.truncate(file.size() / 2);
                }
            }
        },
        ANOTHER_FILE {
            @Override
            void spoil(Path cache) throws IOException {
                Files.writeString(cache, "no cache at all\n".repeat(10_000));
            }
        },
        A_FOLDER {
            @Override
            void spoil(Path cache) throws IOException {
                Files.delete(cache);
                Files.createDirectory(cache);
            }
        },
        OF_OTHER_JARS {
            @Override
            void spoil(Path cache) throws IOException {
                try (Stream<Path> files = Files.list(cache.getParent())) {
                    Path jar = files.filter(Spoilt::isOurs).findAny().orElseThrow();
                    Files.setLastModifiedTime(jar, FileTime.fromMillis(0));
                }
            }
        };

        abstract void spoil(Path cache) throws IOException;

        private static boolean isOurs(Path file) {
            return file.toString().endsWith(".jar") && !Files.isSymbolicLink(file);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aCacheThatDoesNotFitIsNotTakenAndNothingIsSaid(Spoilt kind) throws Exception {
        kind.spoil(lib.resolve(CACHE));
        assertThat(takesTheCache()).isFalse();
    }

    @Test
    void nothingIsMadeWhereNothingCanBeWritten() throws Exception {
        Files.delete(lib.resolve(CACHE + ".for"));
        try (Mounted locked = Mounted.readOnly(install)) {
            assertThat(takesTheCache()).isFalse();
        }
        assertThat(caches()).containsExactly(CACHE);
    }

    /** Jars that are sealed would be refused. */
    @Test
    void aCacheOfAnotherFolderIsNotTaken() throws Exception {
        Files.writeString(lib.resolve(CACHE + ".for"), JDK + " " + lib + "-before\n");
        try (Mounted locked = Mounted.readOnly(install)) {
            assertThat(takesTheCache()).isFalse();
        }
    }

    @Test
    void whereTheMakingIsKilledTheCommandRunsAndItIsNotTriedAgain() throws Exception {
        Files.delete(lib.resolve(CACHE));
        Files.delete(lib.resolve(CACHE + ".for"));
        Running running = start(directory.resolve("said"), JDK);
        Optional<ProcessHandle> maker = Optional.empty();
        while (maker.isEmpty()) {
            assertThat(running.process().isAlive()).as(running.toString()).isTrue();
            maker =
                    running.process()
                            .descendants()
                            .filter(
                                    one ->
                                            one.info()
                                                    .commandLine()
                                                    .orElse("")
                                                    .contains("ArchiveClasses"))
                            .findAny();
        }
        maker.get().destroyForcibly();
        assertThat(running.end()).isEqualTo(Said.WELL);
        assertThat(caches()).containsExactly(CACHE + ".for");
        assertThat(run(JDK)).isEqualTo(Said.WELL);
        assertThat(caches()).containsExactly(CACHE + ".for");
    }

    @Test
    void aCacheOfSomebodyElsesIsLeftToHisJvm() throws Exception {
        Path his = Files.createFile(directory.resolve("his.aot"));
        Said said = run(JDK, "JAVA_TOOL_OPTIONS", "-XX:AOTCache=" + his);
        assertThat(said.status()).as(said.toString()).isZero();
        assertThat(said.out()).endsWith(VERSION);
    }

    /** A JDK that notes each start of its JVM, and runs this one's. */
    private String jdk(String name, String release, String java) throws Exception {
        Path bin = Files.createDirectories(directory.resolve(name).resolve("bin"));
        Files.writeString(
                bin.resolve("java"),
                "#!/bin/sh\necho \"$*\" >>'%s'\n%s\n".formatted(starts(name), java));
        Files.createFile(starts(name));
        Tools.run("chmod", "+x", bin.resolve("java").toString());
        if (!release.isEmpty()) Files.writeString(bin.resolveSibling("release"), release);
        return bin.getParent().toString();
    }

    private Path starts(String name) {
        return directory.resolve(name + ".starts");
    }

    @Test
    void aJvmThatKnowsNothingOfCachesRunsTheCommand() throws Exception {
        String other =
                jdk(
                        "other",
                        "JAVA_RUNTIME_VERSION=\"26+1-other\"\nJAVA_VERSION=\"26\"\n",
                        "case \"$*\" in *Archive*) echo unknown; echo option >&2; exit 1;; esac\n"
                                + RUNS);
        assertThat(run(other)).isEqualTo(Said.WELL);
        assertThat(caches()).contains(".cache-26+1-other.for").doesNotContain(".cache-26+1-other");
        assertThat(run(other)).isEqualTo(Said.WELL);
        assertThat(Files.readAllLines(starts("other")))
                .as("starts: is it one, the attempt, the command; the command")
                .hasSize(4);
    }

    @Test
    void aJdkThatIsTooOldByItsOwnWordIsNotStarted() throws Exception {
        String old = jdk("old", "JAVA_VERSION=\"1.8.0_442\"", RUNS);
        Path path = Files.createDirectory(directory.resolve("path"));
        Files.createSymbolicLink(path.resolve("java"), Path.of(JDK, "bin", "java"));
        assertThat(run(old, "PATH", path + ":" + System.getenv("PATH"))).isEqualTo(Said.WELL);
        assertThat(starts("old")).isEmptyFile();
    }

    @Test
    void aJdkThatSaysNothingOfItselfIsAsked() throws Exception {
        String silent = jdk("silent", "", RUNS);
        assertThat(run(silent)).isEqualTo(Said.WELL);
        assertThat(Files.readAllLines(starts("silent"))).hasSize(2).startsWith("-version");
    }

    @Test
    void oneThatDoesNotRunIsPassedBy() throws Exception {
        String foreign = jdk("foreign", "JAVA_VERSION=\"25\"", "exit 126");
        Path path = Files.createDirectory(directory.resolve("path"));
        Files.createSymbolicLink(path.resolve("java"), Path.of(JDK, "bin", "java"));
        assertThat(run(foreign, "PATH", path + ":" + System.getenv("PATH"))).isEqualTo(Said.WELL);
        assertThat(Files.readAllLines(starts("foreign"))).containsExactly("-version");
    }
}
