package org.vmferry.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.json.Json;
import org.vmferry.engine.report.Inspection;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;

/**
 * Save images whose stream libvirt packed, and files that a person did, go through all commands.
 */
class PackedSnapshotTest extends AtTerminal {
    @TempDir static Path originals;
    private static SmallMachine machine;
    private static byte[] stream;
    private static byte[] mapped;

    @TempDir Path folder;

    @BeforeAll
    static void save() throws Exception {
        Path file = originals.resolve("vm.stream");
        machine = SmallMachine.saved(file, Format.STREAM);
        stream = Files.readAllBytes(file);
        file = originals.resolve("vm.snap");
        SmallMachine.saved(file, Format.MAPPED_RAM);
        mapped = Files.readAllBytes(file);
    }

    private void runs(Object... arguments) {
        assertThat(run(arguments)).as("%s: %s", Arrays.toString(arguments), err).isZero();
    }

    private void fails(Object... arguments) {
        assertThat(run(arguments)).as("%s", Arrays.toString(arguments)).isEqualTo(1);
        assertThat(err.toString().lines()).as("%s", err).hasSize(1);
    }

    /** A save image with what is to follow its header of 604 bytes. */
    private static byte[] image(int format, byte[] data) {
        byte[] header = SnapshotTest.image(ByteOrder.LITTLE_ENDIAN, "LibvirtQemudSave", format);
        byte[] all = Arrays.copyOf(header, 604 + data.length);
        System.arraycopy(data, 0, all, 604, data.length);
        return all;
    }

    private Path file(String name, byte[]... parts) throws IOException {
        var all = new ByteArrayOutputStream();
        for (byte[] part : parts) all.write(part);
        return Files.write(folder.resolve(name), all.toByteArray());
    }

    private byte[] extracted(Path file) throws IOException {
        Path ram = folder.resolve("ram");
        Files.deleteIfExists(ram);
        runs("extract", file, "--block", "small.ram", "-o", ram);
        return Files.readAllBytes(ram);
    }

    @SuppressWarnings("unchecked")
    private Map<String, Object> inspected(Path file) throws IOException {
        runs("inspect", file, "--json");
        return (Map<String, Object>) Json.parse(out.toString());
    }

    private void goesThroughEveryCommand(Path file) throws IOException {
        runs("verify", file);
        assertThat(out.toString()).contains("sound", "machine small", "2 RAM blocks");
        assertThat(extracted(file)).isEqualTo(machine.ram);
        runs("inspect", file, "--device", "first");
        assertThat(out.toString()).contains("first");
        for (String format : new String[] {"stream", "mapped-ram"}) {
            Path converted = folder.resolve("converted");
            runs("convert", file, converted, "--format", format);
            assertThat(extracted(converted)).isEqualTo(machine.ram);
            Files.delete(converted);
        }
        Path sent = folder.resolve("sent");
        runs("send", file, "file:" + sent);
        assertThat(sent).hasBinaryContent(stream);
        Files.delete(sent);
    }

    @ParameterizedTest
    @EnumSource
    @Tag("LIB-4")
    void aPackedImageGoesThroughEveryCommand(Packer packer) throws IOException {
        Path image = file("web.save", image(packer.format, packer.pack(stream)));
        goesThroughEveryCommand(image);
        Map<String, Object> tree = inspected(image);
        assertThat(tree).containsEntry("packed", packer.id()).containsEntry("format", "stream");
        assertThat((Map<?, ?>) tree.get("libvirt"))
                .isEqualTo(
                        Map.of(
                                "domain",
                                "web&db",
                                "format",
                                packer.id(),
                                "running",
                                true,
                                "streamOffset",
                                604L));
        runs("inspect", image);
        assertThat(out.toString())
                .contains("with " + packer.id() + ", from byte 604 on", "domain 'web&db'");
    }

    /**
     * What virsh save made of a domain with a pc, 2 MiB and a ROM of two instructions, in QEMU
     * 10.0: libvirt 9.0.0, for zstd 11.3.0, which ran the programs of those names.
     */
    @ParameterizedTest
    @EnumSource
    @Tag("LIB-4")
    void libvirtsOwnImagesAreRead(Packer packer) throws IOException {
        String resource = "libvirt/web." + packer.id() + ".save.gz";
        Path image = folder.resolve("web.save");
        try (var in = PackedSnapshotTest.class.getResourceAsStream(resource)) {
            Files.copy(new GZIPInputStream(Objects.requireNonNull(in, resource)), image);
        }
        runs("verify", image);
        assertThat(out.toString()).contains("pc-i440fx-10.0, 6 RAM blocks, 30 devices");
        assertThat((Map<?, ?>) inspected(image).get("libvirt"))
                .extracting("domain", "format", "running")
                .containsExactly("web&db", packer.id(), false);
        Path rom = folder.resolve("rom");
        runs("extract", image, "--block", "pc.bios", "-o", rom);
        byte[] expected = new byte[1 << 16];
        ByteBuffer.wrap(expected)
                .put(
                        65520,
                        new byte[] {
                            (byte) 0xfa, (byte) 0xf4, (byte) 0xeb, (byte) 0xfd, (byte) 0x90
                        });
        assertThat(rom).hasBinaryContent(expected);
        Path converted = folder.resolve("converted");
        runs("convert", image, converted, "--format", "mapped-ram");
        runs("verify", converted);
    }

