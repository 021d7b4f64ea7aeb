package org.vmferry.engine.memory;

import org.jspecify.annotations.Nullable;
import org.vmferry.spi.Status;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * RAM of a host that can't tell which pages its guest writes to: found out by comparing it with a
 * copy. Such a host wraps its blocks once, and returns this from {@link
 * org.vmferry.spi.machine.Machine#ram}; its machine can then be migrated live.
 *
 * <p>While a migration runs the copy takes as much memory as the RAM, outside the heap, and each
 * round reads both; but for what is {@link RamBlock#isKnownZero known to be zero}, of which nothing
 * is copied or read. The copy is made when a migration starts to log, and given back when that is
 * over. Between migrations it costs nothing.
 *
 * <p>While it logs, what is sent is the copy, as of the last harvest; it is read, and no memory is
 * offered. So a page that changes, is sent, and changes back is no danger: who compared with RAM
 * and sent RAM itself would send the one and then find nothing changed.
 */
@Status(Status.Level.STABLE)
public final class ComparingRam implements RamProvider, DirtyLog {
    private static final int LARGEST_PIECE = 1 << 20; // bytes

    private final Map<String, Shadowed> blocks = new LinkedHashMap<>(); // by name

    /**
     * Over these blocks.
     *
     * @param blocks the machine's, in the order in which they are sent
     */
    public ComparingRam(List<? extends RamBlock> blocks) {
        for (RamBlock block : blocks) this.blocks.put(block.id(), new Shadowed(block));
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
     * Copies all RAM.
     *
     * @throws OutOfMemoryError if the system does not give as much memory, for which no limit of
     *     the JVM holds; nothing is logged then, and RAM is read as it is
     */
    @Override
    public void start() {
        try {
            blocks.values().forEach(Shadowed::copy);
        } catch (RuntimeException | Error e) {
            stop();
            throw e;
        }
    }

    @Override
    public void stop() {
        blocks.values().forEach(Shadowed::forget);
    }

    /**
     * Finds the pages that differ from the copy, and takes them into it.
     *
     * @param block one of {@link #blocks()}
     * @param into as many pages as the block has; pages already set there stay so
     */
    @Override
    public void harvest(RamBlock block, PageBitmap into) {
        Given.of(blocks, block).compare(Objects.requireNonNull(into, "into"));
    }

    /** A block, and what it held at the last harvest. */
    private static final class Shadowed extends ForwardingBlock {
        private volatile @Nullable Copy copy; // null while nobody logs

        Shadowed(RamBlock real) {
            super(real);
        }

        void copy() {
            Copy made = new Copy(real);
            try {
                for (long at = 0; at < usedLength(); at += LARGEST_PIECE) {
                    long length = Math.min(LARGEST_PIECE, usedLength() - at);
                    if (real.isKnownZero(at, length)) continue; // as the copy is
                    real.read(at, made.memory.asSlice(at, length));
                }
            } catch (RuntimeException | Error e) {
                made.arena.close();
                throw e;
            }
            copy = made;
        }

        void forget() {
            Copy held = copy;
            copy = null;
            if (held != null) held.arena.close();
        }

        void compare(PageBitmap changed) {
            Copy held = copy;
            if (held == null) return; // stopped: nobody asks any more
            MemorySegment before = held.memory;
            int size = pageSize();
            int piece = Math.max(size, LARGEST_PIECE);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment now = arena.allocate(Math.min(piece, usedLength()), size);
                for (long at = 0; at < usedLength(); at += now.byteSize()) {
                    long length = Math.min(now.byteSize(), usedLength() - at);
                    if (real.isKnownZero(at, length) && held.isKnownZero(at, length)) continue;
                    // Compared as read: RAM itself may change between a comparison and a copy.
                    real.read(at, now.asSlice(0, length));
                    for (long page = 0; page < length; page += size) {
                        long from = at + page;
                        if (MemorySegment.mismatch(
                                        now, page, page + size, before, from, from + size)
                                < 0) continue;
                        MemorySegment.copy(now, page, before, from, size);
                        changed.set(from / size);
                    }
                }
            } catch (IllegalStateException e) {
                if (held.isThere()) throw e; // else it was stopped meanwhile
            }
        }

        /** A carrier's worker may be in the middle of it when the logging stops. */
        @Override
        public void read(long offset, MemorySegment target) {
            Copy held = copy;
            if (held != null) {
                try {
                    MemorySegment.copy(held.memory, offset, target, 0, target.byteSize());
                    return;
                } catch (IllegalStateException e) {
                    if (held.isThere()) throw e;
                }
            }
            real.read(offset, target);
        }

        /** The copy's is not offered: a transfer that hangs would keep it. */
        @Override
        public Optional<MemorySegment> memory() {
            return copy == null ? real.memory() : Optional.empty();
        }

        /** The copy's pages are sent, so it is about those. */
        @Override
        public boolean isKnownZero(long offset, long bytes) {
            Copy held = copy;
            return held == null ? real.isKnownZero(offset, bytes) : held.isKnownZero(offset, bytes);
        }
    }

    /** What a block held. Any thread may read it while another closes it. */
    private static final class Copy {
        private static final int UNIT = 4096;

        final Arena arena = Arena.ofShared();
        final MemorySegment memory;
        private final RamBlock block;

        /** All of it is zero, and takes no memory where nothing else comes. */
        Copy(RamBlock real) {
            long bytes = (real.usedLength() + UNIT - 1) / UNIT * UNIT;
            GuestMemory made = GuestMemory.allocate(arena, bytes);
            memory = made.segment();
            block = made.block(real.id(), UNIT);
        }

        boolean isKnownZero(long offset, long bytes) {
            return block.isKnownZero(offset, bytes);
        }

        boolean isThere() {
            return arena.scope().isAlive();
        }
    }
}
