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
    private double taken; // bytes since the beginning; guarded by lock, as below
    private double paid; // of them, by paidAt; more than were taken if time was saved
    private long paidAt = System.nanoTime();

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
            pay();
            double before = taken;
            taken += bytes;
            while (!open && bytesPerSecond > 0 && paid < before) {
                changed.awaitNanos((long) ((before - paid) / bytesPerSecond * 1e9) + 1);
                pay();
            }
        } finally {
            lock.unlock();
        }
    }

    private void pay() {
        long now = System.nanoTime();
        double perNano = bytesPerSecond / 1e9;
        paid = Math.min(paid + (now - paidAt) * perNano, taken + SAVED * perNano);
        paidAt = now;
    }

    /** Another limit from now on, at which those who wait already pay what is still owed. */
    void limit(long bytesPerSecond) {
        lock.lock();
        pay();
        this.bytesPerSecond = bytesPerSecond;
        if (bytesPerSecond == 0) paid = taken; // nobody waits any more
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
