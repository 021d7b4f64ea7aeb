package org.vmferry.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.json.Json;
import org.vmferry.spi.machine.RunState;

import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** The commands as a person runs them, in process. */
class CommandTest extends AtTerminal {
    @TempDir static Path originals;
    private static SmallMachine machine;

    @TempDir Path directory;
    private Path mapped;
    private Path stream;

    @BeforeAll
    static void save() throws Exception {
        machine = SmallMachine.saved(originals.resolve("vm.snap"), Format.MAPPED_RAM);
        SmallMachine.saved(originals.resolve("vm.stream"), Format.STREAM);
    }

    @BeforeEach
    void copy() throws IOException {
        mapped = Files.copy(originals.resolve("vm.snap"), directory.resolve("vm.snap"));
        stream = Files.copy(originals.resolve("vm.stream"), directory.resolve("vm.stream"));
    }

    private Path file(Format format) {
        return format == Format.MAPPED_RAM ? mapped : stream;
    }

    /** Nothing but these files: no leftovers, and no result of what failed. */
    private void assertOnly(Path... files) throws IOException {
        try (var list = Files.list(directory)) {
            assertThat(list).containsExactlyInAnyOrder(files);
        }
    }

    @SuppressWarnings("unchecked")
    private Map<String, Object> inspected(Path file) throws IOException {
        assertThat(run("inspect", file, "--json")).as(err.toString()).isZero();
        return (Map<String, Object>) Json.parse(out.toString());
    }

    @Test
    void inspectHasTheseKeysForScripts() throws IOException {
        Map<String, Object> tree = inspected(mapped);
        assertThat(tree.keySet())
                .containsExactly(
                        "format",
                        "machine",
                        "pageSize",
                        "capabilities",
                        "blocks",
                        "devices",
                        "facts",
                        "damage",
                        "notes",
                        "lost");
        assertThat(tree)
                .containsEntry("format", "mapped-ram")
                .containsEntry("machine", "small")
                .containsEntry("pageSize", 4096L)
                .containsEntry("capabilities", List.of("mapped-ram"));
        Map<?, ?> block = (Map<?, ?>) ((List<?>) tree.get("blocks")).getFirst();
        assertThat(block.keySet().stream().map(Object::toString))
                .containsExactly(
                        "id",
                        "usedLength",
                        "pages",
                        "present",
                        "missing",
                        "bitmapOffset",
                        "pagesOffset",
                        "guest");
        assertThat(block.get("id")).isEqualTo("small.ram");
        assertThat(block.get("pages")).isEqualTo(64L);
        assertThat(block.get("present")).isEqualTo(32L);
        assertThat(block.get("pagesOffset")).isEqualTo(1L << 20);
        Map<?, ?> device = (Map<?, ?>) ((List<?>) tree.get("devices")).get(1);
        assertThat(device.keySet().stream().map(Object::toString))
                .containsExactly("name", "instance", "version", "bytes");
        assertThat(device.get("name")).isEqualTo("first");
        assertThat(device.get("instance")).isEqualTo(1L);
    }

    @Test
    void aStreamsPagesHaveNoPlaces() throws IOException {
        Map<String, Object> tree = inspected(stream);
        assertThat(tree).containsEntry("format", "stream").containsEntry("capabilities", List.of());
        Map<?, ?> block = (Map<?, ?>) ((List<?>) tree.get("blocks")).getFirst();
        assertThat(block.get("present")).isEqualTo(32L);
        assertThat(block.containsKey("pagesOffset")).isTrue();
        assertThat(block.get("pagesOffset")).isNull();
    }

