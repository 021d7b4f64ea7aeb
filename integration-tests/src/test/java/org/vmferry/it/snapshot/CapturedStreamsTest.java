package org.vmferry.it.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.Inspection;
import org.vmferry.it.support.Archives;
import org.vmferry.it.support.Captures;
import org.vmferry.it.support.Commands;
import org.vmferry.it.support.Leftovers;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.SectionStore.Section;
import org.vmferry.spi.machine.SectionStore.Section.Kind;

import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Streams that real QEMUs wrote (10.0.2; s390x-7.2 by 7.2) and that are not as those of a bare x86
 * machine: as files, and on a channel whose source says nothing more.
 */
@Timeout(120)
class CapturedStreamsTest {
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir Path folder;
    private final Engine engine = Engine.create();

    private Path file(String name) throws IOException {
        return Files.write(folder.resolve(name), Captures.bytes(name));
    }

    private List<Section> sections(Path file) throws Exception {
        return Archives.sections(folder, file);
    }

    private static List<String> order(List<Section> sections) {
        return sections.stream().map(s -> s.kind() + " " + s.id()).toList();
    }

    /** Sections, order and interleaving stay, in either layout and back. */
    @ParameterizedTest
    @MethodSource("org.vmferry.it.support.Captures#machines")
    @Tag("STR-20")
    @Tag("STR-22")
    void isVerifiedAndConvertedBothWays(String name) throws Exception {
        Path file = file(name);
        assertThat(Commands.ending(0, "verify", file).out()).contains("sound");
        Path mapped = folder.resolve("mapped");
        Path stream = folder.resolve("stream");
        Commands.ending(0, "convert", file, mapped, "--format", "mapped-ram");
        Commands.ending(0, "convert", mapped, stream, "--format", "stream");
        List<Section> wanted = sections(file);
        assertThat(sections(mapped)).isEqualTo(wanted);
        assertThat(sections(stream)).isEqualTo(wanted);
        assertThat(wanted).filteredOn(s -> s.id().equals("globalstate")).hasSize(1);
    }

    @Test
    @Tag("STR-4")
    @Tag("STR-22")
    void whatStoodBeforeRamsPagesStandsBeforeThem() throws Exception {
        assertThat(order(sections(file("virtio-mem"))))
                .startsWith(
                        "START ram",
                        "FULL 0000:00:02.0/virtio-mem-device-early",
                        "PART ram",
                        "END ram",
                        "FULL timer");
        assertThat(order(sections(file("pseries"))))
                .startsWith(
                        "START ram",
                        "START spapr/htab",
                        "PART ram",
                        "PART spapr/htab",
                        "PART spapr/htab",
                        "END ram",
                        "END spapr/htab",
                        "FULL timer");
        assertThat(sections(file("pseries")).get(3).payload().remaining())
                .as("the table's entries")
                .isEqualTo(100);
    }

    @Test
    @Tag("STR-21")
    void aBackgroundSnapshotsRamEndsWhereItsLastPartDid() throws Exception {
        assertThat(order(sections(file("background"))))
                .startsWith("START ram", "PART ram", "END ram", "FULL timer");
    }

    @Test
    @Tag("STR-10")
    void aDescriptionThatIsWrongAboutALengthIsSaidToBe() throws Exception {
        assertThat(Commands.ending(0, "inspect", file("s390x-7.2")).out())
                .contains("VMDESCRIPTION gives device 's390_css' instance 0 272 bytes, but it has");
    }

    @Test
    @Tag("STR-13")
    void namesOfFieldsAreLostWithTheDescription() throws Exception {
        assertThat(Commands.ending(0, "inspect", file("no-description")).out())
                .contains("without a VMDESCRIPTION, so nothing names the devices' fields");
    }

    @Test
    @Tag("STR-23")
    void devicesAloneAreSaidToBe() throws Exception {
        Path file = file("devices-only");
        assertThat(Commands.ending(0, "inspect", file).out())
                .contains("devices only", "Devices: 30");
        assertThat(Commands.ending(3, "verify", file).out())
                .contains("not whole: there is no RAM in it");
        Path out = folder.resolve("out");
        assertThat(Commands.ending(1, "convert", file, out, "--format", "stream").err())
                .contains("there is no RAM in it, but devices only");
        assertThat(out).doesNotExist();
    }

