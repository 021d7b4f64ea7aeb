package org.vmferry.multifd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.layout.Placement;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.transport.Channel;
import org.vmferry.zstd.ZstdCodec;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.zip.Deflater;

/** What peers may say, and what they must not. Pages of 64 KiB keep packets small. */
class ReceiverTest {
    private static final int PAGE = 1 << 16;
    private static final int HEADER = 320 + 8 * 8;

    private final RamBlock ram = Rams.block("pc.ram", 4, PAGE, true);
    private final byte[] one = page(1);
    private final byte[] two = page(2);
    private CompressionProvider codec;
    private long patience = 60_000;
    private TestSession session;
    private String machine = ""; // of which nothing is known
    private Runnable beforeStart = () -> {};

    /** The main stream's part. */
    interface Main {
        void run(FramedReceiver receiver) throws IOException;
    }

    private static final Main MODERN =
            receiver -> {
                receiver.sync();
                receiver.endSection();
                receiver.sync();
                receiver.endSection();
            };

    @BeforeEach
    void somethingIsThereAlready() {
        for (int i = 0; i < 4; i++) Rams.write(ram, i, page(100 + i));
    }

    private static byte[] page(long seed) {
        byte[] page = new byte[PAGE];
        new Random(seed).nextBytes(page);
        return page;
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (byte[] part : parts) bytes.writeBytes(part);
        return bytes.toByteArray();
    }

    /** Pages 2 and 0 with data, page 3 zero. */
    private Wire.Pages pages() {
        Wire.Pages packet = new Wire.Pages().name("pc.ram");
        packet.normal = 2;
        packet.zero = 1;
        packet.size = 2 * PAGE;
        packet.offsets[0] = 2 * PAGE;
        packet.offsets[2] = 3 * PAGE;
        packet.data = join(one, two);
        return packet;
    }

    private void assertApplied() {
        assertThat(Rams.page(ram, 2)).isEqualTo(one);
        assertThat(Rams.page(ram, 0)).isEqualTo(two);
        assertThat(Rams.page(ram, 3)).isEqualTo(new byte[PAGE]);
        assertThat(Rams.page(ram, 1)).isEqualTo(page(101));
    }

    /** One load over scripted channels; throws what it met, and leaves no thread. */
    private void receive(Main main, Channel... scripts) throws Exception {
        receive(scripts.length, main, scripts);
    }

    private void receive(int channels, Main main, Channel... scripts) throws Exception {
        Options options = Options.DEFAULTS.with(MultifdCarrier.CHANNELS, channels);
        session = new TestSession("scripted", options, new UUID(0, 0), codec);
        Placement.Framed framed =
                () -> {
                    throw new AssertionError("for a sender");
                };
        session.patience = patience;
        session.silence = patience;
        session.channels.addAll(Arrays.asList(scripts));
        List<Thread> greeters = new ArrayList<>();
        FramedReceiver receiver = new FramedReceiver(session);
        try (receiver) {
            for (Channel script : scripts) greeters.add(Loopback.greet(receiver, script));
            receiver.connect(machine);
            beforeStart.run();
            receiver.start(framed, List.of(ram));
            main.run(receiver);
            receiver.finish();
        } finally {
            for (Thread greeter : greeters) greeter.join();
        }
        assertThat(session.failure()).isNull();
        assertThat(session.threads()).isEmpty();
    }

    private void receive(byte[]... script) throws Exception {
        receive(MODERN, script(script));
    }

    private static Scripted script(byte[]... parts) {
        return new Scripted(join(parts), 0, false);
    }

    /** A hello, and one byte that says that it lives. */
    @Test
    @Tag("MFD-18")
    void noPacketIsReadBeforeTheBlocksAreKnown() throws Exception {
        Scripted script = script(Wire.hello(0), Wire.sync(), pages().bytes(), Wire.sync());
        beforeStart =
                () -> {
                    while (!waitsForStart()) assertThat(session.failure()).isNull();
                    assertThat(script.position()).isEqualTo(64 + 1);
                };
        receive(MODERN, script);
        assertApplied();
    }

