package org.vmferry.cli.map;

import org.vmferry.engine.report.Inspection;
import org.vmferry.spi.ram.PageBitmap;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The maps of a snapshot's blocks. A guest of any size gets as many cells, so that a page that
 * shows them has room for them.
 */
public final class RamMap {
    /** How many blocks have one, at the most; real machines have some tens. */
    public static final int MOST_BLOCKS = 512;

    private static final int MOST_CELLS = 8192; // in all
    private static final int MOST_OF_A_BLOCK = 4096;
    private static final int STEP = 1 << 20;

    private final int pageSize;
    private final PageLook look = new PageLook();
    private final Map<String, BlockMap> maps = new LinkedHashMap<>();
    private final byte[] step;
    private long done;

    /** Where a block's bytes are. */
    @FunctionalInterface
    public interface Bytes {
        /**
         * Reads some.
         *
         * @param offset of the first in the block
         * @param target is filled
         * @throws IOException if they can't be had
         */
        void read(long offset, MemorySegment target) throws IOException;
    }

    /** Is told how far it is. */
    @FunctionalInterface
    public interface Watcher {
        /**
         * So much was looked at.
         *
         * @param bytes since the beginning, of all blocks
         * @throws IOException to end it
         */
        void seen(long bytes) throws IOException;
    }

    /**
     * Of blocks that nobody has looked into yet.
     *
     * @param blocks in wire order; missing ones get no map
     * @param pageSize bytes
     */
    public RamMap(List<Inspection.Block> blocks, int pageSize) {
        this.pageSize = pageSize;
        step = new byte[Math.max(STEP, pageSize)];
        List<Inspection.Block> drawn =
                blocks.stream().filter(b -> !b.missing()).limit(MOST_BLOCKS).toList();
        int most = MOST_OF_A_BLOCK;
        while (cells(drawn, most) > MOST_CELLS) most /= 2;
        for (Inspection.Block block : drawn)
            maps.put(block.id(), new BlockMap(block.present().pages(), most));
    }

    private static long cells(List<Inspection.Block> blocks, int most) {
        return blocks.stream().mapToLong(b -> Math.min(most, b.present().pages())).sum();
    }

    /**
     * Whether a block has a map.
     *
     * @param block one of them
     * @return false if it is missing, or there are too many
     */
    public boolean has(Inspection.Block block) {
        return maps.containsKey(block.id());
    }

    /**
     * A block's map.
     *
     * @param block one that has one
     * @return as far as it was looked at
     */
    public BlockMap of(Inspection.Block block) {
        return maps.get(block.id());
    }

    /**
     * Looks at those pages of a block that are present.
     *
     * @param block one that has a map
     * @param bytes where they are
     * @param watcher is told often
     * @throws IOException if they can't be read, or the watcher ended it
     */
    public void look(Inspection.Block block, Bytes bytes, Watcher watcher) throws IOException {
        BlockMap map = of(block);
        PageBitmap present = block.present();
        MemorySegment all = MemorySegment.ofArray(step);
        int most = step.length / pageSize;
        for (long page = present.nextSet(0); page < present.pages(); ) {
            long end = Math.min(present.nextClear(page), page + most);
            long length = (end - page) * pageSize;
            bytes.read(page * pageSize, all.asSlice(0, length));
            for (int at = 0; at < length; at += pageSize)
                map.add(page + at / pageSize, look.of(step, at, pageSize), step, at);
            done += length;
            watcher.seen(done);
            page = present.nextSet(end);
        }
    }
}
