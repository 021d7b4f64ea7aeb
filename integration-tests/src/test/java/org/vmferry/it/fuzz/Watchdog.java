package org.vmferry.it.fuzz;

import java.util.concurrent.locks.LockSupport;

/** Ends the process, with where its threads stand, if an input takes too long. */
final class Watchdog {
    private static final long BOUND_NS = 60_000_000_000L;

    private volatile String trying = "";
    private volatile long since = System.nanoTime();

    void start() {
        since = System.nanoTime();
        Thread thread = new Thread(this::watch, "watchdog");
        thread.setDaemon(true);
        thread.start();
    }

    /** This one begins. */
    void tries(String input) {
        since = System.nanoTime();
        trying = input;
    }

    private void watch() {
        while (System.nanoTime() - since < BOUND_NS) LockSupport.parkNanos(100_000_000);
        System.out.println(trying + ": hangs: " + Hang.describe("main"));
        Runtime.getRuntime().halt(2);
    }
}
