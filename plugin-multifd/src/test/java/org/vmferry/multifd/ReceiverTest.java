package org.vmferry.multifd;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.doubles.Rams;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ForwardingChannel;
import org.vmferry.zstd.ZstdCodec;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.Deflater;

/** What peers may say, and what they must not. */
class ReceiverTest extends Receiving {
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
                .anyMatch(frame -> frame.getClassName().endsWith(".MultifdReceiver"));
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

    /** Headers alone come many at a time; the data behind them go where they belong. */
    @Test
    @Tag("MFD-4")
    void packetsOfZerosAreReadManyAtOnce() throws Exception {
        Wire.Pages zeros = new Wire.Pages().name("pc.ram");
        zeros.zero = 1;
        zeros.offsets[0] = 3 * PAGE;
        byte[][] parts = new byte[204][];
        Arrays.fill(parts, zeros.bytes());
        parts[0] = Wire.hello(0);
        parts[1] = Wire.sync();
        parts[202] = pages().bytes();
        parts[203] = Wire.sync();
        Scripted script = script(parts);
        receive(MODERN, script);
        assertApplied();
        assertThat(session.zero.sum()).isEqualTo(201);
        assertThat(script.reads()).isLessThan(30);
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
                    while (session.normal.sum() < 2) LockSupport.parkNanos(200_000);
                },
                script);
    }

    private static void await(CountDownLatch latch) throws IOException {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    /** Its machine may run by then. */
    @Test
    @Tag("MFD-20")
    void pagesBehindTheEndReachNoRam() throws Exception {
        int behind = Wire.hello(0).length + 2 * Wire.sync().length;
        Scripted script =
                new Scripted(
                        join(Wire.hello(0), Wire.sync(), Wire.sync(), pages().bytes()),
                        behind,
                        false);
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch finished = new CountDownLatch(1);
        Channel held =
                new ForwardingChannel(script) {
                    @Override
                    public int read(ByteBuffer target) throws IOException {
                        awaitWhatIsBehind();
                        return super.read(target);
                    }

                    @Override
                    public long read(ByteBuffer[] targets, int offset, int length)
                            throws IOException {
                        awaitWhatIsBehind();
                        return super.read(targets, offset, length);
                    }

                    private void awaitWhatIsBehind() throws IOException {
                        if (script.position() < behind) return;
                        asked.countDown();
                        await(finished);
                    }
                };
        receive(
                receiver -> {
                    MODERN.run(receiver);
                    await(asked);
                    receiver.finish();
                    finished.countDown();
                    while (!session.threads().isEmpty()) LockSupport.parkNanos(200_000);
                },
                held);
        for (int i = 0; i < 4; i++) assertThat(Rams.page(ram, i)).isEqualTo(page(100 + i));
    }
}
