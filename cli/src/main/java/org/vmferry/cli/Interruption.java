package org.vmferry.cli;

import org.vmferry.spi.MigrationException;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Ctrl-C, TERM and HUP: when the process is told to end, what runs is cancelled, and if it doesn't
 * end then, yanked; the end waits until all has been cleaned up and said, so that no part of a file
 * stays behind. A second such signal ends the process at once.
 */
final class Interruption implements AutoCloseable {
    private static final int SAYS_SO_AFTER = 1; // s
    private static final int INSISTS_AFTER = 3; // s
    private static final int PATIENCE = 20; // s

    /** Nothing but the command itself, which asks by {@link #check}. */
    private static final Runnable NOTHING = () -> {};

    private final CountDownLatch cleanedUp = new CountDownLatch(1);
    private final Thread hook = new Thread(this::interrupt, "vmferry-interrupt");
    private final Consumer<String> remark;
    private boolean interrupted; // guarded by this, as below
    private Runnable cancel = NOTHING;
    private Runnable insist = NOTHING;

    /**
     * From now on.
     *
     * @param remark says something to the operator
     */
    Interruption(Consumer<String> remark) {
        this.remark = remark;
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /**
     * Says how to cancel what begins now.
     *
     * @param cancel called by another thread, at once if it is too late
     */
    void cancelBy(Runnable cancel) {
        cancelBy(cancel, NOTHING);
    }

    /**
     * Says how to cancel what begins now.
     *
     * @param cancel called by another thread, at once if it is too late
     * @param insist called some seconds later if that did not end it
     */
    void cancelBy(Runnable cancel, Runnable insist) {
        synchronized (this) {
            this.cancel = cancel;
            this.insist = insist;
            if (!interrupted) return;
        }
        cancel.run();
    }

    /**
     * For loops with nothing that could be cancelled.
     *
     * @throws MigrationException if the process was told to end
     */
    synchronized void check() throws MigrationException {
        if (interrupted) throw MigrationException.user("interrupted");
    }

    private synchronized Runnable cancel() {
        interrupted = true;
        return cancel;
    }

    private synchronized Runnable insist() {
        return insist;
    }

    private void interrupt() {
        Signals.endAtOnce();
        try {
            cancel().run();
            if (cleanedUp.await(SAYS_SO_AFTER, TimeUnit.SECONDS)) return;
            remark.accept(
                    "cleaning up; another signal ends it at once, and leaves temporary files"
                            + " behind");
            if (cleanedUp.await(INSISTS_AFTER - SAYS_SO_AFTER, TimeUnit.SECONDS)) return;
            insist().run();
            cleanedUp.await(PATIENCE - INSISTS_AFTER, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * All is cleaned up and said: from here on the process ends as any other. Closing twice does
     * nothing.
     */
    @Override
    public void close() {
        cleanedUp.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The end has begun: the hook is what called us off.
        }
    }
}
