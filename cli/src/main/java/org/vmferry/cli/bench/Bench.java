package org.vmferry.cli.bench;

import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.util.List;

/**
 * What is measured, round by round. One thread calls it; {@link #cancel} may be called by any
 * other.
 */
public abstract class Bench implements AutoCloseable {
    final Results results;
    private volatile boolean cancelled;

    /** A bench of two sides. */
    Bench(Results results) {
        this.results = results;
    }

    /** One side's part of a round. */
    interface Turn {
        void take() throws IOException, InterruptedException;
    }

    /**
     * Makes the RAM, and does once, untimed, what is to be warm.
     *
     * @throws IOException if that fails
     * @throws InterruptedException if the thread is interrupted
     */
    public abstract void prepare() throws IOException, InterruptedException;

    /**
     * One round.
     *
     * @param qemuFirst who begins, where there is a QEMU
     * @throws IOException if what is measured fails
     * @throws InterruptedException if the thread is interrupted
     */
    public abstract void round(boolean qemuFirst) throws IOException, InterruptedException;

    /**
     * What the figures say, in words.
     *
     * @return lines, none if the figures say it all
     */
    public List<String> conclusions() {
        return List.of();
    }

    /**
     * What was measured.
     *
     * @return all rounds so far
     */
    public final Results results() {
        return results;
    }

    /** Ends what runs: without its peer a migration fails. */
    public void cancel() {
        cancelled = true;
        ProcessHandle.current().children().forEach(ProcessHandle::destroyForcibly);
    }

    final boolean isCancelled() {
        return cancelled;
    }

    final void check() throws MigrationException {
        if (cancelled) throw MigrationException.user("interrupted");
    }

    /** Both sides' turns; a QEMU's is left out where there is none. */
    final void inTurn(String qemu, boolean qemuFirst, Turn its, Turn own)
            throws IOException, InterruptedException {
        check();
        if (qemu != null && qemuFirst) its.take();
        check();
        own.take();
        check();
        if (qemu != null && !qemuFirst) its.take();
    }

    /** Ends its processes and removes its files. */
    @Override
    public abstract void close() throws IOException;
}
