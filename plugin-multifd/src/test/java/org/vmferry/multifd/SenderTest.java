package org.vmferry.multifd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.spi.carrier.PageCarrier.Channels;
import org.vmferry.spi.carrier.PageCarrier.Sender;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.doubles.Loopback;
import org.vmferry.spi.doubles.Rams;
import org.vmferry.spi.doubles.TestSession;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.option.Parameter;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.transport.Channel;
import org.vmferry.zstd.ZstdCodec;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;

/** What a sender says, read by somebody who knows only the rules. */
class SenderTest {
    private static final UUID ID = new UUID(77, 88);
    private static final long PAGE = 4096;

    private Options options = Options.DEFAULTS;
    private CompressionProvider codec;
    private TestSession session;

    /** A source's work. */
    interface Work {
        void run(Sender sender) throws IOException;
    }

    /** All packets of a save, channel by channel in the order of their ids. */
    private List<List<Wire.Pages>> save(List<RamBlock> blocks, Work work) throws Exception {
        int channels = options.get(MultifdOptions.CHANNELS);
        session = new TestSession("said", options, ID, codec);
        List<List<Wire.Pages>> said = new ArrayList<>();
        for (int i = 0; i < channels; i++) said.add(new ArrayList<>());
        List<Thread> readers = new ArrayList<>();
        try (Loopback loopback = new Loopback();
                Sender sender = new MultifdCarrier().sender(loopback.of(session), session)) {
            sender.connect();
            for (int i = 0; i < channels; i++) {
                SocketChannel socket = loopback.accept();
                readers.add(Thread.ofPlatform().start(() -> listen(socket, said)));
            }
            sender.start(blocks);
            work.run(sender);
            sender.finish();
            for (Thread reader : readers) reader.join();
        }
        assertThat(session.failure()).isNull();
        assertThat(session.threads()).isEmpty();
        return said;
    }

