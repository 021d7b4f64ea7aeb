package org.vmferry.testkit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.ram.AtomicDirtyLog;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLongArray;

/** The contract of dirty logs, and that broken ones are caught. */
class DirtyLogTest {
    private static final int PAGES = 64; // one word: neighbours are marked at the same time
    private static final RamBlock BLOCK =
            RamBlock.of("ram", MemorySegment.ofArray(new byte[PAGES * 4096]), 4096);

    /** A log as a virtual CPU uses it. */
    interface Cpu extends DirtyLog {
        /** Stores the value, and marks the page. */
        void store(AtomicLongArray memory, int page, long value);
    }

    /**
     * Two CPUs write rising numbers while an engine harvests and copies. Each store whose mark the
     * last harvest does not show must be in the copy.
     *
     * @return how many pages differ at the end
     */
    private static int lost(Cpu log, long stores) throws InterruptedException {
        AtomicLongArray memory = new AtomicLongArray(PAGES);
        AtomicLongArray copy = new AtomicLongArray(PAGES);
        AtomicBoolean over = new AtomicBoolean();
        log.start();
        Thread[] cpus = new Thread[2];
        for (int cpu = 0; cpu < 2; cpu++) {
            int mine = cpu;
            cpus[cpu] =
                    new Thread(
                            () -> {
                                for (long n = 1; n < stores; n++) {
                                    // A page is written in bursts, then left alone for a while.
                                    int page = (int) (n / 3 * 2 % PAGES) + mine;
                                    log.store(memory, page, n);
                                }
                            });
            cpus[cpu].start();
        }
        PageBitmap dirty = new PageBitmap(PAGES);
        Thread engine =
                new Thread(
                        () -> {
                            while (!over.get()) round(log, dirty, memory, copy);
                        });
        engine.start();
        for (Thread cpu : cpus) cpu.join();
        over.set(true);
        engine.join();
        round(log, dirty, memory, copy);
        log.stop();
        int lost = 0;
        for (int page = 0; page < PAGES; page++) {
            if (memory.get(page) != copy.get(page)) lost++;
        }
        return lost;
    }

    private static void round(
            DirtyLog log, PageBitmap dirty, AtomicLongArray memory, AtomicLongArray copy) {
        log.harvest(BLOCK, dirty);
        for (long page = dirty.nextSet(0); page < PAGES; page = dirty.nextSet(page + 1)) {
            dirty.clear(page);
            copy.set((int) page, memory.get((int) page));
        }
    }

    /** Whether a log loses anything in ten tries. */
    private static boolean loses(java.util.function.Supplier<Cpu> log) throws InterruptedException {
        for (int i = 0; i < 10; i++) if (lost(log.get(), 20_000) > 0) return true;
        return false;
    }

    /** As it must be, over the ready-made log. */
    private static class Right implements Cpu {
        final AtomicDirtyLog log = new AtomicDirtyLog(List.of(BLOCK));

        @Override
        public void store(AtomicLongArray memory, int page, long value) {
            memory.set(page, value);
            log.mark(BLOCK, page);
        }

        @Override
        public void start() {
            log.start();
        }

        @Override
        public void stop() {
            log.stop();
        }

        @Override
        public void harvest(RamBlock block, PageBitmap into) {
            log.harvest(block, into);
        }
    }

    @Test
    @Tag("DLG-1")
    @Tag("DLG-2")
    @Tag("DLG-3")
    @Tag("DLG-4")
    void theReadyMadeLogLosesNothing() throws InterruptedException {
        assertThat(loses(Right::new)).isFalse();
    }

    /** One store, with a round of the engine's between its two steps; is it lost? */
    private static boolean losesWithARoundBetween(boolean markFirst) {
        AtomicLongArray memory = new AtomicLongArray(PAGES);
        AtomicLongArray copy = new AtomicLongArray(PAGES);
        PageBitmap dirty = new PageBitmap(PAGES);
        AtomicDirtyLog log = new AtomicDirtyLog(List.of(BLOCK));
        log.start();
        if (markFirst) log.mark(BLOCK, 7);
        else memory.set(7, 1);
        round(log, dirty, memory, copy);
        if (markFirst) memory.set(7, 1);
        else log.mark(BLOCK, 7);
        round(log, dirty, memory, copy);
        return copy.get(7) != memory.get(7);
    }

    @Test
    @Tag("DLG-1")
    void aMarkBeforeTheStoreIsCaught() {
        assertThat(losesWithARoundBetween(true)).isTrue();
        assertThat(losesWithARoundBetween(false)).isFalse();
    }

    @Test
    @Tag("DLG-2")
    void aHarvestThatReadsAndThenClearsIsCaught() {
        AtomicLongArray memory = new AtomicLongArray(PAGES);
        AtomicLongArray copy = new AtomicLongArray(PAGES);
        PageBitmap dirty = new PageBitmap(PAGES);
        Right twin =
                new Right() {
                    @Override
                    public void harvest(RamBlock block, PageBitmap into) {
                        PageBitmap marks = log.marks(block);
                        into.word(0, into.word(0) | marks.word(0));
                        if (memory.get(9) == 0) store(memory, 9, 1); // a CPU, in between
                        marks.word(0, 0);
                    }
                };
        twin.start();
        twin.store(memory, 7, 1);
        round(twin, dirty, memory, copy);
        round(twin, dirty, memory, copy);
        assertThat(copy.get(7)).isEqualTo(1);
        assertThat(copy.get(9)).as("lost").isZero();
    }

    @Test
    @Tag("DLG-4")
    void nothingIsMarkedOutsideStartAndStop() {
        AtomicDirtyLog log = new AtomicDirtyLog(List.of(BLOCK));
        PageBitmap dirty = new PageBitmap(PAGES);
        log.mark(BLOCK, 1);
        log.start();
        log.mark(BLOCK, 2);
        dirty.set(3);
        log.harvest(BLOCK, dirty);
        assertThat(dirty.word(0)).isEqualTo(0b1100);
        log.mark(BLOCK, 4);
        log.stop();
        log.mark(BLOCK, 5);
        log.start(); // marks of a migration before are gone
        log.harvest(BLOCK, dirty);
        assertThat(dirty.word(0)).isEqualTo(0b1100);
    }
}
