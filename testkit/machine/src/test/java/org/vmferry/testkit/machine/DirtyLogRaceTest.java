package org.vmferry.testkit.machine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.ram.PageBitmap;

import java.util.function.IntFunction;

/**
 * A guest stores to a page that is marked already and marks it again, while the engine harvests the
 * mark and reads the page: either the engine sees the store, or the mark is there for next time.
 */
class DirtyLogRaceTest {
    private static final int PAGES = 2000; // a mark each, so that they do not slow each other
    private static final int SPREAD = 16; // ints: a cache line
    private static final int ROUNDS = 500;
    private static final int TRIES = 40; // a twin's error needs both threads to run at once

    /** One page's mark. */
    private interface Mark {
        void set();

        /** Clears it. */
        void harvest();

        boolean isSet();
    }

    /** As {@link PageBitmap} does it. */
    private static final class Atomic implements Mark {
        private final PageBitmap bitmap = new PageBitmap(1);
        private final PageBitmap harvested = new PageBitmap(1);

        @Override
        public void set() {
            bitmap.set(0);
        }

        @Override
        public void harvest() {
            bitmap.moveTo(harvested);
        }

        @Override
        public boolean isSet() {
            return bitmap.get(0);
        }
    }

    /** A twin, made plain: a processor reads the mark before the store is out, and leaves it so. */
    private static final class Plain implements Mark {
        private long word;

        @Override
        public void set() {
            if ((word & 1) == 0) word |= 1;
        }

        @Override
        public void harvest() {
            if ((word & 1) != 0) word &= ~1L;
        }

        @Override
        public boolean isSet() {
            return (word & 1) != 0;
        }
    }

    /** Another, in which one who finds the mark set leaves it alone. */
    private static final class ReadFirst implements Mark {
        private final PageBitmap bitmap = new PageBitmap(1);
        private final PageBitmap harvested = new PageBitmap(1);

        @Override
        public void set() {
            if (!bitmap.get(0)) bitmap.set(0);
        }

        @Override
        public void harvest() {
            bitmap.moveTo(harvested);
        }

        @Override
        public boolean isSet() {
            return bitmap.get(0);
        }
    }

    private static final class Race {
        private final int[] memory = new int[PAGES * SPREAD];
        private final Mark[] marks = new Mark[PAGES];
        private volatile int round;
        private volatile int done;

        Race(IntFunction<Mark> maker) {
            for (int i = 0; i < PAGES; i++) marks[i] = maker.apply(i);
        }

        private void guest() {
            for (int r = 1; r <= ROUNDS; r++) {
                while (round != r) Thread.onSpinWait();
                for (int i = 0; i < PAGES; i++) {
                    memory[i * SPREAD] = r;
                    marks[i].set();
                }
                done = r;
            }
        }

        /** How many stores nothing told of. */
        long lost() throws InterruptedException {
            int[] seen = new int[PAGES];
            Thread guest = new Thread(this::guest, "guest");
            guest.start();
            long lost = 0;
            for (int r = 1; r <= ROUNDS; r++) {
                for (Mark mark : marks) mark.set();
                round = r;
                for (int i = 0; i < PAGES; i++) {
                    marks[i].harvest();
                    seen[i] = memory[i * SPREAD];
                }
                while (done != r) Thread.onSpinWait();
                for (int i = 0; i < PAGES; i++) if (seen[i] != r && !marks[i].isSet()) lost++;
            }
            guest.join();
            return lost;
        }
    }

    private static boolean loses(IntFunction<Mark> maker) throws InterruptedException {
        for (int i = 0; i < TRIES; i++) if (new Race(maker).lost() > 0) return true;
        return false;
    }

    @Test
    @Tag("DLG-2")
    @Tag("DLG-3")
    void noStoreIsLostBetweenMarkAndHarvest() throws InterruptedException {
        assertThat(new Race(i -> new Atomic()).lost()).as("stores lost").isZero();
    }

    @Test
    @Tag("DLG-2")
    void aPlainMarkIsCaught() throws InterruptedException {
        assertThat(loses(i -> new Plain())).isTrue();
    }

    @Test
    @Tag("DLG-3")
    void aMarkThatIsOnlySetWhereItIsClearIsCaught() throws InterruptedException {
        assertThat(loses(i -> new ReadFirst())).isTrue();
    }
}