    @ParameterizedTest
    @EnumSource
    @Tag("LIB-5")
    void whatAPersonPackedIsReadToo(Packer packer) throws IOException {
        assertThat(extracted(file("vm", packer.pack(stream)))).isEqualTo(machine.ram);
        Path places = file("mapped", packer.pack(mapped));
        runs("verify", places);
        assertThat(extracted(places)).isEqualTo(machine.ram);
        Path converted = folder.resolve("converted");
        runs("convert", places, converted, "--format", "stream");
        assertThat(extracted(converted)).isEqualTo(machine.ram);
        Path image = file("web.save.packed", packer.pack(image(0, stream)));
        assertThat(inspected(image)).containsKeys("packed", "libvirt");
        assertThat(extracted(image)).isEqualTo(machine.ram);
        Path twice = file("twice", packer.pack(image(1, Packer.GZIP.pack(stream))));
        assertThat(extracted(twice)).isEqualTo(machine.ram);
    }

    @ParameterizedTest
    @EnumSource
    @Tag("LIB-6")
    void manyMembersAreOne(Packer packer) throws IOException {
        Path image = file("web.save", image(packer.format, packer.packInParts(stream, 7)));
        runs("verify", image);
        assertThat(extracted(image)).isEqualTo(machine.ram);
        byte[] half = Arrays.copyOf(stream, stream.length / 2);
        byte[] rest = Arrays.copyOfRange(stream, half.length, stream.length);
        image =
                file(
                        "padded",
                        image(packer.format, packer.pack(half)),
                        new byte[512],
                        packer.pack(new byte[0]),
                        packer.pack(rest),
                        new byte[10_000]);
        runs("verify", image);
        assertThat(err.toString()).isEmpty();
        assertThat(extracted(image)).isEqualTo(machine.ram);
    }

    /** Which zstd passes over. */
    @Test
    @Tag("LIB-6")
    void asPzstdWritesThem() throws IOException {
        byte[] skipped = {0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4};
        byte[] packed = Packer.ZSTD.pack(stream);
        Path image = file("web.save", image(5, skipped), packed, skipped);
        assertThat(extracted(image)).isEqualTo(machine.ram);
        assertThat(extracted(file("vm", skipped, skipped, packed))).isEqualTo(machine.ram);
    }

    @ParameterizedTest
    @EnumSource
    @Tag("LIB-6")
    void whatStandsBehindIsNamedAndPassedOver(Packer packer) throws IOException {
        byte[] packed = packer.pack(stream);
        Path image = file("web.save", image(packer.format, packed), "old data".getBytes("ASCII"));
        runs("verify", image);
        String where = "byte " + (604 + packed.length);
        assertThat(err.toString()).contains(packer.id() + " data", where, "'old '");
        image =
                file(
                        "short",
                        image(packer.format, packer.pack(Arrays.copyOf(stream, stream.length / 2))),
                        "old data".getBytes("ASCII"));
        fails("verify", image);
        assertThat(err.toString()).contains("the stream ends at", "something else ('old ')");
    }

    @ParameterizedTest
    @EnumSource
    void aPipeBringsThemToo(Packer packer) throws IOException {
        byte[] image = image(packer.format, packer.pack(stream));
        var input = new StandardInput(Channels.newChannel(new ByteArrayInputStream(image)));
        try (Snapshot snapshot = Snapshot.once(StandardInput.NAME, input, 0);
                Plugins plugins = Plugins.discover()) {
            assertThat(snapshot.isOnce()).isTrue();
            Inspection seen =
                    new Engine(plugins.plus(snapshot.transport())).inspect(snapshot.uri());
            assertThat(seen.machine()).isEqualTo("small");
            assertThat(seen.blocks().getFirst().present().cardinality()).isEqualTo(32);
        }
    }

    @ParameterizedTest
    @CsvSource({"lzop", "lz4"})
    @Tag("LIB-5")
    void whatIsNotReadIsRefusedWithTheLineThatUnpacksIt(String by) throws Exception {
        byte[] magic =
                by.equals("lzop")
                        ? new byte[] {(byte) 0x89, 'L', 'Z', 'O', 0, '\r', '\n', 0x1a, '\n'}
                        : new byte[] {4, 0x22, 0x4d, 0x18};
        Path file = file("it's vm", magic, stream);
        unpacksByItsLine(file, by, magic);
    }

