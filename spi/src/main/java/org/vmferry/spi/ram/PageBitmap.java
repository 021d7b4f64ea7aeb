package org.vmferry.spi.ram;

import org.jspecify.annotations.Nullable;
import org.vmferry.spi.Status;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * One bit for each page of a block.
 *
 * <p>Safe for many threads: every change of a word is one atomic operation with the ordering of a
 * volatile access, so a bit seen set makes visible what its setter wrote before. Queries over many
 * pages see each word at some moment during the call.
 *
 * <p>One of over 2^24 pages takes memory where bits were set, 4 KiB for each 2^15 pages, so a block
 * of some TiB that is nearly all zero has room in a small heap. Who sets a bit may allocate then.
 */
@Status(Status.Level.STABLE)
public final class PageBitmap {
    private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

    // Up to 64 GiB of small pages all is allocated at once: a dirty log's bits cost one step less.
    private static final int FLAT = 1 << 18; // words
    private static final int CHUNK = 9; // 2^9 words are the piece that is allocated of more

    private final long pages;
    private final int words;
    private final long @Nullable [] flat; // null where there are chunks
    private final AtomicReferenceArray<long @Nullable []> chunks;
    private final AtomicLong allocated = new AtomicLong();

    /**
     * A bitmap with every bit clear.
     *
     * @param pages how many bits, at least 0, at most 2^36
     */
    public PageBitmap(long pages) {
        this(pages, FLAT);
    }

    /**
     * A bitmap with every bit clear that takes memory where bits are set, however few pages it has:
     * for a block of whose length nobody knows yet whether its sender has so much.
     *
     * @param pages how many bits, at least 0, at most 2^36
     * @return with every bit clear
     */
    public static PageBitmap sparse(long pages) {
        return new PageBitmap(pages, 0);
    }

    private PageBitmap(long pages, int mostFlat) {
        if (pages < 0 || pages > 1L << 36) {
            throw new IllegalArgumentException("a bitmap of " + pages + " pages");
        }
        this.pages = pages;
        words = (int) ((pages + 63) >>> 6);
        flat = words <= mostFlat ? new long[words] : null;
        chunks = new AtomicReferenceArray<>(flat == null ? words + (1 << CHUNK) - 1 >>> CHUNK : 0);
        if (flat != null) allocated.set(8L * words);
    }

    /**
     * Its size.
     *
     * @return pages
     */
    public long pages() {
        return pages;
    }

    /**
     * Whether a page's bit is set.
     *
     * @param page its number
     * @return true if it is
     */
    public boolean get(long page) {
        return (word(index(page)) >>> page & 1) != 0;
    }

    /**
     * Sets a page's bit.
     *
     * @param page its number
     * @return whether it was clear before
     */
    public boolean set(long page) {
        long bit = 1L << page;
        // Not "read first, and leave a bit that is set alone", though that is cheaper: the read
        // may overtake the caller's store, and a harvest in between then clears the bit and copies
        // the page without that store.
        return (or(index(page), bit) & bit) == 0;
    }

    /**
     * Clears a page's bit.
     *
     * @param page its number
     * @return whether it was set before
     */
    public boolean clear(long page) {
        long bit = 1L << page;
        return (andNot(index(page), bit) & bit) != 0;
    }

    /**
     * Sets or clears neighbouring bits.
     *
     * @param first the first page
     * @param count how many pages
     * @param value true sets
     */
    public void fill(long first, long count, boolean value) {
        if (first < 0 || count < 0 || first > pages - count) throw outside(first, count);
        for (long page = first, end = first + count; page < end; ) {
            int bits = (int) Math.min(64 - (page & 63), end - page);
            long mask = (bits == 64 ? -1L : (1L << bits) - 1) << page;
            int index = (int) (page >>> 6);
            if (mask == -1L) put(index, value ? -1L : 0L);
            else if (value) or(index, mask);
            else andNot(index, mask);
            page += bits;
        }
    }

    /** Sets every bit. */
    public void setAll() {
        fill(0, pages, true);
    }

    /** Clears every bit. */
    public void clearAll() {
        fill(0, pages, false);
    }

    /**
     * Adds every set bit to another bitmap and clears it here, each word at once.
     *
     * @param target of the same size
     */
    public void moveTo(PageBitmap target) {
        if (target.pages != pages) throw new IllegalArgumentException("bitmaps of different sizes");
        for (int i = 0; i < words; i++) {
            if (isAbsent(i)) i |= (1 << CHUNK) - 1;
            else if (word(i) != 0) target.or(i, (long) WORD.getAndSet(piece(i), within(i), 0L));
        }
    }

