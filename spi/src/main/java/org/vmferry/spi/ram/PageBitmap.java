package org.vmferry.spi.ram;

import org.vmferry.spi.Status;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * One bit for each page of a block.
 *
 * <p>Safe for many threads: every change of a word is one atomic operation with the ordering of a
 * volatile access, so a bit seen set makes visible what its setter wrote before. Queries over many
 * pages see each word at some moment during the call.
 */
@Status(Status.Level.STABLE)
public final class PageBitmap {
    private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(long[].class);

    private final long pages;
    private final long[] words;

    /**
     * A bitmap with every bit clear.
     *
     * @param pages how many bits, at least 0, at most 2^37
     */
    public PageBitmap(long pages) {
        if (pages < 0 || pages > 1L << 36) {
            throw new IllegalArgumentException("a bitmap of " + pages + " pages");
        }
        this.pages = pages;
        words = new long[(int) ((pages + 63) >>> 6)];
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
        return ((long) WORD.getAndBitwiseOr(words, index(page), bit) & bit) == 0;
    }

    /**
     * Clears a page's bit.
     *
     * @param page its number
     * @return whether it was set before
     */
    public boolean clear(long page) {
        long bit = 1L << page;
        return ((long) WORD.getAndBitwiseAnd(words, index(page), ~bit) & bit) != 0;
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
            if (mask == -1L) WORD.setVolatile(words, index, value ? -1L : 0L);
            else if (value) WORD.getAndBitwiseOr(words, index, mask);
            else WORD.getAndBitwiseAnd(words, index, ~mask);
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
        for (int i = 0; i < words.length; i++) {
            if (word(i) == 0) continue;
            long bits = (long) WORD.getAndSet(words, i, 0L);
            WORD.getAndBitwiseOr(target.words, i, bits);
        }
    }

    /**
     * The first set bit at or after a page.
     *
     * @param from a page, at least 0
     * @return its number, or {@link #pages()} if there is none
     */
    public long nextSet(long from) {
        return next(from, 0);
    }

    /**
     * The first clear bit at or after a page.
     *
     * @param from a page, at least 0
     * @return its number, or {@link #pages()} if there is none
     */
    public long nextClear(long from) {
        return next(from, -1L);
    }

    private long next(long from, long flip) {
        if (from >= pages) return pages;
        int index = index(from);
        long bits = (word(index) ^ flip) & -1L << from;
        while (bits == 0) {
            if (++index == words.length) return pages;
            bits = word(index) ^ flip;
        }
        return Math.min(pages, ((long) index << 6) + Long.numberOfTrailingZeros(bits));
    }

    /**
     * How many bits are set.
     *
     * @return pages
     */
    public long cardinality() {
        long count = 0;
        for (int i = 0; i < words.length; i++) count += Long.bitCount(word(i));
        return count;
    }

    /**
     * How many words of 64 bits it has.
     *
     * @return words
     */
    public int words() {
        return words.length;
    }

    /**
     * 64 bits at once; bit 0 is the word's first page.
     *
     * @param index the word's number
     * @return its bits; those past the last page are clear
     */
    public long word(int index) {
        return (long) WORD.getVolatile(words, index);
    }

    /**
     * Puts 64 bits at once. Bits past the last page are ignored.
     *
     * @param index the word's number
     * @param bits bit 0 is the word's first page
     */
    public void word(int index, long bits) {
        boolean last = index == words.length - 1 && (pages & 63) != 0;
        WORD.setVolatile(words, index, last ? bits & (1L << pages) - 1 : bits);
    }

    private int index(long page) {
        if (page < 0 || page >= pages) throw outside(page, 1);
        return (int) (page >>> 6);
    }

    private IndexOutOfBoundsException outside(long first, long count) {
        return new IndexOutOfBoundsException("pages " + first + "+" + count + " of " + pages);
    }
}
