package org.vmferry.spi.ram;

import org.jspecify.annotations.Nullable;
import org.vmferry.spi.Status;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A host's dirty log for several readers, each of which is told of every mark: a migration, and a
 * tool of the host's beside it. The host wraps its log once; {@link RamProvider#dirtyLog} returns
 * one of the readers, the same at each call, and whoever else asks is given one of his own.
 *
 * <p>The host's log starts with the first reader that starts, and stops with the last that stops.
 * Who harvests it takes the marks for all: what the others have not asked for yet is kept for them,
 * in one bitmap for each block and reader, however long they wait. So a reader that never harvests
 * costs no more than that, and nobody waits for it.
 *
 * <p>Readers may start, harvest and stop at the same time, each from one thread; another thread may
 * stop one that hangs in a harvest. The host's log is harvested by one thread at a time, and
 * started and stopped by one at a time. Don't call a reader with a lock in hand that the host's log
 * takes.
 */
@Status(Status.Level.EXPERIMENTAL)
public final class SharedDirtyLog {
    private final List<RamBlock> blocks;
    private final DirtyLog log;

    /** Held while the log starts and stops, never while it is harvested: that may hang. */
    private final Object life = new Object();

    /**
     * Held from when marks leave the log until all have them; in turn, who asks all the time too.
     */
    private final Lock harvest = new ReentrantLock(true);

    /** What is kept for each reader that has started; guarded by itself. */
    private final List<Kept> readers = new ArrayList<>();

    /**
     * Over a host's log, which nobody else reads from now on.
     *
     * @param blocks the machine's
     * @param log knows these
     */
    public SharedDirtyLog(List<? extends RamBlock> blocks, DirtyLog log) {
        this.blocks = List.copyOf(Objects.requireNonNull(blocks, "blocks"));
        this.log = Objects.requireNonNull(log, "log");
    }

    /**
     * A reader of its own for somebody. It keeps {@link DirtyLog}'s contract, and may start again
     * when it has stopped.
     *
     * <p>A reader that starts while the log runs is told of every mark from then on, and of those
     * before that nobody has harvested yet.
     *
     * <p>What the host's log throws at its start and stop, the reader throws that has begun it or
     * is the last. A harvest that fails may have lost marks: so each of the others that have
     * started throws that, too, as the cause of an {@link IllegalStateException}, once, at its next
     * harvest. Who goes on then takes every page for dirty.
     *
     * @return not started
     */
    public DirtyLog reader() {
        return new Reader();
    }

    private void begin(Kept kept) {
        boolean first;
        synchronized (readers) { // sees what was stored before marks that went to others alone
            first = readers.isEmpty();
            readers.add(kept);
        }
        if (!first) return;
        try {
            log.start();
        } catch (Throwable e) {
            try {
                end(kept);
            } catch (Throwable also) {
                if (also != e) e.addSuppressed(also);
            }
            throw e;
        }
    }

    private void end(Kept kept) {
        boolean last;
        synchronized (readers) {
            readers.remove(kept);
            last = readers.isEmpty();
        }
        if (last) log.stop();
    }

    /** Takes a block's marks out of the log, for all. */
    private void take(RamBlock block, Kept mine) {
        PageBitmap marks = mine.of(block);
        try {
            try {
                log.harvest(block, marks);
            } finally {
                synchronized (readers) { // those that have started by now
                    for (Kept each : readers) if (each != mine) marks.addTo(each.of(block));
                }
            }
        } catch (Throwable e) {
            synchronized (readers) {
                for (Kept each : readers) if (each != mine) each.fail(e);
            }
            throw e;
        }
    }

    /** What a reader that has started has yet to be told. */
    private static final class Kept {
        private final Map<String, PageBitmap> marks = new HashMap<>();
        private @Nullable Throwable failure; // of another's harvest

        Kept(List<RamBlock> blocks) {
            for (RamBlock block : blocks) marks.put(block.id(), new PageBitmap(block.pages()));
        }

        PageBitmap of(RamBlock block) {
            PageBitmap its = marks.get(block.id());
            if (its != null) return its;
            throw new IllegalArgumentException(
                    "the shared dirty log was not given a RAM block '" + block.id() + "'");
        }

        /** Under the harvest's lock, as all that follows. */
        void fail(Throwable cause) {
            if (failure == null) failure = cause;
        }

        void check() {
            Throwable cause = failure;
            failure = null;
            if (cause != null) {
                throw new IllegalStateException(
                        "the dirty log failed as another reader harvested it, and may have lost"
                                + " marks: "
                                + cause,
                        cause);
            }
        }
    }

    private final class Reader implements DirtyLog {
        private volatile @Nullable Kept kept; // null unless it has started

        @Override
        public void start() {
            synchronized (life) {
                if (kept != null) {
                    throw new IllegalStateException(
                            "this reader of the dirty log has started already: whoever reads the"
                                    + " log needs a reader of his own");
                }
                Kept mine = new Kept(blocks);
                begin(mine);
                kept = mine;
            }
        }

        @Override
        public void stop() {
            synchronized (life) {
                Kept mine = kept;
                kept = null;
                if (mine != null) end(mine);
            }
        }

        @Override
        public void harvest(RamBlock block, PageBitmap into) {
            harvest.lock();
            try {
                Kept mine = kept;
                if (mine == null) return; // stopped: nobody asks any more
                mine.check();
                mine.of(block).moveTo(into);
                take(block, mine);
                mine.of(block).moveTo(into);
            } finally {
                harvest.unlock();
            }
        }
    }
}