    private static void listen(SocketChannel socket, List<List<Wire.Pages>> said) {
        try (DataInputStream in =
                new DataInputStream(new BufferedInputStream(socket.socket().getInputStream()))) {
            byte[] hello = in.readNBytes(64);
            assertThat(hello).isEqualTo(Wire.hello(0x11223344, 1, ID, hello[24]));
            List<Wire.Pages> packets = said.get(hello[24]);
            for (Wire.Pages next = Wire.read(in, 128); next != null; next = Wire.read(in, 128)) {
                packets.add(next);
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static RamBlock ram(int pages) {
        RamBlock ram = Rams.block("pc.ram", pages, true);
        for (int i = 0; i < pages; i++) {
            byte[] page = new byte[4096];
            new Random(i).nextBytes(page);
            page[0] = 1;
            Rams.write(ram, i, page);
        }
        return ram;
    }

    private static void round(Sender sender) throws IOException {
        assertThat(sender.endRound()).isTrue();
        sender.endSection();
    }

    @Test
    @Tag("MFD-1")
    @Tag("MFD-4")
    @Tag("MFD-9")
    @Tag("MFD-12")
    @Tag("MFD-13")
    @Tag("MFD-15")
    void packetsAreAsTheRulesSay() throws Exception {
        RamBlock ram = ram(300);
        Rams.write(ram, 5, new byte[4096]);
        Rams.write(ram, 7, new byte[4096]);
        options = options.with(MultifdOptions.CHANNELS, 3);
        List<List<Wire.Pages>> said =
                save(
                        List.of(ram),
                        sender -> {
                            round(sender);
                            sender.send(new Run(ram, 0, 300));
                            round(sender);
                        });
        List<Wire.Pages> pages = new ArrayList<>();
        for (List<Wire.Pages> channel : said) {
            assertThat(channel.getFirst().bytes()).startsWith(syncWith(channel.getFirst().number));
            assertThat(channel.getLast().flags).isEqualTo(1);
            assertThat(channel.stream().filter(p -> p.flags == 1)).hasSize(2);
            channel.stream().filter(p -> p.flags == 0).forEach(pages::add);
        }
        assertThat(said.stream().flatMap(List::stream).map(p -> p.number).sorted())
                .containsExactlyElementsOf(LongStream.range(0, 9).boxed().toList());
        pages.sort((a, b) -> Long.compare(a.offsets[0], b.offsets[0]));
        assertThat(pages).hasSize(3);
        Wire.Pages first = pages.getFirst();
        assertThat(first.block()).isEqualTo("pc.ram");
        assertThat(first.alloc).isEqualTo(128);
        assertThat(first.normal).isEqualTo(126);
        assertThat(first.zero).isEqualTo(2);
        assertThat(first.offsets[4]).isEqualTo(4 * 4096);
        assertThat(first.offsets[5]).isEqualTo(6 * 4096);
        assertThat(first.offsets[125]).isEqualTo(127 * 4096);
        assertThat(first.offsets[126]).isEqualTo(5 * 4096);
        assertThat(first.offsets[127]).isEqualTo(7 * 4096);
        for (Wire.Pages packet : pages) {
            assertThat(packet.size).isEqualTo(packet.normal * 4096);
            for (int i = 0; i < packet.normal; i++) {
                assertThat(java.util.Arrays.copyOfRange(packet.data, i * 4096, (i + 1) * 4096))
                        .isEqualTo(Rams.page(ram, packet.offsets[i] / 4096));
            }
        }
    }

    private static byte[] syncWith(long number) {
        Wire.Pages sync = new Wire.Pages();
        sync.flags = 1;
        sync.alloc = 0;
        sync.number = number;
        return java.util.Arrays.copyOf(sync.bytes(), 320);
    }

    @Test
    @Tag("MFD-14")
    void legacyLeavesZeroPagesToTheMainStream() throws Exception {
        for (String who : List.of("multifd", "legacy", "none")) {
            options = options.with(MultifdOptions.ZERO_PAGES, who);
            List<RamBlock> blocks = List.of(ram(1));
            save(
                    blocks,
                    sender -> assertThat(sender.leavesZeroPages()).isEqualTo(who.equals("legacy")));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "legacy"})
    @Tag("MFD-14")
    void whoDoesNotLookSendsZeroPagesAsTheyAre(String who) throws Exception {
        options = options.with(MultifdOptions.ZERO_PAGES, who);
        RamBlock ram = Rams.block("pc.ram", 10, false);
        List<List<Wire.Pages>> said =
                save(List.of(ram), sender -> sender.send(new Run(ram, 0, 10)));
        Wire.Pages packet = said.stream().flatMap(List::stream).toList().getFirst();
        assertThat(packet.normal).isEqualTo(10);
        assertThat(packet.data).isEqualTo(new byte[40960]);
    }

    @Test
    @Tag("MFD-16")
    void theOldDialectSynchronisesEachSection() throws Exception {
        options = options.with(MultifdOptions.FLUSH_EACH_SECTION, true);
        RamBlock ram = ram(10);
        List<List<Wire.Pages>> said =
                save(
                        List.of(ram),
                        sender -> {
                            assertThat(sender.endRound()).isFalse();
                            sender.endSection();
                            sender.send(new Run(ram, 0, 10));
                            assertThat(sender.endRound()).isFalse();
                            sender.endSection();
                        });
        for (List<Wire.Pages> channel : said) {
            assertThat(channel.stream().filter(p -> p.flags == 1)).hasSize(2);
            assertThat(channel.getLast().flags).isEqualTo(1);
        }
    }

    /** More than a job takes, between pages that are in use; in runs as the engine's. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Tag("MFD-4")
    @Tag("MFD-12")
    void pagesThatAreKnownToBeZeroAreNotLookedAtAndGoManyAtOnce(boolean compressed)
            throws Exception {
        if (compressed) codec = new ZlibCodec();
        int from = 256;
        int to = from + 60 * 128 + 60;
        int tail = 64 * 128;
        int pages = tail + 200;
        RamBlock real = Rams.block("pc.ram", pages, true);
        for (int i = 0; i < pages; i++) Rams.fill(real, i, 7); // who looks finds no zeros
        RamBlock ram =
                new ForwardingBlock(real) {
                    @Override
                    public boolean isKnownZero(long offset, long bytes) {
                        return offset >= from * PAGE && offset + bytes <= to * PAGE
                                || offset >= tail * PAGE;
                    }
                };
        List<List<Wire.Pages>> said =
                save(
                        List.of(ram),
                        sender -> {
                            for (int first = 0; first < pages; first += 256)
                                sender.send(new Run(ram, first, Math.min(256, pages - first)));
                            sender.endRound();
                        });
        BitSet zeros = new BitSet();
        BitSet others = new BitSet();
        int packets = 0;
        for (Wire.Pages packet : said.stream().flatMap(List::stream).toList()) {
            if (packet.flags == 1) continue;
            packets++;
            assertThat(packet.flags).isEqualTo(compressed ? 1 << 1 : 0);
            assertThat(packet.block()).isEqualTo("pc.ram");
            assertThat(packet.normal + packet.zero).isBetween(1, 128);
            for (int i = 0; i < packet.normal + packet.zero; i++) {
                int page = (int) (packet.offsets[i] / PAGE);
                assertThat(zeros.get(page) || others.get(page)).as("twice").isFalse();
                (i < packet.normal ? others : zeros).set(page);
            }
        }
        BitSet absent = new BitSet();
        absent.set(from, to / 128 * 128); // what shares a packet with others is looked at
        absent.set(tail, pages);
        assertThat(zeros).isEqualTo(absent);
        absent.flip(0, pages);
        assertThat(others).isEqualTo(absent);
        assertThat(session.zero.sum()).isEqualTo(zeros.cardinality());
        assertThat(session.permitted.sum()).isEqualTo(session.bytes.sum());
        assertThat(packets).isGreaterThan(60);
        assertThat(session.writes.sum()).isLessThan(15);
    }

    @Test
    @Tag("MFD-6")
    @Tag("MFD-11")
    void aPacketOfZerosHasAMethodAndNoData() throws Exception {
        codec = new ZlibCodec();
        RamBlock ram = Rams.block("pc.ram", 10, true);
        List<List<Wire.Pages>> said =
                save(
                        List.of(ram),
                        sender -> {
                            sender.send(new Run(ram, 0, 10));
                            sender.endRound();
                        });
        List<Wire.Pages> all = said.stream().flatMap(List::stream).toList();
        Wire.Pages packet = all.stream().filter(p -> p.zero > 0).findFirst().orElseThrow();
        assertThat(packet.flags).isEqualTo(1 << 1);
        assertThat(packet.size).isZero();
        assertThat(packet.normal).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"zlib", "zstd"})
    @Tag("MFD-10")
    void theLevelReachesTheCodec(String name) throws Exception {
        codec = name.equals("zlib") ? new ZlibCodec() : new ZstdCodec();
        int best = name.equals("zlib") ? 9 : 19;
        RamBlock ram = Rams.block("pc.ram", 128, true);
        Random random = new Random(1);
        String[] words = "the guest writes while its memory is on the way to there".split(" ");
        for (int i = 0; i < 128; i++) {
            StringBuilder text = new StringBuilder();
            while (text.length() < 4096) text.append(words[random.nextInt(words.length)]);
            Rams.write(ram, i, text.substring(0, 4096).getBytes());
        }
        long standard = size(ram); // nothing set: level 1
        options = options.with(codec.level(), 1);
        assertThat(size(ram)).isEqualTo(standard);
        options = options.with(codec.level(), best);
        assertThat(size(ram)).isLessThan(standard * 9 / 10);
        options = options.with(codec.level(), 0);
        if (name.equals("zlib")) assertThat(size(ram)).isGreaterThan(128 * 4096);
    }

    private long size(RamBlock ram) throws Exception {
        List<List<Wire.Pages>> said =
                save(
                        List.of(ram),
                        sender -> {
                            sender.send(new Run(ram, 0, 128));
                            sender.endRound();
                        });
        return said.stream().flatMap(List::stream).mapToLong(p -> p.size).sum();
    }

    /** Lets the "guest" write while it compresses, and passes on what it was given. */
    private record Meddling(RamBlock ram) implements CompressionProvider {
        private static final Parameter<Integer> LEVEL = Parameter.count("meddling", 1, 0, 9);

        @Override
        public String id() {
            return "meddling";
        }

        @Override
        public List<Option<?>> options() {
            return List.of(LEVEL);
        }

        @Override
        public int wireMethod() {
            return 31;
        }

        @Override
        public Parameter<Integer> level() {
            return LEVEL;
        }

        @Override
        public Compressor compressor(int level) {
            return new Compressor() {
                @Override
                public int maximumOutput(int length) {
                    return length;
                }

                @Override
                public void compress(ByteBuffer source, ByteBuffer target, boolean endOfPacket) {
                    byte[] changed = new byte[4096];
                    java.util.Arrays.fill(changed, (byte) 99);
                    for (int i = 0; i < 4; i++) Rams.write(ram, i, changed);
                    target.put(source);
                }

                @Override
                public void close() {}
            };
        }

        @Override
        public Decompressor decompressor() {
            throw new AssertionError();
        }
    }

    @Test
    @Tag("MFD-19")
    void aPageIsCopiedBeforeItIsCompressed() throws Exception {
        RamBlock ram = ram(4);
        byte[] before = Rams.content(ram);
        codec = new Meddling(ram);
        List<List<Wire.Pages>> said = save(List.of(ram), sender -> sender.send(new Run(ram, 0, 4)));
        Wire.Pages packet = said.stream().flatMap(List::stream).toList().getFirst();
        assertThat(packet.data).isEqualTo(before);
        assertThat(packet.flags).isEqualTo(31 << 1);
    }

    @Test
    @Tag("MFD-22")
    void oneChannelThatCannotBeOpenedFailsAllWhenTheOthersAreSettled() throws Exception {
        options = options.with(MultifdOptions.CHANNELS, 8);
        session = new TestSession("opening", options);
        CountDownLatch failed = new CountDownLatch(1);
        session.onFail.add(failed::countDown);
        AtomicInteger opened = new AtomicInteger();
        AtomicInteger inFlight = new AtomicInteger();
        try (Loopback loopback = new Loopback()) {
            Channels real = loopback.of(new TestSession("unused", options));
            Channels channels =
                    new Channels() {
                        @Override
                        public Channel open() throws IOException {
                            int number = opened.incrementAndGet();
                            if (number == 8) throw new IOException("no route to there");
                            if (number < 4) return real.open();
                            inFlight.incrementAndGet();
                            try {
                                // Comes through only after another one has failed.
                                failed.await();
                                return real.open();
                            } catch (InterruptedException e) {
                                throw new IOException(e);
                            } finally {
                                inFlight.decrementAndGet();
                            }
                        }
                    };
            Sender sender = new MultifdCarrier().sender(channels, session);
            try (sender) {
                assertThatThrownBy(() -> sender.connect())
                        .hasMessageContaining("could not be opened")
                        .hasMessageContaining("no route to there");
                assertThat(inFlight).hasValue(0);
            }
        }
        assertThat(session.threads()).isEmpty();
    }

    @Test
    @Tag("MFD-22")
    void aPeerThatGoesEndsTheSendersWait() throws Exception {
        RamBlock ram = ram(20_000);
        session = new TestSession("deserted", options, ID, null);
        try (Loopback loopback = new Loopback();
                Sender sender = new MultifdCarrier().sender(loopback.of(session), session)) {
            sender.connect();
            SocketChannel stays = loopback.accept();
            SocketChannel goes = loopback.accept();
            sender.start(List.of(ram));
            Thread leaver =
                    Thread.ofPlatform()
                            .start(
                                    () -> {
                                        try {
                                            goes.read(ByteBuffer.allocate(100_000));
                                            goes.close();
                                        } catch (IOException e) {
                                            throw new AssertionError(e);
                                        }
                                    });
            assertThatThrownBy(
                            () -> {
                                sender.send(new Run(ram, 0, 20_000));
                                sender.endRound();
                            })
                    .hasMessageMatching("multifd channel [01] to loopback: .*");
            leaver.join();
            stays.close();
        }
        assertThat(session.threads()).isEmpty();
        assertThat(session.failure()).isNotNull();
    }

    @Test
    @Tag("MFD-22")
    void aCancelledMigrationEndsTheSendersWait() throws Exception {
        RamBlock ram = ram(20_000);
        session = new TestSession("cancelled", options, ID, null);
        try (Loopback loopback = new Loopback();
                Sender sender = new MultifdCarrier().sender(loopback.of(session), session)) {
            sender.connect();
            sender.start(List.of(ram)); // and nobody reads
            Thread canceller =
                    Thread.ofPlatform()
                            .start(
                                    () -> {
                                        while (session.bytes.sum() == 0)
                                            LockSupport.parkNanos(200_000);
                                        session.fail(new IOException("cancelled"));
                                    });
            assertThatThrownBy(
                            () -> {
                                sender.send(new Run(ram, 0, 20_000));
                                sender.endRound();
                            })
                    .hasMessageContaining("cancelled");
            canceller.join();
        }
        assertThat(session.threads()).isEmpty();
    }
}
