package org.vmferry.cli;

import org.vmferry.spi.ram.PageBitmap;

import java.nio.charset.Charset;

/** A block as a bar: which of its parts hold pages. */
final class Picture {
    private static final int CELLS = 60;

    private final char full;
    private final char some;
    private final char none;

    /**
     * Draws for an output.
     *
     * @param charset what it can show; ASCII will do
     */
    Picture(Charset charset) {
        boolean shades = charset.canEncode() && charset.newEncoder().canEncode("█▒·");
        full = shades ? '█' : '#';
        some = shades ? '▒' : '+';
        none = shades ? '·' : '.';
    }

    /** What the signs mean. */
    String legend() {
        return full + " all pages present  " + some + " some  " + none + " none (zero)";
    }

    /** The bar; of as many cells as the block has pages, if these are few. */
    String of(PageBitmap present) {
        long pages = present.pages();
        int cells = (int) Math.min(CELLS, pages);
        StringBuilder bar = new StringBuilder(cells);
        for (int cell = 0; cell < cells; cell++) {
            long from = bound(pages, cell, cells);
            long to = bound(pages, cell + 1, cells);
            if (present.nextSet(from) >= to) bar.append(none);
            else bar.append(present.nextClear(from) >= to ? full : some);
        }
        return bar.toString();
    }

    /** The cell's first page; without overflow, as a bitmap has 2^36 pages at the most. */
    private static long bound(long pages, int cell, int cells) {
        return pages * cell / cells;
    }
}
