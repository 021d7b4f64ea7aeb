package org.vmferry.spi.ram;

import org.vmferry.spi.Status;

import java.util.function.Consumer;

/**
 * Which pages the guest wrote to since they were last harvested.
 *
 * <p>The contract, without which writes get lost in silence (rules DLG-1 to DLG-9 of
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
 *   <li>A store that comes later than it was asked for, as of I/O into pinned pages, is marked when
 *       it has come.
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

    /**
     * A log of a host that can't begin it while its virtual CPUs run: where a store that found
     * logging off may still be on its way to memory when {@link #start} returns. What is asked to
     * stop them meanwhile runs what it is given, once, with every virtual CPU and every DMA
     * standing still, and then lets go on what went on before; as a host's own pauses do, it
     * excludes {@code Machine.enter}. What runs in it throws what starting the log throws.
     *
     * @param log which {@link #start} is not safe beside stores
     * @param whileStopped runs it, in the same thread, while nothing is stored
     * @return a log that is
     */
    static DirtyLog startedStill(DirtyLog log, Consumer<Runnable> whileStopped) {
        return new StillDirtyLog(log, whileStopped);
    }
}
