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
    private final Condition changed = lock.newCondition();
    private volatile long bytesPerSecond; // written under lock
    private volatile boolean open; // written under lock
    private long paidUntil = System.nanoTime(); // guarded by lock, as below
    private int limits;

    /**
     * A limit.
     *
     * @param bytesPerSecond 0 for none
     */
    Bandwidth(long bytesPerSecond) {
        this.bytesPerSecond = bytesPerSecond;
    }

    /** Takes bytes; returns once they may be sent. */
    void take(long bytes) throws InterruptedException {
        if (open || bytesPerSecond == 0) return;
        lock.lock();
        try {
            if (bytesPerSecond == 0) return;
            int mine = limits;
            long now = System.nanoTime();
            if (paidUntil - (now - SAVED) < 0) paidUntil = now - SAVED;
            long until = paidUntil;
            paidUntil += (long) (bytes * (1e9 / bytesPerSecond));
            for (long wait; !open && mine == limits; ) {
                if ((wait = until - System.nanoTime()) <= 0) return;
                changed.awaitNanos(wait);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Another limit from now on: what was to be paid off under the one before is forgiven. */
    void limit(long bytesPerSecond) {
        lock.lock();
        this.bytesPerSecond = bytesPerSecond;
        limits++;
        paidUntil = System.nanoTime();
        changed.signalAll();
        lock.unlock();
    }

    /** Lifts every limit: the guest is paused, or the migration is over. */
    void open() {
        lock.lock();
        open = true;
        changed.signalAll();
        lock.unlock();
    }
}