    private boolean waitsForStart() {
        return Thread.getAllStackTraces().entrySet().stream()
                .filter(one -> one.getKey().getName().equals("scripted-multifd-recv-0"))
                .filter(one -> one.getKey().getState() == Thread.State.WAITING)
                .flatMap(one -> Arrays.stream(one.getValue()))
                .anyMatch(frame -> frame.getClassName().endsWith(".FramedReceiver"));
    }

    private void refused(String message, Main main, Channel... scripts) {
        refused(scripts.length, message, main, scripts);
    }

    private void refused(int channels, String message, Main main, Channel... scripts) {
        assertThatThrownBy(() -> receive(channels, main, scripts))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining(message);
        assertThat(session.failure()).hasMessageContaining(message);
        assertThat(session.threads()).isEmpty();
        for (Channel script : scripts) assertThat(script.isOpen()).isFalse();
    }

    private void refused(String message, Consumer<Wire.Pages> spoil) {
        Wire.Pages packet = pages();
        packet.number = 7;
        spoil.accept(packet);
        refused(message, MODERN, script(Wire.hello(0), Wire.sync(), packet.bytes(), Wire.sync()));
    }

    @Test
    @Tag("MFD-9")
    @Tag("MFD-13")
    @Tag("MFD-15")
    void pagesArrive() throws Exception {
        receive(Wire.hello(0), Wire.sync(), pages().bytes(), Wire.sync());
        assertApplied();
        assertThat(session.normal.sum()).isEqualTo(2);
        assertThat(session.zero.sum()).isEqualTo(1);
        assertThat(session.bytes.sum()).isEqualTo(3 * HEADER + 2 * PAGE);
    }

    @Test
    @Tag("MFD-4")
    void packetsSplitAtEveryByte() throws Exception {
        byte[] script = join(Wire.hello(0), Wire.sync(), pages().bytes(), Wire.sync());
        int dataFrom = 64 + 2 * HEADER;
        for (int split = 1; split < script.length; split++) {
            // The middle of a page is like its neighbours.
            int inPage = (split - dataFrom) % PAGE;
            if (split > dataFrom && inPage > 50 && inPage < PAGE - 50) continue;
            somethingIsThereAlready();
            receive(MODERN, new Scripted(script, split, false));
            assertApplied();
        }
    }

    @Test
    @Tag("MFD-20")
    @Tag("MFD-22")
    void streamsCutAtEveryByte() {
        byte[] script = join(Wire.hello(0), Wire.sync(), pages().bytes(), Wire.sync());
        int dataFrom = 64 + 2 * HEADER;
        for (int cut = 0; cut < script.length; cut++) {
            int inPage = (cut - dataFrom) % PAGE;
            if (cut > dataFrom && inPage > 5 && inPage < PAGE - 5) continue;
            byte[] rest = Arrays.copyOf(script, cut);
            boolean between = cut == 64 + HEADER || cut == script.length - HEADER;
            patience = cut <= 64 ? 20 : 60_000; // one that never began is waited for
            refused(
                    cut <= 64
                            ? "a channel is missing"
                            : between ? "ended before the SYNC" : "before the end of what it began",
                    MODERN,
                    new Scripted(rest, 0, false));
        }
    }

