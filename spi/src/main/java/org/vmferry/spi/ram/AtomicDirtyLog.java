package org.vmferry.spi.ram;

import org.vmferry.spi.Status;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A ready-made dirty log: the host calls {@link #mark} after each store, from any thread, and the
 * log keeps {@link DirtyLog}'s contract. While no migration runs a mark costs one plain read.
 */
@Status(Status.Level.STABLE)
public final class AtomicDirtyLog implements DirtyLog {
    private final Map<String, PageBitmap> marks = new HashMap<>();
    // Volatile, and read by mark() after the guest's store: a store before start() is covered by
    // the
    // first round, which copies every page.
    private volatile boolean logging;

    /**
     * A log for these blocks.
     *
     * @param blocks the machine's
     */
    public AtomicDirtyLog(List<RamBlock> blocks) {
        for (RamBlock block : blocks) marks.put(block.id(), new PageBitmap(block.pages()));
    }

    /**
     * The marks of one block, for a CPU that wants to keep them at hand: setting a bit there, after
     * the store, is what {@link #mark} does.
     *
     * @param block one of those given to the constructor
     * @return its marks
     */
    public PageBitmap marks(RamBlock block) {
        return marks.get(block.id());
    }

    /**
     * Notes that a page was written to. To be called after the store.
     *
     * @param block one of those given to the constructor
     * @param page its number in the block
     */
    public void mark(RamBlock block, long page) {
        if (logging) marks(block).set(page);
    }

    /**
     * Whether a migration wants marks now.
     *
     * @return true between start and stop
     */
    public boolean logging() {
        return logging;
    }

    @Override
    public void start() {
        marks.values().forEach(PageBitmap::clearAll);
        logging = true;
    }

    @Override
    public void stop() {
        logging = false;
    }

    @Override
    public void harvest(RamBlock block, PageBitmap into) {
        marks(block).moveTo(into);
    }
}
