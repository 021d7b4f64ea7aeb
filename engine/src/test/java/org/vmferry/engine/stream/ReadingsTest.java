package org.vmferry.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.mockito.Mockito.atLeast;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.verify;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.engine.Bytes;
import org.vmferry.engine.stream.Readings.Reading;
import org.vmferry.engine.transport.LocalFileTransport;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.session.Session;
import org.vmferry.spi.transport.Address;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** In how many ways a file with an unknown section can be read; its guest writes into that. */
@Timeout(120)
@Tag("STR-24")
class ReadingsTest {
    private static final int PAGE = 256, X = 5, RAM = 2;
    private static final String DEVICE =
            "{\"name\":\"d\",\"instance_id\":0,\"fields\":[{\"size\":3}]}";

    @TempDir Path folder;
    private boolean placed;
    private int pages = 2;

    private static Bytes startX(Bytes to, byte... payload) {
        return to.u8(1).u32(X).str8("odd").u32(7).u32(1).raw(payload).footer(X);
    }

    private static Bytes x(Bytes to, int mark, byte... payload) {
        return to.u8(mark).u32(X).raw(payload).footer(X);
    }

    private Bytes startRam(Bytes to) {
        return to.ramStart(RAM).u64(pages).u64(0x10).footer(RAM);
    }

    /** A section of RAM with some pages. */
    private static Bytes ram(Bytes to, int mark, int... pages) {
        to.u8(mark).u32(RAM);
        for (int page : pages) to.u64(page * PAGE | 8).str8("a").raw(PAGE, 0x7e);
        return to.u64(0x10).footer(RAM);
    }

    private static Bytes end(Bytes to) {
        return to.full(9, "d", 0, 1, (byte) 7, (byte) 8, (byte) 9)
                .description(description(PAGE, DEVICE));
    }

    /** The usual order, with this in the middle of one of the payloads. */
    private byte[] around(byte... middle) {
        Bytes bytes = startRam(startX(new Bytes(), (byte) 1));
        x(ram(x(bytes, 2, (byte) 2), 2, 0), 2, new Bytes().u8(3).raw(middle).u8(4).array());
        return end(x(ram(ram(bytes, 2, 1), 3), 3, (byte) 5)).array();
    }

    private static byte[] bytes(Consumer<Bytes> what) {
        Bytes bytes = new Bytes();
        what.accept(bytes);
        return bytes.array();
    }

    private Reading read(byte... bytes) throws IOException {
        return read(Files.write(folder.resolve("stream"), bytes), StreamReaderTest.SESSION);
    }

    private Reading read(Path file, Session session) throws IOException {
        try (var end =
                        new LocalFileTransport()
                                .incoming(Address.parse("file:" + file), Options.DEFAULTS);
                FileStreamIn in = new FileStreamIn(end)) {
            return new Readings(
                            session,
                            in,
                            0,
                            (list, pageSize) -> {
                                long pages = list.u64();
                                return placed ? Map.of() : Map.of("a", pages);
                            },
                            placed)
                    .only(0);
        }
    }

    private void refused(byte[] bytes, String sentence) {
        assertThatThrownBy(() -> read(bytes))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining(sentence)
                .extracting(e -> ((MigrationException) e).blame())
                .isEqualTo(Blame.PEER);
    }

    private void severalWays(byte... bytes) {
        refused(bytes, "can be read in several ways");
    }

    /** Marks of the steps. */
    private static List<Integer> marks(Reading reading, byte... bytes) {
        return reading.steps().stream().map(step -> (int) bytes[(int) step.start()]).toList();
    }

    /** RAM's START, both of its parts, its END, and the device. */
    private void usual(byte... bytes) throws IOException {
        Reading reading = read(bytes);
        assertThat(marks(reading, bytes)).containsExactly(1, 2, 2, 3, 4);
        for (var step : reading.steps())
            assertThat(bytes[(int) step.end() - 5]).isEqualTo((byte) 0x7e);
        assertThat(reading.end().end()).isEqualTo(bytes.length);
        assertThat(reading.heads()).containsOnlyKeys(X);
        assertThat(reading.heads().get(X)).isEqualTo(new Readings.Head("odd", 7, 1));
        assertThat(reading.ramNumber()).isEqualTo(RAM);
    }