    @Test
    @Tag("MFD-4")
    @Tag("MFD-5")
    @Tag("MFD-6")
    @Tag("MFD-7")
    @Tag("MFD-8")
    @Tag("MFD-9")
    void everyFieldIsChecked() {
        refused("channel 0, packet 7: magic 0x11223345", p -> p.magic++);
        refused("version 2, expected 1", p -> p.version++);
        refused("flags 0x40: device state is not supported", p -> p.flags = 1 << 6);
        refused("flags 0x80", p -> p.flags = 1 << 7);
        refused("flags 0x80000000", p -> p.flags = 1 << 31);
        refused("compression method 1, expected 0", p -> p.flags = 1 << 1);
        refused("compression method 16, expected 0", p -> p.flags = 16 << 1);
        refused("pages_alloc 9 is over 8", p -> p.alloc = 9);
        refused("pages_alloc 4294967295 is over 8", p -> p.alloc = -1);
        refused("normal_pages 9 is over 8", p -> p.normal = 9);
        refused("normal_pages 2 is over 1", p -> p.alloc = 1);
        refused("normal_pages 2147483648 is over 8", p -> p.normal = Integer.MIN_VALUE);
        refused("zero_pages 7 is over 6", p -> p.zero = 7);
        refused("zero_pages 4294967295 is over 6", p -> p.zero = -1);
        refused("next_packet_size 131071 for 2 pages of 65536", p -> p.size--);
        refused("next_packet_size 4294967295 for 2 pages", p -> p.size = -1);
        refused("next_packet_size 0 for 2 pages", p -> p.size = 0);
        refused("no RAM block 'pc.rom'", p -> p.name("pc.rom"));
        refused("ramblock is empty", p -> p.name(""));
        refused("ramblock is not ended by a NUL", p -> Arrays.fill(p.name, (byte) 'x'));
        refused("ramblock is no UTF-8", p -> p.name[0] = (byte) 0xff);
        refused("offset[0] 0x40000 is no page", p -> p.offsets[0] = 4 * PAGE);
        refused("offset[1] 0x1 is no page", p -> p.offsets[1] = 1);
        refused("offset[2] 0xffffffffffff0000", p -> p.offsets[2] = -PAGE);
        refused("offset[2] 0x7fffffffffff0000", p -> p.offsets[2] = Long.MAX_VALUE - PAGE + 1);
        // What is wrong anywhere keeps the whole packet out of RAM.
        for (int i = 0; i < 4; i++) assertThat(Rams.page(ram, i)).isEqualTo(page(100 + i));
    }

    @Test
    @Tag("MFD-10")
    void aCompressedSizeIsBoundedBeforeItIsAllocated() {
        codec = new ZlibCodec();
        refused(
                "next_packet_size 1048577 is over 1048576",
                p -> {
                    p.flags = 1 << 1;
                    p.size = (1 << 20) + 1;
                });
        refused(
                "next_packet_size 4294967295 is over 1048576",
                p -> {
                    p.flags = 1 << 1;
                    p.size = -1;
                });
        refused("compression method 0, expected 1", p -> {});
        refused("compression method 2, expected 1", p -> p.flags = 2 << 1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"zlib", "zstd"})
    @Tag("MFD-10")
    void compressedDataMustBeExact(String name) throws Exception {
        codec = name.equals("zlib") ? new ZlibCodec() : new ZstdCodec();
        byte[] exact = compress(join(one, two));
        receive(
                Wire.hello(0),
                Wire.sync(),
                compressed(exact).bytes(),
                new Wire.Pages().bytes(),
                Wire.sync());
        assertApplied();
        refusedData(
                "the packet's data decode to more than its pages",
                compress(join(one, two, new byte[1])));
        refusedData(
                "the packet's data decode to more than its pages",
                compress(join(one, two, new byte[900_000])));
        refusedData(
                "the packet's data end 1 bytes before its pages do",
                compress(Arrays.copyOf(join(one, two), 2 * PAGE - 1)));
        refusedData("bytes before its pages do", Arrays.copyOf(exact, exact.length / 2));
        byte[] bad = exact.clone();
        bad[0] ^= 0x55;
        refusedData(codec.id() + ": bad data", bad);
    }

    private Wire.Pages compressed(byte[] data) {
        Wire.Pages packet = pages();
        packet.flags = codec.wireMethod() << 1;
        packet.data = data;
        packet.size = data.length;
        return packet;
    }

    private void refusedData(String message, byte[] data) {
        refused(
                message,
                MODERN,
                script(Wire.hello(0), Wire.sync(), compressed(data).bytes(), Wire.sync()));
        assertThat(session.failure())
                .hasMessageStartingWith("multifd channel 0, packet 0: " + codec.id());
    }

    private byte[] compress(byte[] pages) throws IOException {
        try (CompressionProvider.Compressor compressor = codec.compressor(1)) {
            return Codecs.compress(compressor, pages);
        }
    }

    @Test
    @Tag("MFD-10")
    void aFinishedStreamIsRefused() {
        codec = new ZlibCodec();
        Deflater deflater = new Deflater(1);
        deflater.setInput(join(one, two));
        deflater.finish();
        byte[] data = new byte[3 * PAGE];
        data = Arrays.copyOf(data, deflater.deflate(data));
        deflater.end();
        refused(
                "zlib: the stream was finished",
                MODERN,
                script(Wire.hello(0), Wire.sync(), compressed(data).bytes(), Wire.sync()));
    }

