package org.vmferry.multifd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.doubles.TestSession;
import org.vmferry.spi.option.Options;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Function;

class JobSlotsTest {
    private static final int SYNC = -1;
    private static final int WORKERS = 4;

    /** What is under test: the real one, or one that must be found out. */
    interface HandOff {
        void give(int job) throws IOException;

        void giveAll(int job) throws IOException;

        void drain() throws IOException;

        Integer take(int worker);
    }

    @Test
    @Tag("MFD-15")
    void losesDoublesAndOvertakesNothing() throws Exception {
        assertThat(stress("crew-real", 150_000, JobSlotsTest::real)).isEqualTo("fine");
    }

    @Test
    @Tag("MFD-15")
    void oneWhoseSyncPushesAJobOutIsFoundOut() throws Exception {
        assertThat(stress("crew-broken", 5_000, workers -> new Broken())).isNotEqualTo("fine");
    }

    private static HandOff real(WorkerThreads workers) {
        JobSlots<Integer> crew = new JobSlots<>(workers, WORKERS);
        return new HandOff() {
            @Override
            public void give(int job) throws IOException {
                crew.give(job);
            }

            @Override
            public void giveAll(int job) throws IOException {
                crew.giveAll(job);
            }

            @Override
            public void drain() throws IOException {
                crew.drain();
            }

            @Override
            public Integer take(int worker) {
                return crew.take(worker);
            }
        };
    }

    /** Puts a sync into a slot without looking whether a job is there. */
    private static final class Broken implements HandOff {
        private final AtomicReferenceArray<Integer> slots = new AtomicReferenceArray<>(WORKERS);
        private volatile boolean stopped;
        private int next;

        @Override
        public void give(int job) {
            while (!slots.compareAndSet(next, null, job)) next = (next + 1) % WORKERS;
        }

        @Override
        public void giveAll(int job) {
            for (int i = 0; i < WORKERS; i++) slots.set(i, job);
            for (int i = 0; i < WORKERS; i++) while (slots.get(i) != null) Thread.onSpinWait();
        }

        @Override
        public void drain() {
            for (int i = 0; i < WORKERS; i++) while (slots.get(i) != null) Thread.onSpinWait();
            stopped = true;
        }

        @Override
        public Integer take(int worker) {
            while (!stopped) {
                Integer job = slots.getAndSet(worker, null);
                if (job != null) return job;
                Thread.yield();
            }
            return null;
        }
    }

    /** Jobs and syncs mixed: what went wrong, or "fine". */
    private static String stress(String name, int jobs, Function<WorkerThreads, HandOff> maker)
            throws Exception {
        TestSession session = new TestSession(name, Options.DEFAULTS);
        AtomicIntegerArray done = new AtomicIntegerArray(jobs);
        AtomicInteger given = new AtomicInteger();
        AtomicInteger finished = new AtomicInteger();
        AtomicInteger syncs = new AtomicInteger();
        AtomicReference<String> wrong = new AtomicReference<>("fine");
        try (WorkerThreads workers = new WorkerThreads(session, "send")) {
            HandOff crew = maker.apply(workers);
            for (int i = 0; i < WORKERS; i++) {
                int worker = i;
                workers.start(
                        worker,
                        () -> {
                            for (Integer job = crew.take(worker);
                                    job != null;
                                    job = crew.take(worker)) {
                                if (job != SYNC) {
                                    done.incrementAndGet(job);
                                    finished.incrementAndGet();
                                    continue;
                                }
                                if (finished.get() != given.get()) wrong.set("a sync overtook");
                                syncs.incrementAndGet();
                            }
                        });
            }
            int rounds = 0;
            for (int job = 0; job < jobs; job++) {
                given.incrementAndGet();
                crew.give(job);
                if (job % 97 != 0) continue;
                crew.giveAll(SYNC);
                if (syncs.get() != ++rounds * WORKERS) wrong.set("a sync is not done, or twice");
            }
            crew.drain();
            workers.stop();
            workers.join();
        }
        for (int job = 0; job < jobs; job++) {
            if (done.get(job) != 1) wrong.set("job " + job + " was done " + done.get(job) + "x");
        }
        assertThat(session.threads()).isEmpty();
        assertThat(session.failure()).isNull();
        return wrong.get();
    }

    @Test
    @Tag("MFD-22")
    void theFirstErrorWakesTheMigrationThread() throws Exception {
        TestSession session = new TestSession("crew-fail", Options.DEFAULTS);
        try (WorkerThreads workers = new WorkerThreads(session, "send")) {
            JobSlots<Integer> crew = new JobSlots<>(workers, 2);
            CountDownLatch full = new CountDownLatch(1);
            workers.start(
                    0,
                    () -> {
                        crew.take(0);
                        full.await();
                        throw new IOException("disk on fire");
                    });
            workers.start(1, () -> crew.take(1)); // takes one job and never asks for another
            for (int i = 0; i < 3; i++) crew.give(i);
            Thread late = Thread.ofPlatform().start(full::countDown);
            assertThatThrownBy(
                            () -> {
                                for (int i = 0; i < 5; i++) crew.give(i);
                            })
                    .hasMessageContaining("disk on fire");
            assertThatThrownBy(crew::drain).hasMessageContaining("disk on fire");
            assertThatThrownBy(() -> crew.giveAll(SYNC)).hasMessageContaining("disk on fire");
            assertThatThrownBy(() -> crew.give(1)).hasMessageContaining("disk on fire");
            late.join();
        }
        assertThat(session.failure()).hasMessage("disk on fire");
        assertThat(session.threads()).isEmpty();
    }
}