    /** A part with pages in it that is taken for payload leaves RAM without them. */
    @Test
    void partsThatAlternateWithRamsAreReadInOneWay() throws IOException {
        usual(around());
    }

    /** Of a section that says all in its START (Proxmox' pbs-state) nothing can be swallowed. */
    @Test
    void whatOnlyBeginsIsReadInOneWayOfARunningGuestToo() throws IOException {
        Bytes bytes = startX(startRam(new Bytes()), (byte) 0x7e, (byte) 0, (byte) 2);
        ram(ram(ram(bytes, 2, 1), 2, 1), 3, 1); // and page 0 never
        assertThat(marks(read(end(bytes).array()), bytes.array())).containsExactly(1, 2, 2, 3, 4);
    }

    /** To whom marks between an unknown section's bytes belong makes no difference. */
    @Test
    void imitatedFootersAndMarksOfItsOwnAreCarriedAsTheyAre() throws IOException {
        usual(around(bytes(b -> x(b.footer(X), 2).u8(2).u32(X))));
        usual(around(bytes(b -> b.footer(X).footer(RAM).footer(9).u8(0, 6, 0, 0, 0, 2, '{', '}'))));
        usual(around(bytes(b -> ram(b.footer(X), 2).u8(2).u32(X))));
    }

    /** All pages come with it and without. */
    @Test
    void anImitatedPartOfRamMakesTwoReadings() {
        severalWays(around(bytes(b -> ram(b.footer(X), 2, 1).u8(2).u32(X))));
        severalWays(
                around(
                        bytes(
                                b ->
                                        b.footer(X)
                                                .u8(2)
                                                .u32(RAM)
                                                .u64(0x140)
                                                .str8("a")
                                                .u8(1)
                                                .u16(0)
                                                .u64(0x10)
                                                .footer(RAM)
                                                .u8(2)
                                                .u32(X))));
        severalWays(
                around(
                        bytes(
                                b ->
                                        b.footer(X)
                                                .u8(2)
                                                .u32(RAM)
                                                .u64(0x200)
                                                .u64(0x10)
                                                .footer(RAM)
                                                .u8(2)
                                                .u32(X))));
    }

    /** What RAM lacks (memory that is not plugged in) may be what a payload imitates. */
    @Test
    void pagesThatComeTwiceAndOthersNeverAreNotWholeRam() {
        pages = 3;
        severalWays(around(bytes(b -> ram(b.footer(X), 2, 1).u8(2).u32(X))));
    }

    /** A guest that ran: nothing tells its second round from an imitated one. */
    @Test
    void aSecondRoundMakesTwoReadings() {
        Bytes bytes = startX(startRam(new Bytes()));
        x(ram(x(bytes, 2), 2, 0, 1), 2);
        severalWays(end(x(ram(x(ram(bytes, 2, 1), 2), 3), 3)).array());
    }

    @Test
    void anImitatedEndOfRamMakesTwoReadings() {
        severalWays(around(bytes(b -> ram(ram(b.footer(X), 2, 1), 3).u8(2).u32(X))));
    }

    @Test
    void anImitatedEndMakesTwoReadings() {
        byte[] rest = bytes(b -> end(ram(ram(b.footer(X), 2, 1), 3)));
        severalWays(around(rest));
    }

    /** The description has one such device, and RAM one START. */
    @Test
    void imitatedDevicesAndBeginningsMakeNone() throws IOException {
        usual(
                around(
                        bytes(
                                b ->
                                        b.footer(X)
                                                .full(9, "d", 0, 1, (byte) 1, (byte) 1, (byte) 1)
                                                .u8(2)
                                                .u32(X))));
        usual(around(bytes(b -> startRam(b.footer(X)).u8(2).u32(X))));
    }

