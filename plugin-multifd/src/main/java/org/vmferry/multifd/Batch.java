package org.vmferry.multifd;

import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;

import java.util.ArrayList;
import java.util.List;

/** Runs of one block that become one packet; or a synchronisation. Filled by one thread. */
final class Batch {
    private final RamBlock block;
    private final List<Run> runs = new ArrayList<>();
    private int pages;

    /** For pages of a block. */
    Batch(RamBlock block) {
        this.block = block;
    }

    /** For no pages: synchronises. */
    static Batch sync() {
        return new Batch(null);
    }

    boolean isSync() {
        return block == null;
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
