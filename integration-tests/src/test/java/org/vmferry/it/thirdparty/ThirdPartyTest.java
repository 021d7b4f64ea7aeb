package org.vmferry.it.thirdparty;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.cli.Main;
import org.vmferry.engine.json.Json;
import org.vmferry.it.support.Snapshots;

import picocli.CommandLine;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** Other people's plug-ins, built with spi alone, in the command; broken ones beside them. */
class ThirdPartyTest {
    @TempDir static Path originals;

    @TempDir Path directory;
    private Path plugins;
    private Path snapshot;
    private Path journal;

    @BeforeAll
    static void build() throws Exception {
        ThirdParty.plugins(originals.resolve("plugins"));
        Snapshots.save(originals.resolve("vm.snap"), "mapped-ram");
    }

    @BeforeEach
    void copy() throws Exception {
        plugins = directory.resolve("plugins");
        for (String name : List.of("journal", "memory", "rle")) add(name, name);
        snapshot = Files.copy(originals.resolve("vm.snap"), directory.resolve("vm.snap"));
        journal = directory.resolve("journal.txt");
        System.setProperty("example.journal", journal.toString());
    }

    @AfterEach
    void forget() {
        System.clearProperty("example.journal");
    }

    /** One of the three, under another folder's name. */
    private Path add(String name, String folder) throws Exception {
        return Files.copy(
                originals.resolve("plugins").resolve(name).resolve(name + ".jar"),
                Files.createDirectories(plugins.resolve(folder)).resolve(name + ".jar"));
    }

    private record Ran(int exit, String out, String err) {}

    private static Ran run(Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine command = Main.commandLine();
        command.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        int exit =
                command.execute(
                        Arrays.stream(arguments).map(Object::toString).toArray(String[]::new));
        return new Ran(exit, out.toString(), err.toString());
    }

    /** Two commands, each with class loaders of its own: all three plug-ins carry the machine. */
    private void migrates() throws Exception {
        Path arrived = directory.resolve("arrived.snap");
        String[] settings = {
            "-c", "multifd", "-p", "multifd-compression=rle", "-p", "journal-note=for Ann"
        };
        var receiving =
                CompletableFuture.supplyAsync(
                        () ->
                                run(
                                        with(
                                                settings,
                                                "receive",
                                                "memory:here",
                                                "-o",
                                                arrived,
                                                "--plugins",
                                                plugins)));
        Ran sent;
        do { // nobody may listen yet
            sent = run(with(settings, "--plugins", plugins, "send", snapshot, "memory:here"));
        } while (sent.exit != 0 && !receiving.isDone() && sent.err.contains("nobody listens"));
        Ran received = receiving.get();
        assertThat(sent.exit).as(sent.err).isZero();
        assertThat(received.exit).as(received.err).isZero();
        assertThat(ram(arrived)).isEqualTo(ram(snapshot));
        // Each command has told it of its own; not of the files, in which no guest moves.
        assertThat(Files.readAllLines(journal))
                .map(line -> line.replaceFirst("-[0-9]+", ""))
                .contains(
                        "send begins: memory:here for Ann",
                        "send done for Ann",
                        "receive begins: memory:here for Ann",
                        "receive done for Ann");
    }