    /** Taken for payload it would be missing: the description names it. */
    @Test
    void aDeviceAmongUnknownPartsIsReadInOneWay() throws IOException {
        Bytes bytes = startX(startRam(new Bytes()), (byte) 1);
        x(bytes.full(9, "d", 0, 1, (byte) 7, (byte) 8, (byte) 9), 2);
        x(ram(ram(bytes, 2, 0), 3, 1), 3).description(description(PAGE, DEVICE));
        assertThat(marks(read(bytes.array()), bytes.array())).containsExactly(1, 4, 2, 3);
    }

    /** Empty, so each page would still come once. */
    @Test
    void behindRamsEndNoneOfItsPartsIsLookedFor() throws IOException {
        Bytes bytes = ram(ram(startRam(startX(new Bytes())), 2, 0), 3, 1);
        x(bytes, 2, bytes(b -> ram(b.footer(X), 2).u8(2).u32(X)));
        byte[] all = end(x(bytes, 3)).array();
        assertThat(marks(read(all), all)).containsExactly(1, 2, 3, 4);
    }

    /** Each may have begun behind each of the devices. */
    @Test
    void whatMayBeOpenIsBounded() throws IOException {
        byte[] few = sections(6, 30);
        assertThat(marks(read(few), few)).hasSize(33);
        refused(sections(10, 30), "over 256 unknown sections are open");
    }

    private byte[] sections(int count, int devices) {
        Bytes bytes = startRam(new Bytes());
        for (int id = 10; id < 10 + count; id++) {
            bytes.u8(1).u32(id).str8("odd").u32(id).u32(1).footer(id);
        }
        for (int i = 0; i < devices; i++) {
            bytes.full(9, "d", 0, 1, (byte) 7, (byte) 8, (byte) 9);
            for (int id = 10; id < 10 + count; id++) bytes.u8(2).u32(id).footer(id);
        }
        return ram(ram(bytes, 2, 0), 3, 1).description(description(PAGE, devices)).array();
    }

    @Test
    void moreEndsThanAreReadAreRefused() throws IOException {
        usual(around(ends(15)));
        refused(around(ends(16)), "over 16 ends seem to stand in the file");
    }

    /** Their descriptions are none. */
    private static byte[] ends(int count) {
        Bytes bytes = new Bytes();
        for (int i = 0; i < count; i++) bytes.footer(X).description("{x");
        return bytes.array();
    }

    /** After each of these devices the payload that ends may have begun. */
    private static Bytes amongDevices(Bytes to, int count) {
        for (int i = 0; i < count; i++) x(to.full(9, "d", 0, 1, (byte) 7, (byte) 8, (byte) 9), 2);
        return to;
    }

    private static String description(int pageSize, String... devices) {
        return "{\"page_size\":%d,\"devices\":[%s]}".formatted(pageSize, String.join(",", devices));
    }

    private static String description(int pageSize, int count) {
        return description(pageSize, Collections.nCopies(count, DEVICE).toArray(String[]::new));
    }

    @Test
    void whatMayHaveComeInTooManyWaysIsRefused() throws IOException {
        Bytes few = amongDevices(startX(startRam(new Bytes())), 30);
        x(ram(ram(few, 2, 0), 3, 1), 3).description(description(PAGE, 30));
        assertThat(marks(read(few.array()), few.array())).hasSize(33);
        Bytes many = amongDevices(startX(startRam(new Bytes())), 70);
        x(ram(ram(many, 2, 0), 3, 1), 3).description(description(PAGE, 70));
        refused(many.array(), "over 64 at one place");
    }

    /** Each of these pages would be 64 KiB, and what follows it is looked at then. */
    @Test
    void placesAheadAreBounded() {
        Bytes bytes = amongDevices(startX(startRam(new Bytes())), 60);
        byte[] unit = bytes(b -> b.footer(X).u8(2).u32(RAM).u64(0x28));
        for (int i = 0; i < 10_000; i++) bytes.raw(unit);
        x(bytes.u8(2).u32(X), 3).description(description(1 << 16, 60));
        refused(bytes.array(), "over 131072 at once");
    }

