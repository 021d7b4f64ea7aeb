package org.vmferry.engine.memory;

import org.jspecify.annotations.Nullable;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A dirty log that the host has no part in: the kernel tells which pages of RAM were stored to.
 * Linux 6.7 or newer has what it takes (userfaultfd's WP_ASYNC and PAGEMAP_SCAN); no rights are
 * needed. A host wraps its blocks once, and returns this from {@link
 * org.vmferry.spi.machine.Machine#ram}. The engine does so by itself for a host that has no log, as
 * far as it can ({@link ObservedRam}).
 *
 * <p>It sees every store <em>of this process through this mapping</em>: Java's, compiled or not,
 * Unsafe's, native code's, and the kernel's copies into it, as those of read(2). It sees a page
 * that was given back (MADV_DONTNEED), too. It does not see
 *
 * <ul>
 *   <li>I/O that pins pages and stores later than it is submitted: reads with O_DIRECT, io_uring's
 *       fixed buffers, DMA. Whoever completes such I/O calls {@link #mark};
 *   <li>stores through another mapping of the same memory, another process's among them, and writes
 *       to the file behind a shared mapping. So shared memory is refused, unless the host says that
 *       nobody else writes to it.
 * </ul>
 *
 * <p>It knows the system's pages: a block that begins or ends within one is told of stores to its
 * neighbours there, too. Align blocks, as {@link GuestMemory} does.
 *
 * <p>While it logs, pages of anonymous memory that nobody has stored to are {@link
 * RamBlock#isKnownZero known to be zero}: they are sent without being looked at, and take no
 * memory. The first store to a page after each harvest costs a fault that the kernel resolves
 * itself; others cost nothing. Between migrations it costs nothing. Two file descriptors are open
 * while it logs.
 */
@Status(Status.Level.STABLE)
public final class KernelDirtyLog implements RamProvider, DirtyLog {
    private final Map<String, WatchedBlock> blocks = new LinkedHashMap<>(); // by name
    private @Nullable WriteWatch watch; // guarded by this; null while nobody logs

    /**
     * Over blocks in private memory.
     *
     * @param blocks the machine's, in the order in which they are sent
     * @throws UnsupportedOperationException if the kernel can't watch one of them; says which and
     *     why, as {@link #obstacle}
     */
    public KernelDirtyLog(List<? extends RamBlock> blocks) {
        this(all(blocks, false));
    }

    /** Over those that the kernel can watch, as was tried. */
    KernelDirtyLog(Watchable found) {
        for (WatchedBlock block : found.blocks()) blocks.put(block.id(), block);
    }

    private static Watchable all(List<? extends RamBlock> blocks, boolean shared) {
        Watchable found = new Watchable(Objects.requireNonNull(blocks, "blocks"), shared);
        found.obstacles()
                .forEach(
                        (id, why) -> {
                            throw new UnsupportedOperationException(
                                    "RAM block '%s': %s".formatted(id, why));
                        });
        return found;
    }

    /**
     * Over blocks that may lie in shared memory, of which the host says that nobody but this
     * process stores to it, and only through this mapping. If that is not so, stores get lost in
     * silence.
     *
     * @param blocks the machine's, in the order in which they are sent
     * @return a log
     * @throws UnsupportedOperationException if the kernel can't watch one of them
     */
    public static KernelDirtyLog writtenHereAlone(List<? extends RamBlock> blocks) {
        return new KernelDirtyLog(all(blocks, true));
    }

    /**
     * Why the kernel can't watch a block here; found out by trying.
     *
     * @param block one of a machine's
     * @return empty if it can
     */
    public static Optional<String> obstacle(RamBlock block) {
        return new Watchable(List.of(Objects.requireNonNull(block, "block")), false)
                .obstacles().values().stream().findFirst();
    }

    @Override
    public List<RamBlock> blocks() {
        return List.copyOf(blocks.values());
    }

    @Override
    public Optional<DirtyLog> dirtyLog() {
        return Optional.of(this);
    }

    /**
     * Begins to watch; the guest may run.
     *
     * @throws UncheckedIOException if the kernel can't: another log may watch the same memory
     */
    @Override
    public synchronized void start() {
        try {
            watch = WriteWatch.open();
            for (WatchedBlock block : blocks.values()) block.begin(watch);
        } catch (IOException e) {
            stop();
            throw refused("can't be watched", e);
        } catch (RuntimeException | Error e) {
            stop();
            throw e;
        }
    }

    @Override
    public synchronized void stop() {
        blocks.values().forEach(WatchedBlock::end);
        if (watch != null) watch.close();
        watch = null;
    }

    /**
     * Takes the pages that were stored to. What was stored when this begins is told.
     *
     * @param block one of {@link #blocks()}
     * @param into as many pages as the block has; pages already set there stay so
     * @throws UncheckedIOException if the memory is not there any more
     */
    @Override
    public void harvest(RamBlock block, PageBitmap into) {
        try {
            Given.of(blocks, block).harvest(Objects.requireNonNull(into, "into"));
        } catch (IOException e) {
            throw refused("'" + block.id() + "' can't be watched any more", e);
        }
    }

    /**
     * Notes a store that the kernel did not see when it came: called after it, by whoever completed
     * the I/O that made it (rule DLG-9). Any thread; while nobody logs it does nothing.
     *
     * @param block one of the machine's
     * @param offset the first byte's offset in the block
     * @param bytes how many; they lie within the block
     */
    public void mark(RamBlock block, long offset, long bytes) {
        Given.of(blocks, block).mark(offset, bytes);
    }

    private static UncheckedIOException refused(String what, IOException why) {
        return new UncheckedIOException(
                MigrationException.host("the guest's RAM %s: %s", what, why.getMessage()));
    }
}
