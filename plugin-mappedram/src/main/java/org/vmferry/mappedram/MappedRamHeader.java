package org.vmferry.mappedram;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import org.vmferry.spi.Status;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * What follows a block's used length: where its bitmap and its pages lie (rule MAP-3). Pure
 * encoding: nothing is checked here.
 *
 * @param version of this header, 32 bits
 * @param pageSize bytes
 * @param bitmapOffset the bitmap's first byte, from the file's beginning
 * @param pagesOffset page 0's first byte, from the file's beginning
 */
@Status(Status.Level.STABLE)
public record MappedRamHeader(int version, long pageSize, long bitmapOffset, long pagesOffset) {
    /** The version that is written. */
    public static final int VERSION = 1;

    /** Pages begin at a multiple of this many bytes (rule MAP-5). */
    public static final long PAGES_BOUNDARY = 1 << 20;

    private static final ValueLayout.OfInt U32 = JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong U64 =
            JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    /** The bytes in the stream: big-endian, packed. */
    public static final StructLayout LAYOUT =
            MemoryLayout.structLayout(
                    U32.withName("version"),
                    U64.withName("page_size"),
                    U64.withName("bitmap_offset"),
                    U64.withName("pages_offset"));

    /** How long the header is in the stream: 28 bytes. */
    public static final long BYTES = LAYOUT.byteSize();

    private static final long VERSION_AT = at("version");
    private static final long PAGE_SIZE_AT = at("page_size");
    private static final long BITMAP_OFFSET_AT = at("bitmap_offset");
    private static final long PAGES_OFFSET_AT = at("pages_offset");

    private static long at(String field) {
        return LAYOUT.byteOffset(PathElement.groupElement(field));
    }

    /**
     * How long a bitmap is in the file (rule MAP-4).
     *
     * @param pages how many bits it has, at least 0
     * @return bytes, a multiple of 8
     */
    public static long bitmapBytes(long pages) {
        return (pages >>> 6) + ((pages & 63) == 0 ? 0 : 1) << 3;
    }

    /**
     * The header of a block to be written: the bitmap follows it at once, then there is room for a
     * mark, then come the pages (rules MAP-4, MAP-5, MAP-11).
     *
     * @param position where the header goes, in the file
     * @param pages how many the block has
     * @param pageSize bytes, a power of two
     * @return the header
     * @throws ArithmeticException if no file is that long
     */
    static MappedRamHeader at(long position, long pages, int pageSize) {
        long bitmap = Math.addExact(position, BYTES);
        long free = Math.addExact(bitmap, bitmapBytes(pages) + HoleMark.BYTES);
        long boundary = Math.max(PAGES_BOUNDARY, pageSize);
        long pagesAt = Math.addExact(free, boundary - 1) & -boundary;
        Math.addExact(pagesAt, Math.multiplyExact(pages, pageSize));
        return new MappedRamHeader(VERSION, pageSize, bitmap, pagesAt);
    }

    /**
     * Reads a header.
     *
     * @param bytes at least {@link #BYTES}
     * @return what they say, unchecked
     */
    public static MappedRamHeader decode(MemorySegment bytes) {
        return new MappedRamHeader(
                bytes.get(U32, VERSION_AT),
                bytes.get(U64, PAGE_SIZE_AT),
                bytes.get(U64, BITMAP_OFFSET_AT),
                bytes.get(U64, PAGES_OFFSET_AT));
    }

    /**
     * Writes a header.
     *
     * @return {@link #BYTES} bytes
     */
    public byte[] encode() {
        byte[] bytes = new byte[(int) BYTES];
        MemorySegment target = MemorySegment.ofArray(bytes);
        target.set(U32, VERSION_AT, version);
        target.set(U64, PAGE_SIZE_AT, pageSize);
        target.set(U64, BITMAP_OFFSET_AT, bitmapOffset);
        target.set(U64, PAGES_OFFSET_AT, pagesOffset);
        return bytes;
    }
}
