package org.vmferry.engine.migration;

import java.util.concurrent.TimeUnit;

/** Waits for threads to end, whatever happens. An interrupt is kept for later. */
final class Joined {
    private Joined() {}

    static void all(Iterable<Thread> threads) {
        within(threads, Long.MAX_VALUE);
    }

    /** Waits for so many ms at the most; whether all have ended. */
    static boolean within(Iterable<Thread> threads, long millis) {
        long began = System.nanoTime();
        boolean interrupted = false;
        boolean all = true;
        for (Thread thread : threads) {
            while (thread.isAlive() && thread != Thread.currentThread()) {
                long rest = millis - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
                if (rest <= 0) {
                    all = false;
                    break;
                }
                try {
                    thread.join(rest);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
        return all;
    }
}