    /** Of such a file QEMU loads nothing but zeros. */
    @Test
    @Tag("STR-21")
    void withMappedRamABackgroundSnapshotCanOnlyBeRescued() throws Exception {
        byte[] all = Captures.bytes("background-mapped");
        Path file = folder.resolve("background-mapped");
        try (var holes =
                Files.newByteChannel(
                        file,
                        java.nio.file.StandardOpenOption.CREATE_NEW,
                        java.nio.file.StandardOpenOption.SPARSE,
                        java.nio.file.StandardOpenOption.WRITE)) {
            for (int at = 0; at < all.length; at += 4096) {
                int end = Math.min(all.length, at + 4096);
                byte[] page = Arrays.copyOfRange(all, at, end);
                if (end < all.length && Arrays.equals(page, new byte[4096])) continue;
                holes.position(at).write(ByteBuffer.wrap(page));
            }
        }
        assertThat(Commands.ending(0, "inspect", file).out())
                .contains("lost", "without the end of RAM");
        assertThat(Commands.ending(1, "verify", file).err())
                .contains("not sound", "background-snapshot");
        Path out = folder.resolve("bios");
        Object[] extract = {"extract", file, "--block", "pc.bios", "-o", out};
        assertThat(Commands.ending(1, extract).err())
                .contains("--rescue takes what the file has data for");
        assertThat(out).doesNotExist();
        Object[] rescue = Arrays.copyOf(extract, 7);
        rescue[6] = "--rescue";
        assertThat(Commands.ending(0, rescue).err()).contains("rescued", "nothing in it can prove");
        byte[] bios = Files.readAllBytes(out);
        assertThat(bios).hasSize(1 << 16);
        assertThat(Arrays.copyOf(bios, 3)).containsExactly(0xf4, 0xeb, 0xfd);
        assertThat(
                        Commands.ending(
                                        1,
                                        "convert",
                                        file,
                                        folder.resolve("c"),
                                        "--format",
                                        "stream")
                                .err())
                .contains("without the end of RAM");
    }

    /**
     * A file whose devices can't be told apart still has RAM; a name of the description differs.
     */
    @Test
    @Tag("STR-23")
    void whereDevicesCantBeToldApartRamIsStillToBeHad() throws Exception {
        byte[] all = Captures.bytes("virtio-mem");
        byte[] name = "\"name\": \"vmmouse\"".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        int at = all.length;
        for (int i = 0; i < all.length - name.length && at == all.length; i++)
            if (Arrays.equals(all, i, i + name.length, name, 0, name.length)) at = i;
        all[at + name.length - 2] = 'X';
        Path file = Files.write(folder.resolve("renamed"), all);
        assertThat(Commands.ending(0, "inspect", file).out())
                .contains("lost", "'vmmousX' instance 0 should begin", "pc.bios");
        assertThat(Commands.ending(1, "verify", file).err())
                .contains("can't be told apart", "vmmousX");
        Path out = folder.resolve("bios");
        assertThat(Commands.ending(0, "extract", file, "--block", "pc.bios", "-o", out).err())
                .contains("RAM only: ");
        assertThat(Arrays.copyOf(Files.readAllBytes(out), 3)).containsExactly(0xf4, 0xeb, 0xfd);
        assertThat(
                        Commands.ending(
                                        1,
                                        "convert",
                                        file,
                                        folder.resolve("c"),
                                        "--format",
                                        "stream")
                                .err())
                .contains("vmmousX");
    }

