package org.vmferry.spi.ram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import org.junit.jupiter.api.Test;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/** What becomes of readers when the log underneath fails or hangs, or is used wrongly. */
class SharedDirtyLogTest {
    private static final RamBlock RAM = block("ram");

    private final Faulty log = new Faulty();
    private final SharedDirtyLog shared = new SharedDirtyLog(List.of(RAM), log);
    private final DirtyLog one = shared.reader();
    private final DirtyLog other = shared.reader();
    private final DirtyLog third = shared.reader();

    static RamBlock block(String id) {
        return RamBlock.of(id, MemorySegment.ofArray(new byte[100 * 4096]), 4096);
    }

    /** A log that throws when it is told to, and hangs. */
    private static final class Faulty implements DirtyLog {
        final PageBitmap marks = new PageBitmap(RAM.pages());
        final CountDownLatch hangs = new CountDownLatch(1);
        final CountDownLatch goOn = new CountDownLatch(1);
        boolean hang;
        RuntimeException starts;
        RuntimeException stops;
        RuntimeException harvests;
        String calls = "";

        private void call(String name, RuntimeException failure) {
            calls += name + " ";
            if (failure != null) throw failure;
        }

        @Override
        public void start() {
            call("start", starts);
        }

        @Override
        public void stop() {
            call("stop", stops);
        }

        @Override
        public void harvest(RamBlock block, PageBitmap into) {
            if (hang) {
                hangs.countDown();
                try {
                    goOn.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            }
            if (harvests != null) marks.fill(0, 4, false); // lost
            marks.moveTo(into);
            if (harvests != null) throw harvests;
        }
    }

    private static long[] harvest(DirtyLog reader) {
        PageBitmap into = new PageBitmap(RAM.pages());
        reader.harvest(RAM, into);
        long[] pages = new long[(int) into.cardinality()];
        long page = into.nextSet(0);
        for (int i = 0; i < pages.length; page = into.nextSet(page + 1)) pages[i++] = page;
        return pages;
    }

    @Test
    void itsReadersLifeIsTheLogs() {
        one.start();
        other.start();
        assertThat(log.calls).isEqualTo("start ");
        one.stop();
        one.start();
        other.stop();
        assertThat(log.calls).isEqualTo("start ");
        one.stop();
        assertThat(log.calls).isEqualTo("start stop ");
        one.stop(); // no more than once for each start
        other.start();
        assertThat(log.calls).isEqualTo("start stop start ");
    }

    @Test
    void whatAFailedStartHasBegunEndsAndTheNextOneIsAsGood() {
        log.starts = new IllegalStateException("no memory");
        log.stops = new IllegalStateException("nor this");
        assertThatThrownBy(one::start).isSameAs(log.starts).hasSuppressedException(log.stops);
        assertThat(log.calls).isEqualTo("start stop ");
        one.stop(); // as the engine does
        assertThat(log.calls).isEqualTo("start stop ");

        log.starts = null;
        other.start();
        one.start();
        log.marks.set(7);
        assertThat(harvest(one)).containsExactly(7);
        assertThat(harvest(other)).containsExactly(7);
        assertThat(log.calls).isEqualTo("start stop start ");
    }

    @Test
    void aFailedStopIsTheLastReadersAndOver() {
        one.start();
        other.start();
        log.stops = new IllegalStateException("no");
        assertThatCode(one::stop).doesNotThrowAnyException();
        assertThatThrownBy(other::stop).isSameAs(log.stops);
        assertThatCode(other::stop).doesNotThrowAnyException();
        log.stops = null;
        one.start();
        assertThat(log.calls).isEqualTo("start stop start ");
    }

    @Test
    void aFailedHarvestIsToldToEachThatHasStartedOnce() {
        one.start();
        other.start();
        log.marks.set(3);
        log.marks.set(4);
        log.harvests = new IllegalStateException("the device is gone");
        assertThat(catchThrowable(() -> harvest(one))).isSameAs(log.harvests);
        assertThat(catchThrowable(() -> harvest(one))).isSameAs(log.harvests);
        third.start(); // after it
        Throwable failure = log.harvests;
        log.harvests = null;
        log.marks.set(6);
        assertThat(harvest(third)).containsExactly(6);
        assertThatThrownBy(() -> harvest(other))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("another reader")
                .hasMessageContaining("the device is gone")
                .hasCause(failure);
        assertThat(harvest(other)).as("3 is lost").containsExactly(4, 6);
        assertThat(harvest(one)).as("4 was there as it threw").containsExactly(6);
    }

    @Test
    void aReaderThatStartsAnewHasNoFailureOfBefore() {
        one.start();
        other.start();
        log.harvests = new IllegalStateException("no");
        assertThat(catchThrowable(() -> harvest(one))).isSameAs(log.harvests);
        log.harvests = null;
        other.stop();
        other.start();
        assertThat(harvest(other)).isEmpty();
    }

    /** A migration that is given up stops its reader, wherever its thread is. */
    @Test
    void aReaderThatHangsInAHarvestIsStopped() throws Exception {
        one.start();
        log.hang = true;
        log.marks.set(2);
        FutureTask<long[]> hangs = new FutureTask<>(() -> harvest(one));
        new Thread(hangs, "hangs").start();
        log.hangs.await();
        FutureTask<?> stop = new FutureTask<>(one::stop, null);
        new Thread(stop, "stops it").start();
        stop.get(30, TimeUnit.SECONDS); // or it waits for the harvest
        assertThat(log.calls).isEqualTo("start stop ");
        // What it takes in the end is a mark for those that have started by then.
        one.start();
        other.start();
        log.goOn.countDown();
        hangs.get();
        assertThat(harvest(one)).containsExactly(2);
        assertThat(harvest(other)).containsExactly(2);
    }

    @Test
    void aReaderThatStoppedIsToldNothingAndTakesNothing() {
        one.start();
        other.start();
        one.stop();
        log.marks.set(9);
        assertThat(harvest(one)).isEmpty();
        assertThat(harvest(other)).containsExactly(9);
    }

    @Test
    void misuseIsRefusedAndHurtsNobodyElse() {
        one.start();
        assertThatThrownBy(one::start).hasMessageContaining("has started already");
        other.start();
        log.marks.set(1);
        assertThatThrownBy(() -> one.harvest(block("rom"), new PageBitmap(100)))
                .hasMessageContaining("'rom'");
        assertThatThrownBy(() -> one.harvest(RAM, new PageBitmap(7)))
                .hasMessageContaining("different sizes");
        assertThat(harvest(other)).containsExactly(1);
        assertThat(harvest(one)).containsExactly(1);
    }
}
