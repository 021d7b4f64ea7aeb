package org.vmferry.testkit.machine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.ram.PageBitmap;

/**
 * A guest stores to a page that is marked already and marks it again, while the engine harvests the
 * mark and reads the page: either the engine sees the store, or the mark is there for next time.
 */
class DirtyLogRaceTest {
    private static final int PAGES = 2000; // a bitmap each, so that they do not slow each other
    private static final int SPREAD = 16; // ints: a cache line
    private static final int ROUNDS = 500;

    private final int[] memory = new int[PAGES * SPREAD];
    private final PageBitmap[] marks = new PageBitmap[PAGES];
    private volatile int round;
    private volatile int done;

    private void guest() {
        for (int r = 1; r <= ROUNDS; r++) {
            while (round != r) Thread.onSpinWait();
            for (int i = 0; i < PAGES; i++) {
                memory[i * SPREAD] = r;
                marks[i].set(0);
            }
            done = r;
        }
    }

    @Test
    @Tag("DLG-2")
    @Tag("DLG-3")
    void noStoreIsLostBetweenMarkAndHarvest() throws InterruptedException {
        for (int i = 0; i < PAGES; i++) marks[i] = new PageBitmap(1);
        PageBitmap harvested = new PageBitmap(1);
        int[] seen = new int[PAGES];
        Thread guest = new Thread(this::guest, "guest");
        guest.start();
        long lost = 0;
        for (int r = 1; r <= ROUNDS; r++) {
            for (PageBitmap mark : marks) mark.set(0);
            round = r;
            for (int i = 0; i < PAGES; i++) {
                marks[i].moveTo(harvested);
                seen[i] = memory[i * SPREAD];
            }
            while (done != r) Thread.onSpinWait();
            for (int i = 0; i < PAGES; i++) if (seen[i] != r && !marks[i].get(0)) lost++;
        }
        guest.join();
        assertThat(lost).as("stores lost").isZero();
    }
}
