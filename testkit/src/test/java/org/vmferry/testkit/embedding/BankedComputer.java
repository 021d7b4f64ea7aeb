package org.vmferry.testkit.embedding;

/**
 * A made-up emulator, as it was before it met vmferry: its RAM is some banks of {@code int[]}, and
 * nothing in it notes which of them a store goes to.
 */
final class BankedComputer {
    static final int BANKS = 12;
    static final int BANK_WORDS = 16 << 10;

    final int[][] banks = new int[BANKS][BANK_WORDS];
    long cycles;
    int accumulator = 1;
    private Thread cpu;
    private volatile boolean stopping;

    /** Starts the CPU. */
    synchronized void start() {
        if (cpu != null) return;
        stopping = false;
        cpu = new Thread(this::run, "banked-cpu");
        cpu.setDaemon(true);
        cpu.start();
    }

    /** Stops the CPU: when this returns it has executed its last cycle. */
    synchronized void stop() {
        if (cpu == null) return;
        stopping = true;
        boolean interrupted = false;
        while (cpu.isAlive()) {
            try {
                cpu.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        cpu = null;
        if (interrupted) Thread.currentThread().interrupt();
    }

    private void run() {
        while (!stopping) cycle();
    }

    /** Mixes a word anywhere in RAM into the accumulator, and back. */
    void cycle() {
        int at = (accumulator >>> 8) % (BANKS * BANK_WORDS);
        int[] bank = banks[at / BANK_WORDS];
        accumulator = (accumulator + bank[at % BANK_WORDS]) * 1_664_525 + 1_013_904_223;
        bank[at % BANK_WORDS] = accumulator;
        cycles++;
    }
}
