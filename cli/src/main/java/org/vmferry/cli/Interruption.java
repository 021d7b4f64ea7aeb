package org.vmferry.cli;

import org.vmferry.spi.MigrationException;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ctrl-C: when the process is told to end, what runs is cancelled, and the end waits until it has
 * been cleaned up, so that no part of a file stays behind.
 */
final class Interruption implements AutoCloseable {
    private static final int PATIENCE_SECONDS = 20;

    private final CountDownLatch cleanedUp = new CountDownLatch(1);
    private final Thread hook = new Thread(this::interrupt, "vmferry-interrupt");
    private boolean interrupted;
    private Runnable cancel = () -> {};

    Interruption() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /**
     * Says how to cancel what begins now.
     *
     * @param cancel called by another thread, at once if it is too late
     */
    synchronized void cancelBy(Runnable cancel) {
        this.cancel = cancel;
        if (interrupted) cancel.run();
    }

    /**
     * For loops with nothing that could be cancelled.
     *
     * @throws MigrationException if the process was told to end
     */
    synchronized void check() throws MigrationException {
        if (interrupted) throw MigrationException.user("interrupted");
    }

    private void interrupt() {
        synchronized (this) {
            interrupted = true;
            cancel.run();
        }
        try {
            cleanedUp.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** All is cleaned up. */
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
