package org.vmferry.mappedram;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * The 16 bytes that say: here a clear bit is a hole (rule MAP-11). They stand behind a block's
 * bitmap, where nobody else reads, and hold a checksum of what they speak for, so that a file whose
 * bitmap was changed by someone else is not believed.
 */
final class HoleMark {
    static final int BYTES = 16;

    /** "vmferry" and a zero byte. */
    private static final long MAGIC = 0x766d_6665_7272_7900L;

    private static final int VERSION = 1;

    private final CRC32C checksum = new CRC32C();

    HoleMark(MappedRamHeader header) {
        checksum.update(header.encode());
    }

    /** Takes in the next piece of the bitmap, as it is in the file. */
    void bitmap(ByteBuffer bytes) {
        checksum.update(bytes);
    }

    /** The mark, once all of the bitmap was taken in. */
    ByteBuffer encode() {
        return ByteBuffer.allocate(BYTES)
                .order(ByteOrder.BIG_ENDIAN)
                .putLong(MAGIC)
                .putInt(VERSION)
                .putInt((int) checksum.getValue())
                .flip();
    }
}
