package org.vmferry.spi.ram;

import org.vmferry.spi.Status;

/**
 * Which pages the guest wrote to since they were last harvested.
 *
 * <p>The contract, without which writes get lost in silence (rules DLG-1 to DLG-8 of
 * docs/spi/dirty-log.md):
 *
 * <ul>
 *   <li>The guest marks a page <em>after</em> its store, never before.
 *   <li>Setting a mark, and harvesting and clearing it, are atomic towards each other; or the
 *       harvest stops the virtual CPUs while it lasts.
 *   <li>A store whose mark was harvested is seen by the engine's threads that read the page after
 *       it.
 *   <li>Between {@link #start} and {@link #stop} every store counts: the CPU's, a device's DMA, the
 *       host's own.
 *   <li>Once {@code Machine.enter} has returned with a state that isn't RUNNING, no further mark
 *       appears.
 * </ul>
 *
 * {@link AtomicDirtyLog} keeps all this for a host that calls its {@code mark}. The engine calls
 * the methods here from one thread, the migration's; where that hangs, another calls {@link #stop}.
 * A harvest clears the log, so it has one reader; {@link SharedDirtyLog} makes several of it.
 */
@Status(Status.Level.STABLE)
public interface DirtyLog {
    /**
     * Begins to log. The engine takes every page for dirty when this returns. What it throws fails
     * the migration, as the host's fault; {@link #stop} is called then, too.
     */
    void start();

    /**
     * Ends logging, and whatever {@link #start} has begun: RAM is read as it is from then on.
     * Called once for each {@link #start}, also for one that threw, and after a failure.
     */
    void stop();

    /**
     * Moves a block's marks into a bitmap: each that is set is added there, and cleared here.
     *
     * @param block one of the machine's
     * @param into as many pages as the block has; pages already set there stay so
     */
    void harvest(RamBlock block, PageBitmap into);
}