    @Test
    @Tag("MFD-11")
    @Tag("MFD-12")
    @Tag("MFD-17")
    void oldPeersHabits() throws Exception {
        Wire.Pages empty = new Wire.Pages();
        empty.size = 123456; // stale: no data follows
        Wire.Pages last = pages();
        last.flags = 1; // pages and SYNC at once
        receive(
                receiver -> {
                    receiver.endSection(); // no mark before: the old dialect
                    receiver.endSection();
                    receiver.endSection();
                },
                script(
                        Wire.hello(0),
                        Wire.sync(),
                        empty.bytes(),
                        Wire.sync(),
                        new Wire.Pages().bytes(),
                        last.bytes()));
        assertApplied();
    }

    @Test
    @Tag("MFD-16")
    void inTheModernDialectASectionsEndIsNoSync() throws Exception {
        receive(
                receiver -> {
                    receiver.sync();
                    receiver.endSection();
                    receiver.endSection();
                    receiver.endSection();
                },
                script(Wire.hello(0), Wire.sync()));
    }

    @Test
    @Tag("MFD-20")
    void pagesThatNobodyWaitsForAreRefused() {
        Scripted script = script(Wire.hello(0), Wire.sync(), pages().bytes(), Wire.sync());
        refused(
                "pages after the main stream's last sync",
                receiver -> {
                    receiver.sync();
                    receiver.endSection();
                    while (session.normal.sum() < 2) Thread.onSpinWait();
                },
                script);
    }

    /** A QEMU before 10.0 ends its TLS channels without a word, and has sent everything. */
    @ParameterizedTest
    @ValueSource(strings = {"pc-i440fx-7.2", "pc-q35-9.2", "raspi3b", ""})
    @Tag("MFD-20")
    void anOldPeersChannelThatIsCutHasEnded(String of) throws Exception {
        machine = of;
        receive(
                receiver -> {
                    MODERN.run(receiver);
                    while (!session.threads().isEmpty()) Thread.onSpinWait();
                },
                new Scripted(numbered(), 0, false).cut());
        assertApplied();
        // Not while it is waited for, and not within a packet.
        byte[] script = join(Wire.hello(0), Wire.sync(), pages().bytes());
        refused("ended before the SYNC", MODERN, new Scripted(script, 0, false).cut());
        byte[] less = Arrays.copyOf(script, script.length - 1);
        refused("it was cut", MODERN, new Scripted(less, 0, false).cut());
    }

    private byte[] numbered() {
        Wire.Pages pages = pages();
        pages.number = 1;
        return join(Wire.hello(0), Wire.sync(0), pages.bytes(), Wire.sync(2));
    }

    @ParameterizedTest
    @ValueSource(strings = {"pc-i440fx-10.0", "virt-11.0", "mine"})
    @Tag("MFD-20")
    void aNewPeersMustEndInOrder(String of) {
        machine = of;
        refused(
                "it was cut",
                receiver -> {
                    MODERN.run(receiver);
                    while (session.failure() == null) Thread.onSpinWait();
                },
                new Scripted(numbered(), 0, false).cut());
    }

    private static Scripted stalled(byte[]... parts) {
        return new Scripted(join(parts), 0, true);
    }

    private static Scripted living(int id) {
        return stalled(Wire.hello(id), Wire.sync());
    }

    @Test
    @Tag("MFD-2")
    void whoDoesNotBelongFailsNothing() throws Exception {
        Channel[] strangers = {
            script(Wire.hello(0x11223344, 1, new UUID(1, 1), 1)),
            script(Wire.hello(0x11223344, 2, new UUID(0, 0), 1)),
            script(Wire.hello(0x11223345, 1, new UUID(0, 0), 1)),
            script(Arrays.copyOf(Wire.hello(1), 60)),
            script(),
            script(Wire.hello(0), Wire.sync(), pages().bytes(), Wire.sync())
        };
        receive(1, MODERN, strangers);
        assertApplied();
        for (int i = 0; i < 5; i++) assertThat(strangers[i].isOpen()).isFalse();
    }

    @Test
    @Tag("MFD-2")
    void anotherMachinesChannelsAreNamedWhereOnesOwnAreMissing() {
        patience = 200;
        refused(
                1,
                "others came for machine 00000000-0000-0001-0000-000000000001",
                MODERN,
                script(Wire.hello(0x11223344, 1, new UUID(1, 1), 0)));
    }