    @Test
    void inspectDrawsEachBlock() {
        assertThat(run("inspect", mapped)).isZero();
        String shown = out.toString().replace('█', '#').replace('▒', '+').replace('·', '.');
        assertThat(shown)
                .contains("machine       small")
                .contains("small.ram                   256 KiB  32 of 64 pages")
                .contains("|" + "########.......".repeat(4) + "|")
                .contains("|.|");
        assertThat(err.toString()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void extractGivesTheBlocksBytes(Format format) throws IOException {
        Path raw = directory.resolve("ram.bin");
        assertThat(run("extract", file(format), "--block", "small.ram", "-o", raw))
                .as(err.toString())
                .isZero();
        assertThat(raw).hasBinaryContent(machine.ram);
        assertOnly(mapped, stream, raw);
    }

    @Test
    void extractReplacesAFileAndKeepsItWhenItFails() throws IOException {
        Path raw = Files.writeString(directory.resolve("ram.bin"), "old");
        assertThat(run("extract", mapped, "--block", "nonsense", "-o", raw)).isEqualTo(1);
        assertThat(err.toString())
                .isEqualToNormalizingNewlines(
                        "vmferry: there is no RAM block 'nonsense' in it, but 'small.ram',"
                                + " '/rom@small'\n");
        assertThat(raw).hasContent("old");
        assertThat(run("extract", mapped, "--block", "small.ram", "-o", raw)).isZero();
        assertThat(raw).hasBinaryContent(machine.ram);
        assertOnly(mapped, stream, raw);
    }

    @Test
    void extractDoesNotReplaceItsOwnSnapshot() {
        assertThat(run("extract", mapped, "--block", "small.ram", "-o", mapped)).isEqualTo(2);
        assertThat(run("verify", mapped)).isZero();
    }

    @Test
    void convertGoesBothWaysAndKeepsEverything() throws IOException {
        Path there = directory.resolve("there");
        Path back = directory.resolve("back");
        assertThat(run("convert", stream, there, "--format", "mapped-ram")).isZero();
        assertThat(run("convert", there, back, "--format", "stream")).isZero();
        assertThat(inspected(there)).isEqualTo(inspected(mapped));
        assertThat(back).hasSameBinaryContentAs(stream);
        assertOnly(mapped, stream, there, back);
    }

    @Test
    void convertInPlaceWorks() throws IOException {
        assertThat(run("convert", stream, stream, "--format", "mapped-ram")).isZero();
        assertThat(inspected(stream)).isEqualTo(inspected(mapped));
        assertOnly(mapped, stream);
    }

    @Test
    void sendAndReceiveCarryASnapshot() throws IOException {
        Path sent = directory.resolve("sent");
        Path received = directory.resolve("received");
        assertThat(run("send", mapped, "file:" + sent)).as(err.toString()).isZero();
        assertThat(err.toString()).contains("vmferry: the guest is in the snapshot\n");
        assertThat(run("send", mapped, "unix:" + directory.resolve("nobody"))).isEqualTo(1);
        assertThat(err.toString()).contains("vmferry: the guest is the source's\n");
        assertThat(run("receive", "file:" + sent, "-o", received)).as(err.toString()).isZero();
        assertThat(err.toString())
                .contains("listening on file:", "vmferry: the guest is the destination's\n");
        assertThat(sent).hasSameBinaryContentAs(stream);
        assertThat(inspected(received)).isEqualTo(inspected(mapped));
    }

    /** As of an old QEMU that was told to migrate once more. */
    @ParameterizedTest
    @EnumSource(names = {"INMIGRATE", "FINISH_MIGRATE", "POSTMIGRATE"})
    void aGuestIsKeptWhateverItsStreamSaysOfIt(RunState state) throws IOException {
        byte[] bytes = Files.readAllBytes(stream);
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        int at = text.indexOf("\0\0\0\7paused\0");
        bytes[at + 3] = (byte) (state.wireName().length() + 1);
        byte[] name = state.wireName().getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(name, 0, bytes, at + 4, name.length);
        Files.write(stream, bytes);
        Path kept = directory.resolve("kept");
        assertThat(run("receive", "file:" + stream, "-o", kept)).as(err.toString()).isZero();
        assertThat(run("convert", kept, kept, "--format", "stream")).as(err.toString()).isZero();
        int end = text.indexOf("vmferry 1\n"); // the trailer's sum covers what was changed here
        assertThat(Arrays.copyOf(Files.readAllBytes(kept), end))
                .isEqualTo(Arrays.copyOf(bytes, end));
    }

    @Test
    void whatCannotBeKeptFailsTheReceive() throws IOException {
        Path output = Files.createDirectory(directory.resolve("taken"));
        assertThat(run("receive", "file:" + stream, "-o", output)).isEqualTo(1);
        assertThat(err.toString().lines()).as("said before it listens").hasSize(1);
        assertOnly(mapped, stream, output);
    }

    @Test
    void optionsHaveQemusNames() throws IOException {
        Path sent = directory.resolve("sent");
        assertThat(run("send", mapped, "file:" + sent, "-c", "mapped-ram", "-p", "direct-io=on"))
                .as(err.toString())
                .isZero();
        assertThat(err.toString()).containsPattern(" sent to .* s, with direct-io\n");
        assertThat(inspected(sent)).containsEntry("format", "mapped-ram");
        assertThat(run("send", mapped, "file:" + sent, "-c", "mapped-ram")).isZero();
        assertThat(err.toString()).containsPattern(" sent to .* s\n");
        assertThat(run("send", mapped, "file:" + sent, "-c", "maped-ram")).isEqualTo(1);
        assertThat(err.toString()).startsWith("vmferry: ").contains("mapped-ram");
        assertThat(run("send", mapped, "file:" + sent, "-p", "direct-io")).isEqualTo(2);
    }

    @Test
    void aStreamAtAnOffsetIsFound() throws Exception {
        Path within = directory.resolve("disk");
        Files.write(within, new byte[12345]);
        SmallMachine.saved("file:" + within + ",offset=12345", Format.MAPPED_RAM.settings());
        Path raw = directory.resolve("ram.bin");
        assertThat(run("verify", within)).isEqualTo(1);
        assertThat(run("verify", within, "--offset", "12345")).isZero();
        assertThat(run("extract", within, "--offset", "12345", "--block", "small.ram", "-o", raw))
                .isZero();
        assertThat(raw).hasBinaryContent(machine.ram);
    }

    @Test
    void libvirtsSaveImagesAreReadToo() throws Exception {
        Path image = directory.resolve("web.save");
        Files.write(image, SnapshotTest.image(ByteOrder.LITTLE_ENDIAN, "LibvirtQemudSave", 6));
        SmallMachine.saved("file:" + image + ",offset=604", Format.MAPPED_RAM.settings());
        Map<String, Object> tree = inspected(image);
        assertThat(tree.get("libvirt"))
                .isEqualTo(
                        Map.of(
                                "domain",
                                "web&db",
                                "format",
                                "sparse",
                                "running",
                                true,
                                "streamOffset",
                                604L));
        assertThat(run("inspect", image)).isZero();
        assertThat(out.toString())
                .contains("save image of domain 'web&db', running when it was saved");
        Path raw = directory.resolve("ram.bin");
        assertThat(run("extract", image, "--block", "small.ram", "-o", raw)).isZero();
        assertThat(raw).hasBinaryContent(machine.ram);
    }

    @ParameterizedTest
    @CsvSource({"verify,12289", "inspect,65536", "convert,65536"})
    void aDamagedFileIsOneLineAndExit1(String command, int step) throws IOException {
        byte[] whole = Files.readAllBytes(mapped);
        Path result = directory.resolve("result");
        for (int length = 0; length < whole.length; length += step) {
            Path cut = Files.write(directory.resolve("cut"), Arrays.copyOf(whole, length));
            int exit =
                    command.equals("convert")
                            ? run(command, cut, result, "--format", "stream")
                            : run(command, cut);
            assertThat(exit).as("cut at %d", length).isEqualTo(1);
            assertThat(err.toString().lines()).hasSize(1);
            assertThat(err.toString()).startsWith("vmferry: ").doesNotContain("fault");
            assertThat(out.toString()).isEmpty();
            assertOnly(mapped, stream, cut);
        }
    }

    @Test
    void debugShowsTheStackTrace() throws IOException {
        Path missing = directory.resolve("missing");
        assertThat(run("verify", missing)).isEqualTo(1);
        assertThat(err.toString())
                .isEqualToNormalizingNewlines(
                        "vmferry: '" + missing + "': there is no such file\n");
        assertThat(run("verify", missing, "--debug")).isEqualTo(1);
        assertThat(err.toString()).contains("\tat org.vmferry.cli.");
    }

    @Test
    void aStackTraceDrivesNoTerminalEither() {
        Path hostile = directory.resolve("a\u001b[2J\u202eb");
        assertThat(run("verify", hostile, "--debug")).isEqualTo(1);
        assertThat(err.toString())
                .contains("/a?[2J?b'", "\tat org.vmferry.cli.")
                .doesNotContain("\u001b", "\u202e");
    }

    /** It was the second of two opens once, and what was found then "cut short". */
    @Test
    void aSnapshotThatIsReplacedIsReadFromWhereItWasOpened() throws IOException {
        Path replaced = Files.copy(mapped, directory.resolve("replaced"));
        try (Snapshot opened = Snapshot.open(replaced, 0)) {
            Files.move(
                    Files.write(directory.resolve("other"), new byte[10]),
                    replaced,
                    StandardCopyOption.REPLACE_EXISTING);
            Engine engine = new Engine(Plugins.discover().plus(opened.transport()));
            assertThat(engine.inspect(opened.uri()).blocks()).isNotEmpty();
            assertThat(opened.file().size()).isEqualTo(Files.size(mapped));
        }
    }

    /** By whoever can write to it: not by a signal in a mapping, and not with an Error. */
    @Test
    void aSnapshotThatIsCutWhileItIsReadFailsByName() throws IOException {
        for (Path whole : List.of(mapped, stream)) {
            for (int tenth = 0; tenth < 10; tenth++) {
                Path cut = directory.resolve("cut");
                Files.copy(whole, cut, StandardCopyOption.REPLACE_EXISTING);
                try (Snapshot opened = Snapshot.open(cut, 0);
                        FileChannel file = FileChannel.open(cut, StandardOpenOption.WRITE)) {
                    file.truncate(file.size() * tenth / 10);
                    Engine engine = new Engine(Plugins.discover().plus(opened.transport()));
                    assertThatThrownBy(() -> engine.inspect(opened.uri()))
                            .isInstanceOf(IOException.class);
                }
            }
        }
    }

    /** What stands in them is as private as memory. */
    @Test
    void whatIsWrittenIsForNobodyElse() throws IOException {
        Path unpacked = directory.resolve("unpacked");
        Path copied = directory.resolve("copied");
        Path converted = directory.resolve("converted");
        assertThat(run("extract", stream, "--block", "small.ram", "-o", unpacked)).isZero();
        assertThat(run("extract", mapped, "--block", "small.ram", "-o", copied)).isZero();
        assertThat(run("convert", mapped, converted, "--format", "stream")).isZero();
        for (Path file : List.of(unpacked, copied, converted))
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                    .as(file.toString())
                    .isEqualTo("rw-------");
    }

    @Test
    void quietSaysNothing() {
        assertThat(run("verify", mapped, "--quiet")).isZero();
        assertThat(out.toString() + err).isEmpty();
    }

    @Test
    void whatIsNotUnderstoodIsExit2() {
        Object[][] misuses = {
            {"nonsense"},
            {"inspect"},
            {"inspect", mapped, "--nonsense"},
            {"inspect", mapped, "--offset", "-5"},
            {"extract", mapped, "-o", "x"},
            {"convert", mapped, "x", "--format", "qcow2"},
        };
        for (Object[] misuse : misuses) {
            assertThat(run(misuse)).as(Arrays.toString(misuse)).isEqualTo(2);
            assertThat(err.toString()).contains("vmferry: ").contains("--help'.");
        }
    }

    @Test
    void everyCommandHasHelpWithAnExample() {
        var all = Main.commandLine();
        for (var command : all.getSubcommands().entrySet()) {
            hasAnExample(command.getKey());
            for (String part : command.getValue().getSubcommands().keySet())
                hasAnExample(command.getKey(), part);
        }
        assertThat(run("--help")).isZero();
        assertThat(out.toString()).contains("Examples:").contains(all.getSubcommands().keySet());
        assertThat(run("--version")).isZero();
        assertThat(out.toString()).startsWith("vmferry ");
    }

    private void hasAnExample(String... command) {
        Object[] line = Arrays.copyOf(command, command.length + 1, Object[].class);
        line[command.length] = "--help";
        assertThat(run(line)).isZero();
        assertThat(out.toString())
                .contains("Example")
                .contains("\n  vmferry " + String.join(" ", command))
                .doesNotContain("\u001b");
        assertThat(out.toString().lines()).allMatch(text -> text.length() <= 80);
    }

    @Test
    void aBareVmferrySaysWhatItIsForAndWhatCommandsMostWant() {
        assertThat(run()).isZero();
        assertThat(out.toString())
                .startsWith("vmferry carries a virtual machine ")
                .contains("vmferry --help")
                .doesNotContain("\u001b");
        assertThat(out.toString().lines()).allMatch(text -> text.length() < 100);
        assertThat(err.toString()).isEmpty();
        var commands = Main.commandLine().getSubcommands().keySet();
        out.toString()
                .lines()
                .filter(text -> text.startsWith("  vmferry "))
                .forEach(text -> assertThat(commands).contains(text.strip().split(" ")[1]));
    }

    @Test
    void aTerminalHasColoursAndItsWidth() {
        System.setProperty("vmferry.terminal.out", "true");
        System.setProperty("vmferry.width", "66");
        try {
            assertThat(run("inspect", "--help")).isZero();
            String plain = out.toString().replaceAll("\u001b\\[[\\d;]*m", "");
            assertThat(plain.lines().filter(text -> text.length() > 66))
                    .allMatch(text -> text.startsWith("  vmferry "));
            boolean none = !String.valueOf(System.getenv("NO_COLOR")).matches("null|");
            assertThat(out.toString().contains("\u001b[")).isEqualTo(!none);

            assertThat(run("inspect", mapped)).isZero();
            if (none) return;
            String shown = out.toString().replace('█', '#').replace('·', '.');
            assertThat(shown)
                    .contains("\u001b[36m" + "########........".repeat(4).substring(0, 61))
                    .contains("\u001b[33m.\u001b[0m|", "\u001b[33m/rom@small ")
                    .doesNotContain("    |");
        } finally {
            System.clearProperty("vmferry.terminal.out");
            System.clearProperty("vmferry.width");
        }
    }

    /** A start reads the subcommand that it is for; what it says of it is the same. */
    @Test
    void aLineHasTheSubcommandThatItNamesElseAll() {
        var all = Main.commandLine().getSubcommands();
        all.forEach(
                (name, command) -> {
                    var one = Main.commandLine(new String[] {name, "--quiet"}).getSubcommands();
                    assertThat(one).containsOnlyKeys(name);
                    assertThat(one.get(name).getUsageMessage())
                            .contains("--plugins=DIR")
                            .isEqualTo(command.getUsageMessage());
                });
        assertThat(Main.commandLine(new String[] {}).getSubcommands()).isEmpty();
        for (String[] line : new String[][] {{"--help"}, {"inspekt"}, {"--plugins", "verify"}})
            assertThat(Main.commandLine(line).getSubcommands()).hasSameSizeAs(all);
    }
}
