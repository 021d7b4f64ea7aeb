package org.vmferry.cli;

import org.vmferry.engine.report.Inspection;
import org.vmferry.spi.ram.PageBitmap;

import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.List;

/** Blocks as bars, or all of them as one picture: which of their parts hold pages. */
final class Picture {
    private static final int CELLS = 60;
    private static final int MOST_ROWS = 8;

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

    /**
     * All blocks one after another, in rows of a terminal's width. Two colours take turns, so that
     * it shows where one ends and the next begins: {@link #coloured} has a block's.
     *
     * @param blocks of which a missing one is drawn as a question
     */
    List<String> of(List<Inspection.Block> blocks, Terminal terminal) {
        long[] starts = new long[blocks.size() + 1];
        for (int i = 0; i < blocks.size(); i++)
            starts[i + 1] = starts[i] + blocks.get(i).present().pages();
        long pages = starts[blocks.size()];
        int columns = terminal.width() - 5;
        int cells = (int) Math.min((long) columns * MOST_ROWS, pages);
        List<String> rows = new ArrayList<>();
        StringBuilder row = new StringBuilder();
        StringBuilder same = new StringBuilder(); // of one block
        int drawn = 0;
        int block = 0;
        for (int cell = 0; cell < cells; cell++) {
            long from = bound(pages, cell, cells);
            long to = bound(pages, cell + 1, cells);
            int before = block;
            while (starts[block + 1] <= from) block++;
            if (block != before) {
                row.append(coloured(same.toString(), before, terminal));
                same.setLength(0);
            }
            same.append(cell(blocks, starts, block, from, to));
            if (++drawn % columns != 0 && cell < cells - 1) continue;
            row.append(coloured(same.toString(), block, terminal));
            rows.add(row.toString());
            row.setLength(0);
            same.setLength(0);
        }
        return rows;
    }

    /** Some text in a block's colour. */
    static String coloured(String text, int block, Terminal terminal) {
        if (text.isEmpty()) return text;
        return block % 2 == 0 ? terminal.first(text) : terminal.second(text);
    }

    /** Of a cell that begins in a block, and may go on in the next ones. */
    private char cell(List<Inspection.Block> blocks, long[] starts, int block, long from, long to) {
        boolean all = true;
        boolean nothing = true;
        for (int i = block; i < blocks.size() && starts[i] < to; i++) {
            Inspection.Block each = blocks.get(i);
            if (each.missing()) return '?';
            long first = Math.max(from, starts[i]) - starts[i];
            long end = Math.min(to, starts[i + 1]) - starts[i];
            if (first >= end) continue;
            nothing &= each.present().nextSet(first) >= end;
            all &= each.present().nextClear(first) >= end;
        }
        return nothing ? none : all ? full : some;
    }

    /** The cell's first page; without overflow, as a bitmap has 2^36 pages at the most. */
    private static long bound(long pages, int cell, int cells) {
        return pages * cell / cells;
    }
}
