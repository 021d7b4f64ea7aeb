package org.vmferry.engine.migration;

import org.vmferry.engine.ram.RamOut;
import org.vmferry.engine.ram.RamSection;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/** The rounds over the dirty pages: what is still to be sent, and sending it. */
final class Precopy implements AutoCloseable {
    private static final int LONGEST_RUN = 1 << 20; // bytes

    private final MigrationSession session;
    private final int pageSize;
    private final Map<RamBlock, PageBitmap> dirty = new LinkedHashMap<>();
    private final Optional<DirtyLog> log;
    private final RamOut ram;
    private final RamSection.Writer section;
    private final LongSupplier wire; // bytes that were sent, on all channels
    private final LongConsumer listener; // hears of each round
    private boolean begun; // till then all pages are to be sent, and no bits say so
    private final AtomicBoolean closed = new AtomicBoolean();
    private volatile long end; // pages that will have been counted when nothing remains
    private long dirtyBytes; // when they were asked for last
    private double harvestMs; // what it took to ask for them
    private long began; // nanoTime, of the last round
    private volatile long rounds;

    Precopy(
            MigrationSession session,
            List<RamBlock> blocks,
            Optional<DirtyLog> log,
            RamOut ram,
            RamSection.Writer section,
            LongSupplier wire,
            LongConsumer listener)
            throws MigrationException {
        this.session = session;
        this.pageSize = blocks.getFirst().pageSize();
        this.ram = ram;
        this.section = section;
        this.log = log;
        this.wire = wire;
        this.listener = listener;
        for (RamBlock block : blocks) {
            if (MissingRam.leftOut(block, session.options())) continue;
            dirty.put(block, new PageBitmap(block.pages()));
            dirtyBytes += block.usedLength();
        }
        end = session.pages() + dirtyBytes / pageSize;
        next();
        // Last: whoever fails before has nothing to stop.
        try {
            log.ifPresent(DirtyLog::start);
        } catch (RuntimeException | Error e) {
            throw notBegun(e);
        }
    }

    /** What a log has begun it ends (rule DLG-8). */
    private MigrationException notBegun(Throwable e) {
        try {
            close();
        } catch (RuntimeException | Error also) {
            e.addSuppressed(also);
        }
        return new MigrationException(
                Blame.HOST,
                "the dirty log could not be started: " + MigrationException.of(e).getMessage(),
                e);
    }

    /** Another round is to be sent, whether it is needed or not. */
    void again() throws MigrationException {
        harvest();
        next();
    }

    private void next() {
        listener.accept(++rounds); // one writer
    }

    /** Sends rounds until what remains would pass within the downtime; the guest runs on. */
    void untilFits(Convergence convergence) throws IOException {
        while (true) {
            RoundEvent event = begin();
            event.throttle = convergence.percent() / 100.0;
            began = System.nanoTime();
            long bytes = dirtyBytes;
            long before = wire.getAsLong();
            long normal = session.pagesNormal();
            section.part();
            send();
            section.close();
            double ms = Math.max(1e-3, since(began));
            event.end();
            harvest();
            convergence.harvestTook(harvestMs);
            try {
                if (convergence.fits(
                        bytes,
                        wire.getAsLong() - before,
                        session.pagesNormal() - normal,
                        ms,
                        dirtyBytes)) {
                    return;
                }
            } finally {
                event.dirtyPages = dirtyBytes / pageSize;
                event.dirtyPagesRate = convergence.dirtyPagesRate();
                event.expectedDowntime = convergence.expectedDowntime();
                event.commit();
            }
            next();
        }
    }

    /**
     * Whether what is dirty by now would still pass, once the peer has taken the last round; if
     * not, another is to be sent.
     *
     * @param asked nanoTime when the peer was asked
     */
    boolean fitStill(Convergence convergence, long asked) throws MigrationException {
        double ms = since(began);
        double waited = since(asked);
        harvest();
        convergence.harvestTook(harvestMs);
        boolean fits = convergence.fitsStill(ms, waited, dirtyBytes);
        if (!fits) next();
        return fits;
    }

    private static double since(long then) {
        return (System.nanoTime() - then) / 1e6;
    }

    private RoundEvent begin() {
        RoundEvent event = new RoundEvent();
        event.migration = session.name();
        event.round = rounds;
        event.bytes = dirtyBytes;
        event.begin();
        return event;
    }

    /** Sends what is left to be sent, of a guest that is paused: nothing if that was done. */
    void part() throws IOException {
        RoundEvent event = begin();
        section.part();
        send();
        section.close();
        event.commit();
        dirtyBytes = 0;
    }

    /** Sends what is dirty now that the guest is paused, into the section's end. */
    void last() throws IOException {
        next();
        harvest();
        RoundEvent event = begin();
        event.last = true;
        section.end();
        send();
        section.closeEnd();
        event.commit();
    }

    private void harvest() throws MigrationException {
        if (log.isEmpty()) return;
        long asked = System.nanoTime();
        long bytes = 0;
        for (Map.Entry<RamBlock, PageBitmap> entry : dirty.entrySet()) {
            session.check();
            log.get().harvest(entry.getKey(), entry.getValue());
            bytes += entry.getValue().cardinality() * entry.getKey().pageSize();
        }
        harvestMs = since(asked);
        dirtyBytes = bytes;
        end = session.pages() + bytes / pageSize;
    }

    private void send() throws IOException {
        for (Map.Entry<RamBlock, PageBitmap> entry : dirty.entrySet()) {
            RamBlock block = entry.getKey();
            PageBitmap pages = entry.getValue();
            int longest = LONGEST_RUN / block.pageSize();
            if (!begun) {
                sendAll(block, longest);
                continue;
            }
            for (long first = pages.nextSet(0); first < pages.pages(); ) {
                int count = (int) Math.min(longest, pages.nextClear(first) - first);
                pages.fill(first, count, false);
                session.check();
                ram.send(new Run(block, first, count));
                first = pages.nextSet(first + count);
            }
        }
        begun = true;
    }

    private void sendAll(RamBlock block, int longest) throws IOException {
        long pages = block.pages();
        for (long first = 0; first < pages; first += longest) {
            session.check();
            ram.send(new Run(block, first, (int) Math.min(longest, pages - first)));
        }
    }

    /** Bytes of RAM that are still to be sent in this round; what a worker has yet to send too. */
    long remaining() {
        return Math.max(0, end - session.pages()) * pageSize;
    }

    long rounds() {
        return rounds;
    }

    /** Any thread. */
    @Override
    public void close() {
        if (!closed.getAndSet(true)) log.ifPresent(DirtyLog::stop);
    }
}
