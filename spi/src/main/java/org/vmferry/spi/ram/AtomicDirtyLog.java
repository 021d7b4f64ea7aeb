package org.vmferry.spi.ram;

import org.vmferry.spi.Status;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A ready-made dirty log: the host calls {@link #mark} after each store, from any thread, and the
 * log keeps {@link DirtyLog}'s contract. While no migration runs a mark costs one volatile read.
 *
 * <p>With one gap, at its beginning: a virtual CPU's store may still be on its way to memory while
 * its mark reads that nobody logs yet. Then the first round can copy the page as it was before, and
 * nothing tells of it. A host whose CPUs run on at {@link #start} closes the gap by a log of its
 * own around this one: its {@code start} calls this one's, and then waits until each CPU has
 * stopped for a moment, between two instructions.
 */
@Status(Status.Level.STABLE)
public final class AtomicDirtyLog implements DirtyLog {
    private final Map<String, PageBitmap> marks = new HashMap<>();
    // A volatile read after a plain store doesn't order the two: see the gap above.
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
     * @throws IllegalArgumentException if it is none of those
     */
    public PageBitmap marks(RamBlock block) {
        PageBitmap its = marks.get(block.id());
        if (its != null) return its;
        throw new IllegalArgumentException(
                "the dirty log was not given a RAM block '" + block.id() + "'");
    }

    /**
     * Notes that a page was written to. To be called after the store, by who made it.
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
        marks(block).moveTo(Objects.requireNonNull(into, "into"));
    }
}
