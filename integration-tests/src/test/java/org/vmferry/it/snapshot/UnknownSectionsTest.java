package org.vmferry.it.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.Inspection;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.QemuBinary;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Archives;
import org.vmferry.it.support.Captures;
import org.vmferry.it.support.Commands;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.SectionStore.Section;
import org.vmferry.spi.machine.SectionStore.Section.Kind;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * Sections of which nobody knows where they end. The real one is a 7.2's {@code block}: a guest's
 * disk, whose content stands between RAM's parts.
 */
@Timeout(180)
@Tag("STR-24")
class UnknownSectionsTest {
    private static final Duration SOON = Duration.ofSeconds(60);

    /** Where its START stands, and where the disk's content goes on. */
    private static final int FIRST = 26, DISK = 176965;

    @TempDir Path folder;
    private final Engine engine = Engine.create();

    private Path file(String name, byte[] bytes) throws IOException {
        return Files.write(folder.resolve(name), bytes);
    }

    private Path captured() throws IOException {
        return file("block", Captures.bytes("block-7.2"));
    }

    private static byte[] insert(byte[] into, int at, byte... bytes) {
        byte[] all = Arrays.copyOf(into, into.length + bytes.length);
        System.arraycopy(bytes, 0, all, at, bytes.length);
        System.arraycopy(into, at, all, at + bytes.length, into.length - at);
        return all;
    }

    private List<Section> sections(Path file) throws Exception {
        return Archives.sections(folder, file);
    }

