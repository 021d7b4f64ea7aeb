package org.vmferry.zstd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.EndDirective;
import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.compression.CompressionProvider.Compressor;
import org.vmferry.spi.compression.CompressionProvider.Decompressor;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;

class ZstdCodecTest {
    private static final int PACKET = 1 << 19;
    private static final int TOP = 20;

    private final CompressionProvider codec = new ZstdCodec();
    private final Random random = new Random(3);

    private ByteBuffer pages(int noise) {
        byte[] bytes = new byte[PACKET];
        for (int i = 0; i < bytes.length; i++) bytes[i] = (byte) random.nextInt(noise);
        return ByteBuffer.allocateDirect(PACKET).put(bytes).flip();
    }

    private static ByteBuffer room(int bytes) {
        return ByteBuffer.allocateDirect(bytes);
    }

    @Test
    @Tag("MFD-10")
    void packetsAreOneStreamAtEveryLevel() throws Exception {
        for (int level = 0; level <= TOP; level += level < 3 ? 1 : 4) {
            try (Compressor compressor = codec.compressor(level);
                    Decompressor decompressor = codec.decompressor()) {
                for (int noise : new int[] {256, 1, 4, 256, 17}) {
                    ByteBuffer pages = pages(noise);
                    ByteBuffer data = room(compressor.maximumOutput(PACKET));
                    // Runs of pages come one by one; only the last one flushes.
                    compressor.compress(pages.slice(0, 4096), data, false);
                    compressor.compress(pages.slice(4096, 8192), data, false);
                    compressor.compress(pages.slice(12288, PACKET - 12288), data, true);
                    data.flip();
                    assertThat(data.limit()).isLessThanOrEqualTo(1 << 20);
                    ByteBuffer decoded = room(PACKET);
                    decompressor.decompress(data, decoded.slice(0, 100_000));
                    decompressor.decompress(data, decoded.slice(100_000, PACKET - 100_000));
                    decompressor.endPacket(data);
                    assertThat(data.hasRemaining()).isFalse();
                    assertThat(decoded).isEqualTo(pages);
                }
            }
        }
    }

    @Test
    @Tag("MFD-10")
    void theLevelCounts() throws Exception {
        assertThat(size(TOP)).isLessThan(size(1));
    }

    private int size(int level) throws IOException {
        random.setSeed(9);
        try (Compressor compressor = codec.compressor(level)) {
            ByteBuffer data = room(compressor.maximumOutput(PACKET));
            compressor.compress(pages(5), data, true);
            return data.position();
        }
    }

    @Test
    @Tag("MFD-10")
    void outputIsBounded() throws Exception {
        try (Compressor compressor = codec.compressor(1)) {
            assertThat(compressor.maximumOutput(PACKET)).isBetween(PACKET, 1 << 20);
            assertThatThrownBy(() -> compressor.compress(pages(256), room(PACKET / 2), true))
                    .isInstanceOfSatisfying(
                            MigrationException.class,
                            e -> assertThat(e.blame()).isEqualTo(Blame.PLUGIN));
        }
    }

    @Test
    @Tag("MFD-10")
    void whatIsWrongIsThePeersFault() throws Exception {
        byte[] data;
        try (Compressor compressor = codec.compressor(1)) {
            ByteBuffer room = room(compressor.maximumOutput(PACKET));
            compressor.compress(pages(3), room, true);
            data = new byte[room.flip().remaining()];
            room.get(data);
        }
        refused("end 1 bytes before its pages do", data, data.length, PACKET + 1);
        refused("bytes before its pages do", data, data.length - 9, PACKET);
        refused("decode to more than its pages", data, data.length, PACKET - 1);
        refused("decode to more than its pages", data, data.length, 4096);
        data[0] ^= 0x33;
        refused(codec.id() + ": bad data", data, data.length, PACKET);
    }

    /** Each channel would have allocated as much at once: level 22 asks for 128 MiB. */
    @Test
    @Tag("MFD-10")
    void aWindowBeyondAnyLevelsIsRefused() throws Exception {
        for (int log = 20; log <= 31; log++) {
            byte[] data = compressed(log);
            try (Decompressor decompressor = codec.decompressor()) {
                ByteBuffer source = room(data.length).put(data).flip();
                if (1L << log <= FrameHeader.LARGEST_WINDOW) {
                    decompressor.decompress(source, room(PACKET));
                } else {
                    assertThatThrownBy(() -> decompressor.decompress(source, room(PACKET)))
                            .hasMessageContaining("a window of " + (1L << log) + " bytes");
                }
            }
        }
    }

    @Test
    @Tag("MFD-10")
    void aLaterFrameIsLookedAtToo() throws Exception {
        byte[] first = Zstd.compress(new byte[PACKET], 1);
        byte[] second = compressed(27);
        try (Decompressor decompressor = codec.decompressor()) {
            ByteBuffer source = room(first.length + second.length).put(first).put(second).flip();
            decompressor.decompress(source, room(PACKET));
            assertThatThrownBy(() -> decompressor.decompress(source, room(PACKET)))
                    .hasMessageContaining("a window of");
        }
    }

    /** Else a header in two packets would not be looked at. */
    @Test
    @Tag("MFD-10")
    void aPacketDoesNotEndWithinAFramesHeader() throws Exception {
        byte[] data = compressed(27);
        for (int length = 1; length < 6; length++) {
            try (Decompressor decompressor = codec.decompressor()) {
                ByteBuffer source = room(length).put(data, 0, length).flip();
                assertThatThrownBy(() -> decompressor.decompress(source, room(PACKET)))
                        .hasMessageContaining("end within a frame's header");
            }
        }
    }

    @Test
    @Tag("MFD-10")
    void aSingleSegmentsWindowIsItsContent() {
        for (long size : new long[] {200, 70_000, 1 << 25, (1 << 25) + 1, 1L << 40, -1}) {
            ByteBuffer header = ByteBuffer.allocate(13).order(ByteOrder.LITTLE_ENDIAN);
            header.putInt(0xFD2FB528).put((byte) 0xe0).putLong(size).flip();
            if (size >= 0 && size <= FrameHeader.LARGEST_WINDOW) {
                assertThatCode(() -> FrameHeader.check(header)).doesNotThrowAnyException();
            } else {
                assertThatThrownBy(() -> FrameHeader.check(header))
                        .hasMessageContaining(Long.toUnsignedString(size));
            }
        }
    }

    /** A packet's pages, of a peer that chooses its window. */
    private byte[] compressed(int windowLog) {
        try (ZstdCompressCtx context = new ZstdCompressCtx()) {
            ByteBuffer data = room((int) Zstd.compressBound(PACKET) + 64);
            context.setLevel(1).setWindowLog(windowLog);
            context.compressDirectByteBufferStream(data, pages(3), EndDirective.FLUSH);
            byte[] bytes = new byte[data.flip().remaining()];
            data.get(bytes);
            return bytes;
        }
    }

    private void refused(String message, byte[] data, int length, int pages) throws IOException {
        try (Decompressor decompressor = codec.decompressor()) {
            ByteBuffer source = room(length).put(data, 0, length).flip();
            assertThatThrownBy(
                            () -> {
                                decompressor.decompress(source, room(pages));
                                decompressor.endPacket(source);
                            })
                    .hasMessageContaining(message)
                    .isInstanceOfSatisfying(
                            MigrationException.class,
                            e -> assertThat(e.blame()).isEqualTo(Blame.PEER));
        }
    }
}