    @Test
    @Tag("MFD-2")
    @Tag("MFD-22")
    void whatBelongsAndIsTooManyFailsIt() {
        refused(2, "id 0, which is taken by one from script", MODERN, living(0), living(0));
        refused(2, "id 2, there are 2 here", MODERN, living(0), living(2));
        // It lives, as far as can be told.
        refused(2, "id 0, which is taken", MODERN, stalled(Wire.hello(0)), stalled(Wire.hello(0)));
    }

    /** What a source that died has left: its channels' ends are there, and its ids are free. */
    @Test
    @Tag("MFD-2")
    void aDeadSourcesChannelsGiveTheirIdsUp() throws Exception {
        receive(
                2,
                MODERN,
                script(Wire.hello(0)),
                script(Wire.hello(1)),
                script(Wire.hello(1), Wire.sync(), Wire.sync()),
                script(Wire.hello(0), Wire.sync(), pages().bytes(), Wire.sync()));
        assertApplied();
    }

    @Test
    @Tag("MFD-23")
    void stallsEnd() {
        patience = 200;
        refused(
                "of 2, 1 said hello and 1 began within 200 ms",
                MODERN,
                stalled(Arrays.copyOf(Wire.hello(1), 63)),
                living(0));
        refused(
                "multifd channel 1 from script: nothing came for 200 ms",
                MODERN,
                living(0),
                stalled(Wire.hello(1), Arrays.copyOf(Wire.sync(), 99)));
    }

    @Test
    @Tag("MFD-23")
    void aChannelIsTimedByItsOwnBytes() {
        patience = 300;
        byte[] begun = join(Wire.hello(0), Wire.sync(), Arrays.copyOf(pages().bytes(), HEADER));
        refused(
                "multifd channel 1 from script: nothing came for 300 ms",
                MODERN,
                new Scripted(begun, 0, true).dripping(),
                stalled(Wire.hello(1), Wire.sync()));
    }

    private static byte[] sync(long number) {
        Wire.Pages packet = new Wire.Pages();
        packet.alloc = 0;
        packet.flags = 1;
        packet.number = number;
        return packet.bytes();
    }

    private byte[] pages(long number) {
        Wire.Pages packet = pages();
        packet.number = number;
        return packet.bytes();
    }

    /** A channel that is not here took number 2, and pages with it. */
    @ParameterizedTest
    @ValueSource(strings = {"java", "pc-i440fx-9.0", "virt-10.1"})
    @Tag("MFD-12")
    void aGapInTheNumbersIsAnErrorAtTheSync(String name) {
        machine = name;
        refused(
                "from number 1 on, 2 came by this sync, numbered 1 to 3",
                MODERN,
                script(Wire.hello(0), sync(0), pages(1), sync(3)));
        refused(
                "from number 0 on, 1 came by this sync, numbered 1 to 1",
                MODERN,
                script(Wire.hello(0), sync(1), pages(2), sync(3)));
        refused("numbered 1 to 1", MODERN, script(Wire.hello(0), sync(0), pages(1), sync(1)));
        refused("numbered -1 to -1", MODERN, script(Wire.hello(0), sync(-1), sync(1)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "pc-i440fx-8.2", "pc-q35-rhel9.4.0", "raspi3b"})
    @Tag("MFD-12")
    void oldPeersNumbersAreNotLookedAt(String name) throws Exception {
        machine = name;
        receive(Wire.hello(0), sync(0), pages(7), sync(7));
        assertApplied();
    }

    @Test
    @Tag("MFD-12")
    void numbersGoOverAllChannels() throws Exception {
        machine = "java";
        receive(
                MODERN,
                script(Wire.hello(0), sync(1), pages(3), sync(5)),
                script(Wire.hello(1), sync(0), pages(2), sync(4)));
        assertApplied();
    }

    @Test
    @Tag("MFD-17")
    void anyOrderOfHellos() throws Exception {
        receive(
                MODERN,
                script(Wire.hello(1), Wire.sync(), Wire.sync()),
                script(Wire.hello(2), Wire.sync(), pages().bytes(), Wire.sync()),
                script(Wire.hello(0), Wire.sync(), Wire.sync()));
        assertApplied();
    }
}