    /**
     * Adds every set bit to another bitmap; here it stays as it is.
     *
     * @param target of the same size
     */
    public void addTo(PageBitmap target) {
        if (target.pages != pages) throw new IllegalArgumentException("bitmaps of different sizes");
        for (int i = 0; i < words; i++) {
            if (isAbsent(i)) i |= (1 << CHUNK) - 1;
            else if (word(i) != 0) target.or(i, word(i));
        }
    }

    /**
     * The first set bit at or after a page.
     *
     * @param from a page, at least 0
     * @return its number, or {@link #pages()} if there is none
     */
    public long nextSet(long from) {
        return next(from, pages, 0);
    }

    /**
     * The first clear bit at or after a page.
     *
     * @param from a page, at least 0
     * @return its number, or {@link #pages()} if there is none
     */
    public long nextClear(long from) {
        return next(from, pages, -1L);
    }

    private long next(long from, long end, long flip) {
        if (from >= end) return end;
        int index = index(from);
        int last = (int) (end - 1 >>> 6);
        long bits = (word(index) ^ flip) & -1L << from;
        while (bits == 0) {
            if (++index > last) return end;
            if (flip == 0 && isAbsent(index)) index = Math.min(last, index | (1 << CHUNK) - 1);
            else bits = word(index) ^ flip;
        }
        return Math.min(end, ((long) index << 6) + Long.numberOfTrailingZeros(bits));
    }

    /**
     * Whether neighbouring bits are all clear; looks at no others.
     *
     * @param first the first page
     * @param count how many pages
     * @return true if none is set
     */
    public boolean isClear(long first, long count) {
        if (first < 0 || count < 0 || first > pages - count) throw outside(first, count);
        return next(first, first + count, 0) == first + count;
    }

    /**
     * How many bits are set.
     *
     * @return pages
     */
    public long cardinality() {
        long count = 0;
        for (int i = 0; i < words; i++) {
            if (isAbsent(i)) i |= (1 << CHUNK) - 1;
            else count += Long.bitCount(word(i));
        }
        return count;
    }

    /**
     * How much heap its bits take so far.
     *
     * @return bytes
     */
    public long allocated() {
        return allocated.get();
    }

    /**
     * How many words of 64 bits it has.
     *
     * @return words
     */
    public int words() {
        return words;
    }

    /**
     * 64 bits at once; bit 0 is the word's first page.
     *
     * @param index the word's number
     * @return its bits; those past the last page are clear
     */
    public long word(int index) {
        if (flat != null) return (long) WORD.getVolatile(flat, index);
        Objects.checkIndex(index, words);
        long[] chunk = chunks.get(index >>> CHUNK);
        return chunk == null ? 0 : (long) WORD.getVolatile(chunk, within(index));
    }

    /**
     * Puts 64 bits at once. Bits past the last page are ignored.
     *
     * @param index the word's number
     * @param bits bit 0 is the word's first page
     */
    public void word(int index, long bits) {
        Objects.checkIndex(index, words);
        boolean last = index == words - 1 && (pages & 63) != 0;
        put(index, last ? bits & (1L << pages) - 1 : bits);
    }

    /** Whether nothing was set yet in the piece that a word is in. */
    private boolean isAbsent(int index) {
        return flat == null && chunks.get(index >>> CHUNK) == null;
    }

    private int within(int index) {
        return flat != null ? index : index & (1 << CHUNK) - 1;
    }

    /** The piece that a word is in; if it was absent, it is there now. */
    private long[] piece(int index) {
        if (flat != null) return flat;
        int number = index >>> CHUNK;
        long[] chunk = chunks.get(number);
        if (chunk != null) return chunk;
        chunk = new long[Math.min(1 << CHUNK, words - (number << CHUNK))];
        long[] others = chunks.compareAndExchange(number, null, chunk);
        if (others != null) return others;
        allocated.addAndGet(8L * chunk.length);
        return chunk;
    }

    private long or(int index, long bits) {
        return (long) WORD.getAndBitwiseOr(piece(index), within(index), bits);
    }

    private long andNot(int index, long bits) {
        if (isAbsent(index)) return 0;
        return (long) WORD.getAndBitwiseAnd(piece(index), within(index), ~bits);
    }

    private void put(int index, long bits) {
        if (bits == 0 && isAbsent(index)) return;
        WORD.setVolatile(piece(index), within(index), bits);
    }

    private int index(long page) {
        if (page < 0 || page >= pages) throw outside(page, 1);
        return (int) (page >>> 6);
    }

    private IndexOutOfBoundsException outside(long first, long count) {
        return new IndexOutOfBoundsException("pages " + first + "+" + count + " of " + pages);
    }
}
