package org.vmferry.spi;

import java.util.concurrent.TimeUnit;

/**
 * Waits for threads to end, whatever happens: who waits for them is about to free what they use. An
 * interrupt is kept for later.
 */
@Status(Status.Level.STABLE)
public final class Joined {
    private Joined() {}

    /**
     * Waits until they have ended.
     *
     * @param threads started or not; the current one is passed over
     */
    public static void all(Iterable<Thread> threads) {
        within(threads, Long.MAX_VALUE);
    }

    /**
     * Waits until they have ended, but not for ever.
     *
     * @param threads as for {@link #all}
     * @param millis at the most, for all together
     * @return whether all have ended
     */
    public static boolean within(Iterable<Thread> threads, long millis) {
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