    private static byte[] asIs(List<Section> sections) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (Section section : sections) {
            if (section.kind() != Kind.AS_IS) continue;
            byte[] bytes = new byte[section.payload().remaining()];
            section.payload().duplicate().get(bytes);
            all.writeBytes(bytes);
        }
        return all.toByteArray();
    }

    private static List<Section> devices(List<Section> sections) {
        return sections.stream().filter(section -> section.kind() == Kind.FULL).toList();
    }

    private byte[] ram(Path file) throws IOException {
        Path out = folder.resolve("ram-of-" + file.getFileName());
        Commands.ending(0, "extract", file, "--block", "pc.ram", "-o", out);
        return Files.readAllBytes(out);
    }

    @Test
    void aRealOneGoesThroughEveryCommandAsItIs() throws Exception {
        Path file = captured();
        assertThat(Commands.ending(0, "verify", file).out()).contains("sound");
        assertThat(Commands.ending(0, "inspect", file).out())
                .contains("unknown sections 'block' 0", "can be read in one way only");
        List<Section> sections = sections(file);
        assertThat(sections.stream().map(s -> s.kind() + " " + s.id()))
                .startsWith(
                        "AS_IS block",
                        "START ram",
                        "AS_IS block",
                        "PART ram",
                        "AS_IS block",
                        "AS_IS block",
                        "END ram",
                        "FULL timer");
        assertThat(asIs(sections)).hasSizeGreaterThan(3 << 20);
        Path stream = folder.resolve("stream");
        Commands.ending(0, "convert", file, stream, "--format", "stream");
        assertThat(asIs(sections(stream))).isEqualTo(asIs(sections));
        assertThat(devices(sections(stream))).isEqualTo(devices(sections));
        Path mapped = folder.resolve("mapped");
        Commands.ending(0, "convert", file, mapped, "--format", "mapped-ram");
        Path back = folder.resolve("back");
        Commands.ending(0, "convert", mapped, back, "--format", "stream");
        // RAM's first part has no pages there, and so stands among what is as it is.
        HexFormat hex = HexFormat.of();
        assertThat(
                        hex.formatHex(asIs(sections(back)))
                                .replace("020000000200000000000000107e00000002", ""))
                .isEqualTo(hex.formatHex(asIs(sections)));
        byte[] ram = ram(file);
        assertThat(ram).hasSize(8 << 20).contains('1');
        for (Path each : List.of(stream, mapped, back)) assertThat(ram(each)).isEqualTo(ram);
    }

    /** What Proxmox writes where backups have bitmaps: all in its START. */
    @Test
    void oneThatOnlyBeginsStandsBesideAnother() throws Exception {
        byte[] state = new byte[29 + 300];
        ByteBuffer.wrap(state)
                .put((byte) 1)
                .putInt(77)
                .put((byte) 9)
                .put("pbs-state".getBytes(StandardCharsets.US_ASCII))
                .putInt(0)
                .putInt(1)
                .putLong(293)
                .position(324)
                .put((byte) 0x7e)
                .putInt(77);
        Path file = file("pbs", insert(Captures.bytes("block-7.2"), FIRST, state));
        assertThat(Commands.ending(0, "inspect", file).out())
                .contains("unknown sections 'block' 0, 'pbs-state' 0");
        Path stream = folder.resolve("stream");
        Commands.ending(0, "convert", file, stream, "--format", "stream");
        assertThat(asIs(sections(stream))).startsWith(state);
        assertThat(engine.inspect("file:" + file).devices())
                .filteredOn(device -> device.name().equals("pbs-state"))
                .extracting(Inspection.Device::version)
                .containsExactly(1);
    }

    /** On the guest's disk stands what looks like a part of RAM. */
    @Test
    void anImitatedPartOfRamIsRefusedByName() throws Exception {
        byte[] part =
                HexFormat.of()
                        .parseHex(
                                "7e00000001"
                                        + "0200000002"
                                        + "0000000000000002"
                                        + "06"
                                        + HexFormat.of()
                                                .formatHex(
                                                        "pc.ram"
                                                                .getBytes(
                                                                        StandardCharsets.US_ASCII))
                                        + "00"
                                        + "0000000000000010"
                                        + "7e00000002"
                                        + "0200000001");
        Path file = file("imitated", insert(Captures.bytes("block-7.2"), DISK + 1000, part));
        assertThat(Commands.ending(1, "verify", file).err())
                .contains(
                        "section 'block' instance 0 at 26 goes on",
                        "the file can be read in several ways",
                        "of a mapped-ram file RAM can be extracted");
    }

    @Test
    void onASocketItIsRefusedAtOnce() throws Exception {
        Settings settings = Settings.NONE.parameter("silence-timeout", "0");
        try (ArchiveMachine archive = ArchiveMachine.in(folder)) {
            Migration load = engine.receive(archive, "tcp:127.0.0.1:0", settings);
            URI address = URI.create(load.address().toString().replace("tcp:", "tcp://"));
            try (SocketChannel socket =
                    SocketChannel.open(new InetSocketAddress("127.0.0.1", address.getPort()))) {
                socket.write(ByteBuffer.wrap(Captures.bytes("block-7.2"), 0, 1000));
                assertThat(load.await(SOON)).as("it ends").isTrue();
                assertThat(catchThrowableOfType(MigrationException.class, load::await))
                        .hasMessageContainingAll("section 'block'", "only a whole file");
            }
        }
    }

    @Test
    void withMultifdItIsNotSent() throws Exception {
        assertThat(
                        Commands.ending(
                                        1,
                                        "send",
                                        captured(),
                                        "unix:" + folder.resolve("s"),
                                        "-c",
                                        "multifd")
                                .err())
                .contains("can't be sent with multifd");
    }

    /** Its disk and its RAM are what they were, over a socket too. */
    @Test
    @RequiresQemu(old = true)
    void itsQemuLoadsItsDisk() throws Exception {
        Path disk = folder.resolve("disk");
        byte[] content = new byte[2 << 20];
        for (int i = 0; i < content.length; i++) content[i] = (byte) (i >> 9 ^ i);
        Files.write(disk, content);
        Path saved = folder.resolve("saved");
        byte[] memory;
        try (Qemu source = withDisk(disk).start()) {
            source.stop();
            source.setCapabilities("block");
            source.migrate("exec:cat > " + saved);
            source.awaitMigration(SOON);
            memory = source.memory(0, 1 << 20);
        }
        Path stream = folder.resolve("stream");
        Commands.ending(0, "convert", saved, stream, "--format", "stream");
        for (String how : List.of("exec:cat " + stream, "tcp:127.0.0.1:0")) {
            Path empty = Files.write(folder.resolve("empty"), new byte[content.length]);
            try (Qemu destination = withDisk(empty).incoming().start()) {
                destination.setCapabilities("block");
                destination.migrateIncoming(how);
                if (how.startsWith("tcp")) {
                    Commands.ending(
                            0, "send", saved, "tcp:127.0.0.1:" + destination.incomingPort());
                }
                destination.awaitMigration(SOON);
                assertThat(destination.memory(0, 1 << 20)).as(how).isEqualTo(memory);
                destination.quit();
            }
            assertThat(Files.readAllBytes(empty)).as(how).isEqualTo(content);
        }
    }

    private static org.vmferry.it.qemu.QemuBuilder withDisk(Path disk) {
        return Qemu.builder()
                .binary(QemuBinary.old().orElseThrow())
                .memory(16)
                .paused()
                .options("-drive", "file=" + disk + ",format=raw,if=virtio");
    }
}
