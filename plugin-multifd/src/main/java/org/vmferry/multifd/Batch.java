package org.vmferry.multifd;

import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;

import java.util.ArrayList;
import java.util.List;

/**
 * Runs of one block that become one packet, or many if they are known to be zero; or a
 * synchronisation. Filled by one thread.
 */
final class Batch {
    private final RamBlock block;
    private final boolean zeros;
    private final List<Run> runs = new ArrayList<>();
    private int pages;

    /**
     * For pages of a block.
     *
     * @param zeros whether all of them are known to be zero, so that nobody looks at them
     */
    Batch(RamBlock block, boolean zeros) {
        this.block = block;
        this.zeros = zeros;
    }

    /** For no pages: synchronises. */
    static Batch sync() {
        return new Batch(null, false);
    }

    boolean isSync() {
        return block == null;
    }

    boolean isZeros() {
        return zeros;
    }

    boolean takes(RamBlock from, boolean known) {
        return block == from && zeros == known;
    }

    RamBlock block() {
        return block;
    }

    List<Run> runs() {
        return runs;
    }

    int pages() {
        return pages;
    }

    void add(Run run) {
        runs.add(run);
        pages += run.pages();
    }
}
