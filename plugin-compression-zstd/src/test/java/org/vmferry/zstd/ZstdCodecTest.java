package org.vmferry.zstd;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.EndDirective;
import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.compression.CompressionProvider.Decompressor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;

/** The windows that frames ask for; what any codec owes is tried by its suite, in the testkit. */
class ZstdCodecTest {
    private static final int PACKET = 1 << 19;

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
}