    private static Object[] with(String[] settings, Object... arguments) {
        List<Object> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of(settings));
        return all.toArray();
    }

    private byte[] ram(Path snapshot) throws Exception {
        Path raw = directory.resolve("ram");
        assertThat(run("extract", snapshot, "--block", "ref.ram", "-o", raw).exit).isZero();
        return Files.readAllBytes(raw);
    }

    @Test
    void transportCodecAndNotifierCarryAMachine() throws Exception {
        migrates();
    }

    /** The codec's suite is run by docs/plugins.md. */
    @Test
    void transportAndNotifierKeepWhatTheirKindsPromise() throws Exception {
        List<Path> jars = new ArrayList<>(ThirdParty.kit());
        jars.add(plugins.resolve("memory/memory.jar"));
        jars.add(plugins.resolve("journal/journal.jar"));
        jars.add(directory);
        List<String> compile =
                new ArrayList<>(List.of("-cp", ThirdParty.path(jars), "-d", directory.toString()));
        for (String test :
                List.of(
                        "memory/test/example/memory/MemoryTransportTest.java",
                        "journal/test/example/journal/JournalTest.java")) {
            compile.add(ThirdParty.SOURCES.resolve(test).toString());
        }
        ThirdParty.run("javac", compile);
        String said =
                ThirdParty.run(
                        new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                                "-cp",
                                ThirdParty.path(jars),
                                "--enable-native-access=ALL-UNNAMED",
                                "org.junit.platform.console.ConsoleLauncher",
                                "execute",
                                "--details=summary",
                                "--select-class=example.memory.MemoryTransportTest",
                                "--select-class=example.journal.JournalTest"));
        // Not tried: what nonsense is, and that a second channel is refused.
        assertThat(said).contains("[        32 tests successful      ]");
    }

    @Test
    void whatTheNotifierForbidsDoesNotHappen() throws Exception {
        Files.createDirectory(journal);
        Ran ran = run("send", snapshot, "memory:here", "--plugins", plugins);
        assertThat(ran.exit).isEqualTo(1);
        assertThat(ran.err).contains("notifier 'journal' (journal.jar)", "can't be written");
        Path arrived = directory.resolve("arrived.snap");
        Ran received = run("receive", "memory:here", "-o", arrived, "--plugins", plugins);
        assertThat(received.exit).isEqualTo(1);
        assertThat(received.err).contains("can't be written");
        assertThat(arrived).doesNotExist();
    }

    /** No guest moves in it. */
    @Test
    void aConversionIsNotItsBusiness() throws Exception {
        Files.createDirectory(journal); // it would forbid it
        Path converted = directory.resolve("converted");
        Ran ran = run("convert", snapshot, converted, "--format", "stream", "--plugins", plugins);
        assertThat(ran.exit).as(ran.err).isZero();
        assertThat(converted).exists();
    }

    @Test
    void withoutTheFolderNoneOfThemIsThere() {
        Ran ran = run("send", snapshot, "memory:here");
        assertThat(ran.exit).isEqualTo(1);
        assertThat(ran.err).contains("transport 'memory' is not there");
        assertThat(journal).doesNotExist();
    }

    @Test
    void theyAreListed() throws Exception {
        Ran ran = run("plugins", "--plugins", plugins);
        assertThat(ran.exit).isZero();
        assertThat(ran.err).isEmpty();
        assertThat(ran.out.lines().map(line -> line.replaceAll(" {2,}", "|")))
                .contains(
                        "transport|memory|" + plugins.resolve("memory/memory.jar"),
                        "codec|rle|" + plugins.resolve("rle/rle.jar"),
                        "notifier|journal|" + plugins.resolve("journal/journal.jar"))
                .anyMatch(line -> line.startsWith("page carrier|multifd|"));
        Map<?, ?> tree = (Map<?, ?>) Json.parse(run("--plugins", plugins, "plugins", "--json").out);
        assertThat((List<?>) tree.get("plugins"))
                .hasSize((int) ran.out.lines().takeWhile(line -> !line.isEmpty()).count());
        assertThat((List<?>) tree.get("rejected")).isEmpty();
        assertThat((List<?>) tree.get("disputed")).isEmpty();
        assertThat(((List<?>) tree.get("places")).stream().map(place -> "looked at " + place))
                .contains("looked at the folder " + plugins)
                .containsExactlyElementsOf(
                        ran.out.lines().filter(line -> line.startsWith("looked at ")).toList());
    }

    @Test
    void brokenOnesAreToldWithTheirPlaceAndTheRestWorks() throws Exception {
        Path tooNew = add("rle", "too-new");
        makeTooNew(tooNew, "example/rle/RleCodec.class");
        Path poor =
                journal(
                        "poor",
                        "public final class Journal",
                        "class Base {} public final class Journal extends Base");
        Path angry =
                journal(
                        "angry",
                        "String name =",
                        "if (true) throw new IllegalStateException(\"no licence\"); String name =");
        Path garbage = Files.writeString(plugins.resolve("loose.jar"), "no jar");
        String[][] told = {
            {tooNew.toString(), "compiled for a newer Java"},
            {poor.toString(), "a class it needs is not there: example.journal.Base"},
            {angry.toString(), "it threw java.lang.IllegalStateException: no licence"},
            {garbage.toString(), "sub-folder of its own"},
        };

        Ran listed = run("plugins", "--plugins", plugins);
        assertThat(listed.exit).isEqualTo(3);
        assertThat(run("plugins", "--plugins", plugins, "--json").exit).isEqualTo(3);
        Ran used = run("verify", snapshot, "--plugins", plugins);
        assertThat(used.exit).isZero();
        for (String[] words : told) {
            assertThat(listed.out.lines()).anyMatch(line -> hasAll(line, words));
            assertThat(used.err.lines()).filteredOn(line -> hasAll(line, words)).hasSize(1);
        }
        assertThat(run("verify", snapshot, "--plugins", plugins, "--quiet").err).isEmpty();
        migrates();
    }

    private static boolean hasAll(String line, String... words) {
        return Arrays.stream(words).allMatch(line::contains);
    }

    @Test
    void ofTwoWithOneIdNeitherIsUsedAndBothPlacesAreNamed() throws Exception {
        Path twin = add("rle", "twin");
        Ran listed = run("plugins", "--plugins", plugins);
        assertThat(listed.exit).isEqualTo(3);
        assertThat(listed.out.lines())
                .noneMatch(line -> line.matches("codec +rle .*"))
                .anyMatch(line -> line.contains(twin + " is left out"));
        Ran used =
                run(
                        with(
                                new String[] {"-c", "multifd", "-p", "multifd-compression=rle"},
                                "send",
                                snapshot,
                                "memory:here",
                                "--plugins",
                                plugins));
        assertThat(used.exit).isEqualTo(1);
        assertThat(used.err.lines().toList().getLast())
                .contains(twin.toString(), plugins.resolve("rle/rle.jar").toString());
        Ran others = run("verify", snapshot, "--plugins", plugins);
        assertThat(others.exit).isZero();
    }

    @Test
    void aFolderThatIsNotThereIsOneLine() {
        Ran ran = run("verify", snapshot, "--plugins", directory.resolve("gone"));
        assertThat(ran.exit).isEqualTo(1);
        assertThat(ran.err.lines()).hasSize(1);
        assertThat(ran.err).contains("plug-in folder " + directory.resolve("gone"));
        // Also one that is called like a command.
        assertThat(run("--plugins", "plugins", "plugins").err)
                .startsWith("vmferry: plug-in folder plugins ");
    }

    private static void makeTooNew(Path jar, String type) throws Exception {
        try (FileSystem entries = FileSystems.newFileSystem(jar)) {
            byte[] bytes = Files.readAllBytes(entries.getPath(type));
            bytes[7] = 120; // the class file's major version
            Files.write(entries.getPath(type), bytes);
        }
    }

    /** The journal, changed: in a folder of its own. */
    private Path journal(String folder, String from, String to) throws Exception {
        Path source = ThirdParty.SOURCES.resolve("journal/src/example/journal/Journal.java");
        Path work = Files.createDirectories(directory.resolve(folder));
        Path changed = work.resolve("Journal.java");
        Files.writeString(changed, Files.readString(source).replace(from, to));
        String spi = ThirdParty.path(ThirdParty.jars(List.of("vmferry-spi")));
        ThirdParty.run("javac", List.of("-cp", spi, "-d", work.toString(), changed.toString()));
        Path jar = add("journal", folder);
        String type = "example/journal/Journal.class";
        byte[] bytes = Files.readAllBytes(work.resolve(type));
        try (FileSystem entries = FileSystems.newFileSystem(jar)) {
            Files.write(entries.getPath(type), bytes);
        }
        return jar;
    }
}
