package org.vmferry.engine.migration;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** Holds senders to max-bandwidth: who takes bytes waits until those before him are paid off. */
final class Bandwidth {
    /**
     * Time that was not used is saved up to this much, so that short pauses don't lower the rate.
     */
    private static final long SAVED = TimeUnit.MILLISECONDS.toNanos(50);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition opened = lock.newCondition();
    private final long bytesPerSecond;
    private long paidUntil = System.nanoTime();
    private boolean open;

    /**
     * A limit.
     *
     * @param bytesPerSecond 0 for none
     */
    Bandwidth(long bytesPerSecond) {
        this.bytesPerSecond = bytesPerSecond;
        this.open = bytesPerSecond == 0;
    }

    /** Takes bytes; returns once they may be sent. */
    void take(long bytes) throws InterruptedException {
        if (bytesPerSecond == 0) return;
        lock.lock();
        try {
            long now = System.nanoTime();
            if (paidUntil - (now - SAVED) < 0) paidUntil = now - SAVED;
            long mine = paidUntil;
            paidUntil += (long) (bytes * (1e9 / bytesPerSecond));
            for (long wait; !open && (wait = mine - System.nanoTime()) > 0; ) {
                opened.awaitNanos(wait);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Lifts the limit: the guest is paused, or the migration is over. */
    void open() {
        lock.lock();
        open = true;
        opened.signalAll();
        lock.unlock();
    }
}