    /** RAM's parts hold nothing there: rounds make no difference. */
    @Test
    void withRamElsewhereAnyRoundsAreReadInOneWay() throws IOException {
        placed = true;
        Bytes bytes = startX(startRam(new Bytes()));
        for (int i = 0; i < 3; i++) ram(x(bytes, 2, (byte) i), 2);
        assertThat(marks(read(end(x(ram(bytes, 3), 3)).array()), bytes.array()))
                .containsExactly(1, 3, 4);
    }

    @Test
    void whatBelongsToNoReadingIsRefused() {
        pages = 3;
        refused(around(), "in several ways, and in none of them all pages of RAM come");
        pages = 2;
        byte[] cut = around();
        refused(Arrays.copyOf(cut, cut.length - 1), "no VMDESCRIPTION behind it");
        byte[] other = around();
        other[new String(other, StandardCharsets.ISO_8859_1).indexOf("\1d\0") + 1]++;
        refused(other, "in no way that fits its VMDESCRIPTION");
    }

    /** An image of a disk lies sparse in a snapshot that was copied by who keeps holes. */
    @Test
    void holesCostNothing() throws IOException {
        long hole = 4L << 40;
        byte[] all = around((byte) 0x55);
        int middle = new String(all, StandardCharsets.ISO_8859_1).indexOf('U');
        Path file = Files.write(folder.resolve("sparse"), Arrays.copyOf(all, middle));
        try (FileChannel out = FileChannel.open(file, StandardOpenOption.WRITE)) {
            out.write(ByteBuffer.wrap(all, middle, all.length - middle), middle + hole);
        }
        Reading reading = read(file, StreamReaderTest.SESSION);
        assertThat(reading.steps()).hasSize(5);
        assertThat(reading.end().end()).isEqualTo(all.length + hole);
    }

    /** Who looks for an end, and who follows the ways to it: either passes all of it. */
    @Test
    void whoLooksThroughMuchHearsOfACancel() throws IOException {
        byte[] much = new byte[16 << 20];
        Arrays.fill(much, (byte) 0x55);
        Path file = Files.write(folder.resolve("stream"), around(much));
        Session session = mock();
        read(file, session);
        verify(session, atLeast(2 * 16)).check();
    }

    /** 64 MiB of them; what is refused, is refused because some bound is met. */
    @ParameterizedTest
    @CsvSource({
        "own, ''",
        "ram, over 1048576",
        "page, over 1048576",
        "device, over",
        "begin, over 64"
    })
    void imitationsWithoutEndTakeBoundedTimeAndHeap(String kind, String refusal) throws Exception {
        byte[] unit =
                switch (kind) {
                    case "own" -> bytes(b -> b.footer(X).u8(2).u32(X));
                    case "ram" ->
                            bytes(
                                    b ->
                                            b.footer(X)
                                                    .u8(2)
                                                    .u32(RAM)
                                                    .u64(0x22)
                                                    .u8(0)
                                                    .u64(0x10)
                                                    .footer(RAM)
                                                    .u8(2)
                                                    .u32(X));
                    case "page" -> bytes(b -> b.footer(X).u8(2).u32(RAM).u64(0x28).u8(2).u32(X));
                    case "device" ->
                            bytes(
                                    b ->
                                            b.footer(X)
                                                    .u8(4)
                                                    .u32(9)
                                                    .str8("d")
                                                    .u32(0)
                                                    .u32(1)
                                                    .raw((byte) 1, (byte) 2, (byte) 3)
                                                    .footer(9)
                                                    .u8(2)
                                                    .u32(X));
                    default -> bytes(b -> b.footer(X));
                };
        Bytes many = new Bytes();
        for (int i = 0; many.size() < 64 << 20; i++) {
            many.raw(unit);
            if (kind.equals("begin")) many.u8(1).u32(100 + i).str8("e").u32(0).u32(0);
        }
        byte[] all = around(many.array());
        if (refusal.isEmpty()) usual(all);
        else refused(all, refusal);
    }
}
