package org.vmferry.testkit.parts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.multifd.ZlibCodec;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.compression.CompressionProvider.Compressor;
import org.vmferry.spi.compression.CompressionProvider.Decompressor;
import org.vmferry.testkit.conformance.CompressionConformance;
import org.vmferry.zstd.ZstdCodec;

import java.nio.ByteBuffer;
import java.util.Random;

/** Every codec that comes with vmferry, tried like a third party's; and what it owes to a QEMU. */
class CompressionPartsTest {
    abstract static class OfQemu extends CompressionConformance {
        private static final int PACKET = 1 << 19; // QEMU's: 128 pages
        private static final int MOST = 1 << 20; // a packet's data, by rule MFD-10

        private static ByteBuffer room(int bytes) {
            return ByteBuffer.allocateDirect(bytes);
        }

        private static ByteBuffer noise() {
            byte[] bytes = new byte[PACKET];
            new Random(3).nextBytes(bytes);
            return room(PACKET).put(bytes).flip();
        }

        @Test
        @Tag("MFD-10")
        void aPacketOfQemusIsAMebibyteAtTheMost() throws Exception {
            try (Compressor compressor = provider().compressor(1)) {
                assertThat(compressor.maximumOutput(PACKET)).isBetween(PACKET, MOST);
                assertThatThrownBy(() -> compressor.compress(noise(), room(PACKET / 2), true))
                        .isInstanceOfSatisfying(
                                MigrationException.class,
                                e -> assertThat(e.blame()).isEqualTo(Blame.PLUGIN));
            }
        }

        @Test
        @Tag("MFD-10")
        void whatIsWrongIsSaid() throws Exception {
            ByteBuffer data;
            try (Compressor compressor = provider().compressor(1)) {
                data = room(compressor.maximumOutput(PACKET));
                compressor.compress(noise(), data, true);
            }
            data.flip();
            refused("end 1 bytes before its pages do", data, PACKET + 1);
            refused("bytes before its pages do", data.slice(0, data.limit() - 9), PACKET);
            refused("decode to more than its pages", data, PACKET - 1);
            data.put(0, (byte) (data.get(0) ^ 0x33));
            refused(provider().id() + ": bad data", data, PACKET);
        }

        private void refused(String message, ByteBuffer data, int pages) throws Exception {
            try (Decompressor decompressor = provider().decompressor()) {
                ByteBuffer source = data.duplicate();
                assertThatThrownBy(
                                () -> {
                                    decompressor.decompress(source, room(pages));
                                    decompressor.endPacket(source);
                                })
                        .hasMessageContaining(message);
            }
        }
    }

    @Nested
    class Zlib extends OfQemu {
        @Override
        protected CompressionProvider provider() {
            return new ZlibCodec();
        }
    }

    @Nested
    class Zstd extends OfQemu {
        @Override
        protected CompressionProvider provider() {
            return new ZstdCodec();
        }

        /** Its highest levels allocate hundreds of MiB for large packets. */
        @Override
        protected int packet() {
            return 32 * 4096;
        }
    }
}