    @Test
    @Tag("LIB-4")
    void lzopsImageIsRefusedWithTheLineThatUnpacksIt() throws Exception {
        Path image = file("it's $web.save", image(4, stream));
        unpacksByItsLine(image, "lzop", new byte[0]);
        fails("inspect", image);
        assertThat(err.toString()).contains("libvirt save image packed with lzop", "+605");
        Path outer = file("outer", Packer.XZ.pack(image(4, stream)));
        unpacksByItsLine(outer, "lzop", new byte[0]);
    }

    /** The program here unpacks nothing, but takes away what stands for its magic. */
    private void unpacksByItsLine(Path file, String by, byte[] magic) throws Exception {
        for (String command : new String[] {"inspect", "verify"}) fails(command, file);
        assertThat(err.toString()).contains("packed with " + by);
        String line = err.toString().strip();
        line = line.substring(line.indexOf(": unpack it first: ") + 19);
        Path programs = Files.createDirectories(folder.resolve("bin"));
        Path program = programs.resolve(by);
        Files.writeString(program, "#!/bin/sh\nexec tail -c +" + (magic.length + 1) + "\n");
        assertThat(program.toFile().setExecutable(true)).isTrue();
        var shell = new ProcessBuilder("sh", "-ec", line).inheritIO();
        shell.environment().merge("PATH", programs.toString(), (old, first) -> first + ":" + old);
        Process process = shell.start();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
        Path unpacked = Path.of(file + ".unpacked");
        assertThat(unpacked).hasBinaryContent(stream);
        runs("verify", unpacked);
    }

    @Test
    @Tag("LIB-4")
    void aHeaderThatNamesAnotherFormatIsFoundOut() throws IOException {
        Path image = file("web.save", image(1, Packer.XZ.pack(stream)));
        fails("verify", image);
        assertThat(err.toString()).contains("packed with gzip follow at byte 604", "\\xfd7zX");
        runs("verify", image, "--offset", "604");
        runs("verify", file("plain", image(5, stream)), "--offset", "604");
        fails("verify", file("raw", image(0, Packer.XZ.pack(stream))));
        assertThat(err.toString()).contains("at byte 604", "it is packed with xz", "xz -dc");
    }

    @ParameterizedTest
    @CsvSource({
        "'\u007fELF\u0002\u0001\u0001',an ELF file,no devices",
        "'KDUMP   \u0006',a kdump,no devices",
        "'makedumpfile\u0000\u0000',a flattened kdump,makedumpfile -R",
        "'QFI\u00fb\u0000\u0000\u0000\u0003',a qcow2 disk image,-loadvm",
    })
    @Tag("LIB-7")
    void whatIsNoSnapshotIsRefusedByItsName(String first, String name, String instead)
            throws IOException {
        byte[] bytes = Arrays.copyOf(first.getBytes(StandardCharsets.ISO_8859_1), 100_000);
        Path file = file("file", bytes);
        Path result = folder.resolve("result");
        Object[][] commands = {
            {"inspect", file},
            {"verify", file},
            {"extract", file, "--block", "pc.ram", "-o", result},
            {"convert", file, result, "--format", "stream"},
            {"send", file, "file:" + result},
            {"inspect", file("packed", Packer.GZIP.pack(bytes))},
            {"inspect", file("web.save", image(0, bytes))},
            {"inspect", file("packed.save", image(3, Packer.XZ.pack(bytes)))},
        };
        for (Object[] command : commands) {
            fails(command);
            assertThat(err.toString()).contains("is no snapshot", name, instead);
        }
        assertThat(run("receive", "file:" + file, "-o", result)).isEqualTo(1);
        assertThat(err.toString()).contains("no migration stream", name, instead);
        assertThat(result).doesNotExist();
    }

    /** As docs/operations.md has it for hosts. */
    @Test
    void aHostReadsAnImageThroughACommand() throws IOException {
        Path image = file("web.save", image(1, Packer.GZIP.pack(stream)));
        Path received = folder.resolve("received");
        runs("receive", "exec:tail -c +605 " + image + " | gzip -dc", "-o", received);
        assertThat(extracted(received)).isEqualTo(machine.ram);
    }

    @ParameterizedTest
    @EnumSource
    @Tag("LIB-7")
    void aHostIsToldWhatTheFileIs(Packer packer) throws IOException {
        Path result = folder.resolve("result");
        Path file = file("vm", packer.pack(stream));
        assertThat(run("receive", "file:" + file, "-o", result)).isEqualTo(1);
        assertThat(err.toString()).contains("packed with " + packer.id(), packer.id() + " -dc");
        file = file("web.save", image(0, stream));
        assertThat(run("receive", "file:" + file, "-o", result)).isEqualTo(1);
        assertThat(err.toString()).contains("libvirt save image", "vmferry convert");
    }
}
