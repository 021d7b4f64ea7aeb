package org.vmferry.zstd;

import org.vmferry.spi.MigrationException;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What a frame asks for before it is decoded: its window, which the library would allocate at once,
 * for each channel anew. (RFC 8878, 3.1.1.1.)
 *
 * <pre>
 * 0  u32 magic, little endian
 * 4  u8 descriptor   bits 7-6: how long the content's size is, 5: single segment, 1-0: dictionary
 * 5  u8 window       exponent and mantissa; none in a single segment, whose window is its content
 *    dictionary      0, 1, 2 or 4 bytes
 *    content's size  0 (1 in a single segment), 2, 4 or 8 bytes
 * </pre>
 */
final class FrameHeader {
    /** In bytes: what level 20 uses, which is the highest that QEMU's multifd-zstd-level takes. */
    static final long LARGEST_WINDOW = 1 << 25;

    private static final int MAGIC = 0xFD2FB528;
    private static final int SMALLEST_WINDOW_LOG = 10;
    private static final int[] DICTIONARY_BYTES = {0, 1, 2, 4};
    private static final int[] SIZE_BYTES = {0, 2, 4, 8};

    private FrameHeader() {}

    /**
     * Refuses a frame that asks for too much.
     *
     * @param data from a frame's beginning on, little endian; is moved
     * @throws MigrationException also if the header is not all there: it could not be looked at
     */
    static void check(ByteBuffer data) throws MigrationException {
        assert data.order() == ByteOrder.LITTLE_ENDIAN;
        need(data, Integer.BYTES + 1);
        if (data.getInt() != MAGIC) return; // the library says what is wrong
        int descriptor = data.get();
        boolean single = (descriptor & 0x20) != 0;
        if (!single) {
            need(data, 1);
            int window = data.get();
            long base = 1L << (SMALLEST_WINDOW_LOG + ((window & 0xff) >> 3));
            limit(base + (base >> 3) * (window & 7));
            return;
        }
        int dictionary = DICTIONARY_BYTES[descriptor & 3];
        int size = SIZE_BYTES[(descriptor & 0xff) >> 6];
        need(data, dictionary + Math.max(1, size));
        data.position(data.position() + dictionary);
        limit(
                switch (size) {
                    case 0 -> data.get() & 0xff;
                    case 2 -> (data.getShort() & 0xffff) + 256;
                    case 4 -> Integer.toUnsignedLong(data.getInt());
                    default -> data.getLong();
                });
    }

    private static void need(ByteBuffer data, int bytes) throws MigrationException {
        if (data.remaining() < bytes) {
            throw MigrationException.peer("zstd: a packet's data end within a frame's header");
        }
    }

    private static void limit(long window) throws MigrationException {
        if (window < 0 || window > LARGEST_WINDOW) {
            throw MigrationException.peer(
                    "zstd: the data ask for a window of %s bytes; at most %d are allowed, which is"
                            + " what level 20 uses",
                    Long.toUnsignedString(window), LARGEST_WINDOW);
        }
    }
}
