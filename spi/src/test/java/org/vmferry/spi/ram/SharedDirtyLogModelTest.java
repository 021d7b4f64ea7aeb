package org.vmferry.spi.ram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Readers that start, harvest and stop in any order over a log that fails now and then, against the
 * times at which pages were marked.
 */
class SharedDirtyLogModelTest {
    private static final int PAGES = 100; // of a block
    private static final int STEPS = 400;
    private static final List<RamBlock> BLOCKS =
            List.of(SharedDirtyLogTest.block("ram"), SharedDirtyLogTest.block("rom"));

    @Test
    void everyReaderIsToldOfEveryMark() {
        for (int seed = 0; seed < 300; seed++) new Run(seed).steps();
    }

    @Test
    @Tag("stress")
    void everyReaderIsToldOfEveryMarkInManyOrders() {
        for (int seed = 1000; seed < 31_000; seed++) new Run(seed).steps();
    }

    /** Fails when it is told to; a harvest that does has lost what it hadn't taken yet. */
    private static final class Host implements DirtyLog {
        final AtomicDirtyLog real = new AtomicDirtyLog(BLOCKS);
        RuntimeException failure;

        private void fail() {
            if (failure != null) throw failure;
        }

        @Override
        public void start() {
            assertThat(real.logging()).as("started twice").isFalse();
            real.start();
            fail();
        }

        @Override
        public void stop() {
            assertThat(real.logging()).as("stopped twice").isTrue();
            real.stop();
            fail();
        }

        @Override
        public void harvest(RamBlock block, PageBitmap into) {
            assertThat(real.logging()).as("harvested between stop and start").isTrue();
            if (failure != null) real.marks(block).fill(PAGES / 2, PAGES / 2, false);
            real.harvest(block, into);
            fail();
        }
    }

    private static final class Run {
        private final int seed;
        private final SplittableRandom random;
        private final Host host = new Host();
        private final SharedDirtyLog shared = new SharedDirtyLog(BLOCKS, host);
        private final List<User> users = new ArrayList<>();
        private final int[][] marked = new int[BLOCKS.size()][PAGES]; // the last time; 0: never
        private final int[] taken = new int[BLOCKS.size()]; // when the block was harvested last
        private final int[] failed = new int[BLOCKS.size()]; // when that last failed
        private int now;

        Run(int seed) {
            this.seed = seed;
            random = new SplittableRandom(seed);
            for (int i = 0; i < 4; i++) users.add(new User());
        }

        private boolean runs() {
            return users.stream().anyMatch(user -> user.started);
        }

        void steps() {
            while (now < STEPS) {
                now++;
                User user = users.get(random.nextInt(users.size()));
                host.failure =
                        random.nextInt(12) == 0 ? new IllegalStateException("at " + now) : null;
                switch (random.nextInt(12)) {
                    case 0 -> user.start();
                    case 1 -> user.stop();
                    case 2, 3, 4 -> user.harvest(random.nextInt(BLOCKS.size()));
                    default -> mark(random.nextInt(BLOCKS.size()), random.nextInt(PAGES));
                }
                assertThat(host.real.logging()).as("seed %s, step %s", seed, now).isEqualTo(runs());
            }
        }

        private void mark(int block, int page) {
            host.real.mark(BLOCKS.get(block), page);
            if (runs()) marked[block][page] = now;
        }

        /** One who reads the log, and what he may be told. */
        private final class User {
            private final DirtyLog reader = shared.reader();
            private boolean started;
            private RuntimeException untold;
            private final int[] must = new int[BLOCKS.size()]; // all marks after this time
            private final int[] may = new int[BLOCKS.size()]; // and none up to this

            void start() {
                if (started) return;
                boolean first = !runs();
                Throwable thrown = catchThrowable(reader::start);
                assertThat(thrown).isSameAs(first ? host.failure : null);
                if (thrown != null) return;
                started = true;
                untold = null;
                for (int block = 0; block < BLOCKS.size(); block++) {
                    if (first) taken[block] = now;
                    must[block] = now;
                    may[block] = taken[block];
                }
            }

            void stop() {
                boolean last = started && users.stream().filter(user -> user.started).count() == 1;
                started = false;
                assertThat(catchThrowable(reader::stop)).isSameAs(last ? host.failure : null);
            }

            void harvest(int block) {
                PageBitmap into = new PageBitmap(PAGES);
                int own = random.nextInt(PAGES);
                into.set(own);
                Throwable thrown = catchThrowable(() -> reader.harvest(BLOCKS.get(block), into));
                if (started && untold != null) {
                    assertThat(thrown).as("seed %s, step %s", seed, now).hasCause(untold);
                    untold = null;
                    return;
                }
                if (!started) {
                    assertThat(thrown).isNull();
                    assertThat(into.cardinality()).isOne();
                    return;
                }
                assertThat(thrown).isSameAs(host.failure);
                taken[block] = now;
                if (thrown != null) {
                    failed[block] = now;
                    for (User other : users) {
                        if (other != this && other.started && other.untold == null)
                            other.untold = host.failure;
                    }
                    return; // what it was told until it failed it may be told again
                }
                BitSet least = pages(block, Math.max(must[block], failed[block]));
                BitSet most = pages(block, may[block]);
                least.set(own);
                most.set(own);
                BitSet got = BitSet.valueOf(new long[] {into.word(0), into.word(1)});
                least.andNot(got);
                got.andNot(most);
                assertThat(least)
                        .as("not told; seed %s, step %s", seed, now)
                        .isEqualTo(new BitSet());
                assertThat(got)
                        .as("for nothing; seed %s, step %s", seed, now)
                        .isEqualTo(new BitSet());
                must[block] = now;
                may[block] = now;
            }

            private BitSet pages(int block, int after) {
                BitSet pages = new BitSet();
                for (int page = 0; page < PAGES; page++) {
                    if (marked[block][page] > after) pages.set(page);
                }
                return pages;
            }
        }
    }
}
