package org.vmferry.cli.map;

import java.util.Arrays;

/**
 * A block's RAM as some cells, each of as many pages as all others, but for the last: how many of
 * its pages look like what, and where the first of each kind begins with which bytes. What it takes
 * of memory depends on its cells, not on the block. For one thread.
 */
public final class BlockMap {
    /** How many bytes are kept of a page's beginning. */
    public static final int HEAD = 64;

    private static final PageKind[] KINDS = PageKind.values();
    private static final int KINDS_BUT_ZERO = KINDS.length - 1;

    private final long pages;
    private final int shift;
    private final long[] counts;
    private final long[] firsts;
    private final byte[][] heads;

    /**
     * All of it is zero yet.
     *
     * @param pages how many the block has
     * @param most how many cells there may be, at least 1
     */
    public BlockMap(long pages, int most) {
        this.pages = pages;
        int bits = 0;
        while (cells(pages, bits) > most) bits++;
        shift = bits;
        int slots = cells() * KINDS_BUT_ZERO;
        counts = new long[slots];
        firsts = new long[slots];
        heads = new byte[slots][];
    }

    private static long cells(long pages, int shift) {
        return pages + (1L << shift) - 1 >>> shift;
    }

    /**
     * How many cells it has.
     *
     * @return cells
     */
    public int cells() {
        return (int) cells(pages, shift);
    }

    /**
     * How many pages a cell stands for.
     *
     * @return a power of two
     */
    public long pagesInCell() {
        return 1L << shift;
    }

    /**
     * Notes a page, in ascending order, each once.
     *
     * @param page its number in the block
     * @param kind what it looks like
     * @param bytes the array that its content is in
     * @param from its first byte
     */
    public void add(long page, PageKind kind, byte[] bytes, int from) {
        if (kind == PageKind.ZERO) return;
        int slot = slot((int) (page >>> shift), kind);
        if (counts[slot]++ > 0) return;
        firsts[slot] = page;
        heads[slot] = Arrays.copyOfRange(bytes, from, Math.min(bytes.length, from + HEAD));
    }

    private static int slot(int cell, PageKind kind) {
        return cell * KINDS_BUT_ZERO + kind.ordinal() - 1;
    }

    /**
     * How many of a cell's pages look so.
     *
     * @param cell its number
     * @param kind any
     * @return pages
     */
    public long count(int cell, PageKind kind) {
        if (kind != PageKind.ZERO) return counts[slot(cell, kind)];
        long zero = Math.min(pagesInCell(), pages - ((long) cell << shift));
        for (int i = 1; i < KINDS.length; i++) zero -= count(cell, KINDS[i]);
        return zero;
    }

    /**
     * What a cell is shown as: what most of its pages that are not zero look like.
     *
     * @param cell its number
     * @return zero if all are
     */
    public PageKind kind(int cell) {
        PageKind most = PageKind.ZERO;
        long count = 0;
        for (int i = 1; i < KINDS.length; i++) {
            if (count(cell, KINDS[i]) <= count) continue;
            most = KINDS[i];
            count = count(cell, most);
        }
        return most;
    }

    /**
     * The first page of a cell that looks like what the cell is shown as.
     *
     * @param cell one that is not all zero
     * @return its number in the block
     */
    public long page(int cell) {
        return firsts[slot(cell, kind(cell))];
    }

    /**
     * That page's beginning.
     *
     * @param cell one that is not all zero
     * @return {@link #HEAD} bytes at the most
     */
    public byte[] head(int cell) {
        return heads[slot(cell, kind(cell))].clone();
    }

    /**
     * How many of all pages look so.
     *
     * @param kind any
     * @return pages
     */
    public long count(PageKind kind) {
        long sum = 0;
        for (int cell = 0; cell < cells(); cell++) sum += count(cell, kind);
        return sum;
    }
}
