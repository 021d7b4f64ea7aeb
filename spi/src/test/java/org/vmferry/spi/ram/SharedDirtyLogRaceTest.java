package org.vmferry.spi.ram;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * CPUs store and mark while several readers copy, each what it is told of: no copy lacks a store.
 */
class SharedDirtyLogRaceTest {
    private static final int PAGES = 200;
    private static final int SPREAD = 8; // longs: a cache line for each page
    private static final int CPUS = 2;
    private static final int STORES = 20; // to each page, in a round
    private static final int READERS = 3; // that come in the middle of a round

    private final RamBlock block =
            RamBlock.of("ram", MemorySegment.ofArray(new byte[PAGES * 64]), 64);
    private final AtomicDirtyLog log = new AtomicDirtyLog(List.of(block));
    private final SharedDirtyLog shared = new SharedDirtyLog(List.of(block), log);
    private final long[] memory = new long[PAGES * SPREAD];
    private final AtomicInteger running = new AtomicInteger();
    private final AtomicInteger done = new AtomicInteger(); // stores of this round

    @Test
    void noStoreIsLostToAnyReader() throws Exception {
        rounds(100);
    }

    @Test
    @Tag("stress")
    void noStoreIsLostToAnyReaderForLong() throws Exception {
        rounds(20_000);
    }

    private void rounds(int rounds) throws Exception {
        // It is there before any CPU runs, and never harvests but at the end.
        Copy whole = new Copy();
        Copy idle = new Copy();
        idle.reader.start();
        whole.reader.start();
        for (int round = 1; round <= rounds; round++) {
            running.set(CPUS);
            done.set(0);
            List<FutureTask<?>> tasks = new ArrayList<>();
            for (int cpu = 0; cpu < CPUS; cpu++) {
                int mine = cpu;
                long base = (long) round * STORES;
                tasks.add(begin("cpu", () -> store(mine, base)));
            }
            tasks.add(begin("whole", () -> whole.follow()));
            for (int i = 1; i <= READERS; i++) {
                int from = PAGES * STORES * i / (READERS + 2);
                tasks.add(begin("late", () -> late(from)));
            }
            for (FutureTask<?> task : tasks) task.get();
        }
        whole.reader.stop();
        assertThat(log.logging()).isTrue();
        idle.take();
        idle.check();
        idle.reader.stop();
        assertThat(log.logging()).isFalse();
    }

    private static FutureTask<?> begin(String name, Runnable what) {
        FutureTask<?> task = new FutureTask<>(what, null);
        new Thread(task, name).start();
        return task;
    }

    private void store(int cpu, long base) {
        for (int i = 1; i <= STORES; i++) {
            for (int page = cpu; page < PAGES; page += CPUS) {
                memory[page * SPREAD] = base + i;
                log.mark(block, page);
                done.incrementAndGet();
            }
        }
        running.decrementAndGet();
    }

    /** One that comes when so much was stored, takes all, and then what it is told of. */
    private void late(int from) {
        while (done.get() < from) Thread.onSpinWait();
        Copy copy = new Copy();
        copy.reader.start();
        for (int page = 0; page < PAGES; page++) copy.pages[page] = memory[page * SPREAD];
        copy.follow();
        copy.reader.stop();
    }

    /** What a reader copies. */
    private final class Copy {
        final DirtyLog reader = shared.reader();
        final long[] pages = new long[PAGES];

        void follow() {
            while (running.get() > 0) take();
            take();
            check();
        }

        void take() {
            PageBitmap dirty = new PageBitmap(PAGES);
            reader.harvest(block, dirty);
            for (long page = dirty.nextSet(0); page < PAGES; page = dirty.nextSet(page + 1)) {
                pages[(int) page] = memory[(int) page * SPREAD];
            }
        }

        void check() {
            for (int page = 0; page < PAGES; page++) {
                assertThat(pages[page]).as("page %s", page).isEqualTo(memory[page * SPREAD]);
            }
        }
    }
}