    /** Under another name nothing is known of it, but RAM's parts leave one reading. */
    @Test
    @Tag("STR-24")
    void aKnownSectionUnderAnotherNameIsCarriedAsItIs() throws Exception {
        byte[] all = Captures.bytes("pseries");
        for (int i = 0; i < 200; i++) if (all[i] == '/' && all[i + 1] == 'h') all[i + 1] = 'H';
        Path file = Files.write(folder.resolve("renamed"), all);
        assertThat(Commands.ending(0, "inspect", file).out())
                .contains("unknown sections 'spapr/Htab' 0");
        List<Section> known = sections(file("pseries"));
        List<Section> unknown = sections(file);
        assertThat(order(unknown))
                .startsWith(
                        "START ram",
                        "AS_IS spapr/Htab",
                        "PART ram",
                        "AS_IS spapr/Htab",
                        "AS_IS spapr/Htab",
                        "END ram",
                        "AS_IS spapr/Htab",
                        "FULL timer");
        for (int part : List.of(3, 4, 6)) {
            assertThat(unknown.get(part).payload().remaining())
                    .as("with mark, number and footer; SWITCHOVER_START stands behind one")
                    .isEqualTo(5 + known.get(part).payload().remaining() + 5 + (part == 4 ? 5 : 0));
        }
        ByteBuffer last = unknown.get(4).payload();
        byte[] command = new byte[5];
        last.get(last.limit() - 5, command);
        assertThat(command).containsExactly(8, 0, 11, 0, 0);
        assertThat(unknown.subList(7, unknown.size())).isEqualTo(known.subList(7, known.size()));
    }

    /** What is broken before RAM has no RAM to be had, and is not sound for want of it. */
    @Test
    @Tag("STR-23")
    void withoutRamNothingIsSavedOfABrokenOne() throws Exception {
        byte[] all = Captures.bytes("no-description");
        for (int i = 0; i < 200; i++)
            if (all[i] == 'r' && all[i + 1] == 'a' && all[i - 1] == 3) all[i + 1] = 'b';
        Path file = Files.write(folder.resolve("renamed"), all);
        assertThat(Commands.ending(1, "verify", file).err()).contains("section 'rbm'");
        assertThat(Commands.ending(1, "inspect", file).err()).contains("section 'rbm'");
    }

    /** All parts count as one; no description names what is in them. */
    @Test
    @Tag("STR-15")
    @Tag("STR-20")
    void whatGoesOnIsShownOnce() throws Exception {
        Path file = file("dirty-bitmaps");
        long bytes =
                sections(file).stream()
                        .filter(section -> section.id().equals("dirty-bitmap"))
                        .mapToLong(section -> section.payload().remaining())
                        .sum();
        assertThat(engine.inspect("file:" + file).devices())
                .filteredOn(device -> device.name().equals("dirty-bitmap"))
                .singleElement()
                .extracting(Inspection.Device::bytes)
                .isEqualTo(bytes);
        assertThat(Commands.ending(1, "inspect", file, "--device", "dirty-bitmap").err())
                .contains("goes on while the guest runs");
    }

    /** What comes without a return path and then nothing: accepted or refused, but soon. */
    @ParameterizedTest
    @CsvSource(
            textBlock =
                    """
                    virtio-mem,
                    no-description,
                    pseries,
                    s390x,
                    s390x-7.2,
                    dirty-bitmaps,
                    background,
                    devices-only, there is no RAM in it
                    """)
    @Tag("STR-13")
    @Tag("STR-22")
    void onAChannelEachEnds(String name, String refusal) throws Exception {
        Settings settings =
                Settings.NONE.parameter("eof-silence", "200").parameter("silence-timeout", "0");
        try (ArchiveMachine archive = ArchiveMachine.in(folder)) {
            Migration load = engine.receive(archive, "tcp:127.0.0.1:0", settings);
            URI address = URI.create(load.address().toString().replace("tcp:", "tcp://"));
            try (SocketChannel socket =
                    SocketChannel.open(
                            new java.net.InetSocketAddress("127.0.0.1", address.getPort()))) {
                ByteBuffer all = ByteBuffer.wrap(Captures.bytes(name));
                while (all.hasRemaining()) socket.write(all);
                assertThat(load.await(SOON)).as("it ends").isTrue();
                if (refusal == null) {
                    load.await();
                    List<Section> sections = new ArrayList<>();
                    archive.sections().sections().forEach(sections::add);
                    assertThat(sections).isEqualTo(sections(file(name)));
                    assertThat(sections)
                            .anyMatch(s -> s.kind() == Kind.END && s.id().equals("ram"));
                } else {
                    assertThat(catchThrowableOfType(MigrationException.class, load::await))
                            .hasMessageContaining(refusal);
                }
            }
        }
        Leftovers.assertNoThreadsAtAll();
    }
}
