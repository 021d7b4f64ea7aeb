package org.vmferry.multifd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.compression.CompressionProvider.Compressor;
import org.vmferry.spi.compression.CompressionProvider.Decompressor;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Random;

class ZlibCodecTest {
    private static final int PACKET = 1 << 19;
    private static final int TOP = 9;

    private final CompressionProvider codec = new ZlibCodec();
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
