package org.vmferry.spi.ram;

import org.vmferry.spi.Status;

import java.lang.foreign.MemorySegment;

/** Finds pages that hold only zeros. */
@Status(Status.Level.STABLE)
public final class ZeroPages {
    private static final MemorySegment ZEROS =
            MemorySegment.ofArray(new byte[1 << 16]).asReadOnly();

    private ZeroPages() {}

    /**
     * Whether a range holds only zeros.
     *
     * @param memory where
     * @param offset its first byte
     * @param length bytes
     * @return true if every byte is 0
     */
    public static boolean isZero(MemorySegment memory, long offset, long length) {
        for (long end = offset + length; offset < end; ) {
            long step = Math.min(ZEROS.byteSize(), end - offset);
            if (MemorySegment.mismatch(memory, offset, offset + step, ZEROS, 0, step) >= 0)
                return false;
            offset += step;
        }
        return true;
    }

    /**
     * How many pages at the beginning of a range are alike: all zero, or all not.
     *
     * @param memory where
     * @param offset the first page's first byte
     * @param pageSize bytes in a page
     * @param pages how many pages to look at, at least 1
     * @return the count of pages that are like the first; negative if these are zero pages
     */
    public static int leading(MemorySegment memory, long offset, int pageSize, int pages) {
        boolean zero = isZero(memory, offset, pageSize);
        int alike = 1;
        while (alike < pages && isZero(memory, offset + (long) alike * pageSize, pageSize) == zero)
            alike++;
        return zero ? -alike : alike;
    }
}
