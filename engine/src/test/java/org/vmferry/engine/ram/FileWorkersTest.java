package org.vmferry.engine.ram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.migration.LifeCycle;
import org.vmferry.engine.migration.MigrationSession;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.LockSupport;

@Timeout(60)
class FileWorkersTest {
    private static final int PAGE = 4096;
    private static final int PAGES = 6000;
    private static final int SHARE = 512; // pages that one moves

    private final RamBlock ram =
            RamBlock.of("pc.ram", Arena.ofAuto().allocate((long) PAGES * PAGE, PAGE), PAGE);
    private final MigrationSession session =
            new MigrationSession(
                    LifeCycle.Role.SAVES,
                    "workers",
                    Options.DEFAULTS,
                    new UUID(0, 0),
                    Optional.empty(),
                    0);
    private final PageBitmap moved = new PageBitmap(PAGES);
    private final Queue<Run> runs = new ConcurrentLinkedQueue<>();
    private final Queue<MemorySegment> buffers = new ConcurrentLinkedQueue<>();
    private final Set<Thread> movers = ConcurrentHashMap.newKeySet();
    private final CountDownLatch began = new CountDownLatch(1);
    private final CountDownLatch go = new CountDownLatch(1);
    private volatile long failAt = -1;
    private long light = -1; // page where a run is light

    private FileWorkers workers(int count) {
        return new FileWorkers(
                session,
                "save",
                count,
                (run, staging) -> {
                    MemorySegment buffer = staging.buffer(run.bytes());
                    assertThat(buffer.byteSize()).isEqualTo(run.bytes());
                    buffers.add(buffer);
                    if (run.firstPage() == failAt) throw new IOException("disk full");
                    movers.add(Thread.currentThread());
                    moved.fill(run.firstPage(), run.pages(), true);
                    runs.add(run);
                },
                run -> run.firstPage() == light);
    }

    private static List<String> alive() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("workers-"))
                .toList();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 255})
    @Tag("MFD-21")
    void whatIsGivenIsMovedWhenItWasWaitedFor(int count) throws Exception {
        try (FileWorkers workers = workers(count)) {
            workers.start();
            assertThat(alive()).hasSize(count == 1 ? 0 : count);
            workers.drain();
            for (int round = 0; round < 20; round++) {
                moved.clearAll();
                workers.move(new Run(ram, 0, PAGES));
                workers.drain();
                assertThat(moved.cardinality()).isEqualTo(PAGES);
            }
            assertThat(runs).allMatch(run -> run.bytes() <= 1 << 20).hasSize(20 * 24);
            assertThat(movers.contains(Thread.currentThread())).isEqualTo(count == 1);
        }
        assertThat(alive()).isEmpty();
        assertThat(buffers).isNotEmpty().noneMatch(buffer -> buffer.scope().isAlive());
        assertThat(session.life().failure()).isNull();
    }

    @Test
    @Tag("MFD-21")
    void allOfThemMoveAtOnce() throws Exception {
        CountDownLatch all = new CountDownLatch(3);
        FileWorkers.Mover mover =
                (run, staging) -> {
                    all.countDown();
                    try {
                        all.await();
                    } catch (InterruptedException e) {
                        throw new IOException(e);
                    }
                };
        try (FileWorkers workers = new FileWorkers(session, "load", 3, mover, run -> false)) {
            workers.start();
            workers.move(new Run(ram, 0, PAGES)); // hangs if one has to wait for another
            workers.drain();
        }
    }

    /** Of a sparse guest there are TiB of it: to hand each over takes longer than to move it. */
    @Test
    @Tag("MFD-21")
    void whatIsLightStaysInTheMigrationsThread() throws Exception {
        light = 256;
        try (FileWorkers workers = workers(2)) {
            workers.start();
            workers.move(new Run(ram, 256, 256));
            assertThat(movers).containsExactly(Thread.currentThread());
            workers.move(new Run(ram, 0, 256));
            workers.drain();
            assertThat(movers).hasSize(2);
            assertThat(moved.cardinality()).isEqualTo(512);
        }
    }

    /** Two would wait for each other, while the system makes a huge page. */
    @Test
    @Tag("MFD-21")
    void whatIsNearIsOnesToMove() throws Exception {
        Map<Long, Set<Thread>> of = new ConcurrentHashMap<>();
        FileWorkers.Mover mover =
                (run, staging) -> {
                    long last = run.firstPage() + run.pages() - 1;
                    assertThat(last / SHARE).isEqualTo(run.firstPage() / SHARE);
                    of.computeIfAbsent(last / SHARE, share -> ConcurrentHashMap.newKeySet())
                            .add(Thread.currentThread());
                    moved.fill(run.firstPage(), run.pages(), true);
                };
        try (FileWorkers workers = new FileWorkers(session, "load", 3, mover, run -> false)) {
            workers.start();
            for (int page = 0; page < PAGES; page += 40)
                workers.move(new Run(ram, page, page % 3 == 0 ? 40 : 35));
            workers.drain();
        }
        assertThat(of).hasSize(12).allSatisfy((share, by) -> assertThat(by).hasSize(1));
        assertThat(moved.cardinality()).isEqualTo(50 * 40 + 100 * 35);
    }

    @Test
    @Tag("MFD-21")
    void smallBlocksAreMovedAtOnceToo() throws Exception {
        RamBlock other = RamBlock.of("rom", Arena.ofAuto().allocate(PAGE, PAGE), PAGE);
        CountDownLatch both = new CountDownLatch(2);
        FileWorkers.Mover mover =
                (run, staging) -> {
                    both.countDown();
                    await(both);
                };
        try (FileWorkers workers = new FileWorkers(session, "load", 2, mover, run -> false)) {
            workers.start();
            workers.move(new Run(ram, 0, 1));
            workers.move(new Run(other, 0, 1)); // hangs if one moves both
            workers.drain();
        }
    }

    /** Who moves need not wait for more: it is given before all that was there is taken. */
    @Test
    @Tag("MFD-21")
    void moreIsGivenWhileTheyMove() throws Exception {
        CountDownLatch given = new CountDownLatch(1);
        FileWorkers.Mover mover = (run, staging) -> await(run.firstPage() < 2 * SHARE ? go : given);
        try (FileWorkers workers = new FileWorkers(session, "load", 2, mover, run -> false)) {
            workers.start();
            FutureTask<Void> giving = giving(workers, 8 * SHARE);
            boolean waits = waits(Thread.ofPlatform().start(giving));
            go.countDown();
            giving.get(); // hangs if more is given only when nothing is left
            given.countDown();
            workers.drain();
            assertThat(waits).isTrue();
        }
    }

    @Test
    @Tag("MFD-22")
    void whatIsNearAnErrorIsNotMovedEither() throws Exception {
        FileWorkers.Mover mover =
                (run, staging) -> {
                    runs.add(run);
                    if (run.firstPage() == SHARE) {
                        await(began);
                        throw new IOException("disk full");
                    }
                    began.countDown();
                    while (session.life().failure() == null) Thread.onSpinWait();
                };
        try (FileWorkers workers = new FileWorkers(session, "save", 2, mover, run -> false)) {
            workers.start();
            for (int page = 0; page < 8; page += 2) workers.move(new Run(ram, page, 1));
            workers.move(new Run(ram, SHARE, 1));
            assertThatThrownBy(workers::drain).hasMessageContaining("disk full");
        }
        assertThat(runs).hasSize(2);
    }

    @Test
    void whoOnlyLooksMovesNothing() throws Exception {
        try (FileWorkers workers = workers(0)) {
            workers.start();
            workers.move(new Run(ram, 0, PAGES));
            workers.drain();
        }
        assertThat(runs).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    @Tag("MFD-22")
    void aWorkersErrorEndsTheMigration(int count) throws Exception {
        failAt = 512;
        try (FileWorkers workers = workers(count)) {
            workers.start();
            assertThatThrownBy(
                            () -> {
                                workers.move(new Run(ram, 0, PAGES));
                                workers.drain();
                            })
                    .isInstanceOf(MigrationException.class)
                    .hasMessageMatching("workers-save-[0-2]: .*disk full");
            assertThatThrownBy(workers::drain).hasMessageContaining("disk full");
            assertThatThrownBy(() -> workers.move(new Run(ram, 0, 1)))
                    .hasMessageContaining("disk full");
        }
        assertThat(session.life().failure())
                .hasMessageMatching("workers-save-[0-2]: .*disk full")
                .hasRootCauseMessage("disk full");
        assertThat(alive()).isEmpty();
    }

    @Test
    @Tag("MFD-22")
    void whoFailsInTheMigrationsThreadFailsThere() throws Exception {
        failAt = 512;
        try (FileWorkers workers = workers(1)) {
            workers.start();
            assertThatThrownBy(() -> workers.move(new Run(ram, 0, PAGES)))
                    .isInstanceOf(IOException.class)
                    .hasMessage("disk full");
        }
    }

    /** Whether a thread waits in the end, rather than ends. */
    private static boolean waits(Thread thread) {
        while (true) {
            switch (thread.getState()) {
                case WAITING, TIMED_WAITING -> {
                    return true;
                }
                case TERMINATED -> {
                    return false;
                }
                default -> LockSupport.parkNanos(200_000);
            }
        }
    }

    /** A mover that begins, waits for leave to go on, and throws that, if it is not null. */
    private FileWorkers held(IOException thrown) throws IOException {
        FileWorkers workers =
                new FileWorkers(
                        session,
                        "save",
                        2,
                        (run, staging) -> {
                            began.countDown();
                            await(go);
                            if (thrown != null) throw thrown;
                        },
                        run -> false);
        workers.start();
        return workers;
    }

    private static void await(CountDownLatch latch) throws IOException {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private FutureTask<Void> giving(FileWorkers workers, int pages) {
        return new FutureTask<>(
                () -> {
                    workers.move(new Run(ram, 0, pages));
                    return null;
                });
    }

    @Test
    @Tag("MFD-21")
    void whoGivesWaitsForThem() throws Exception {
        try (FileWorkers workers = held(null)) {
            FutureTask<Void> giving = giving(workers, PAGES);
            boolean waits = waits(Thread.ofPlatform().start(giving));
            go.countDown();
            giving.get();
            assertThat(waits).isTrue();
            workers.drain();
        }
    }

    @Test
    void anInterruptIsKept() throws Exception {
        try (FileWorkers workers = held(null)) {
            workers.move(new Run(ram, 0, 1));
            Thread.currentThread().interrupt();
            assertThatThrownBy(workers::drain).hasMessageContaining("interrupted");
            assertThat(Thread.interrupted()).isTrue();
            go.countDown();
        }
    }

    @Test
    @Tag("MFD-22")
    void theMigrationsFirstErrorIsThrown() throws Exception {
        try (FileWorkers workers = held(new IOException("disk full"))) {
            workers.move(new Run(ram, 0, 1));
            session.fail(MigrationException.user("cancelled"));
            go.countDown();
            assertThatThrownBy(workers::drain).hasMessage("cancelled");
        }
    }

    @Test
    @Tag("MFD-22")
    void whatSaysWhereItHappenedIsThrownAsItIs() throws Exception {
        go.countDown();
        try (FileWorkers workers = held(MigrationException.peer("the file ends at 7"))) {
            workers.move(new Run(ram, 0, 1));
            assertThatThrownBy(workers::drain).hasMessage("the file ends at 7");
        }
    }

    @Test
    @Tag("MFD-22")
    void aCancelDoesNotWaitForWhatWasHandedOver() throws Exception {
        FileWorkers.Mover mover =
                (run, staging) -> {
                    runs.add(run);
                    session.fail(MigrationException.user("cancelled"));
                };
        try (FileWorkers workers = new FileWorkers(session, "load", 2, mover, run -> false)) {
            workers.start();
            for (int page = 0; page < 6; page += 2) workers.move(new Run(ram, page, 1));
            assertThatThrownBy(workers::drain).hasMessage("cancelled");
        }
        assertThat(runs).hasSize(1);
    }

    /** A class that is missing, as much as a disk that is full. */
    @Test
    @Tag("MFD-22")
    void anErrorOfThePluginsEndsTheMigrationToo() throws Exception {
        FileWorkers.Mover mover =
                (run, staging) -> {
                    throw new NoClassDefFoundError("no/such");
                };
        try (FileWorkers workers = new FileWorkers(session, "load", 2, mover, run -> false)) {
            workers.start();
            workers.move(new Run(ram, 0, 1));
            assertThatThrownBy(workers::drain).hasMessageContaining("no/such");
        }
    }

    @Test
    @Tag("MFD-22")
    void whatWaitsBehindAnErrorIsNotMoved() throws Exception {
        FileWorkers.Mover mover =
                (run, staging) -> {
                    runs.add(run);
                    await(go);
                    if (run.firstPage() == 0) throw new IOException("disk full");
                    while (session.life().failure() == null) Thread.onSpinWait();
                };
        try (FileWorkers workers = new FileWorkers(session, "save", 2, mover, run -> false)) {
            workers.start();
            for (int i = 0; i < 3; i++) workers.move(new Run(ram, i * SHARE, 1));
            go.countDown();
            assertThatThrownBy(workers::drain).hasMessageContaining("disk full");
            while (!alive().isEmpty()) Thread.onSpinWait(); // nobody has closed them
        }
        assertThat(runs).noneMatch(run -> run.firstPage() == 2 * SHARE);
    }

    @Test
    @Tag("MFD-22")
    void anErrorOnceTheyAreClosedIsNobodys() throws Exception {
        FileWorkers workers = held(new IOException("it was closed"));
        workers.move(new Run(ram, 0, 1));
        workers.move(new Run(ram, SHARE, 1));
        began.await();
        Thread closer = Thread.ofPlatform().start(workers::close);
        assertThat(waits(closer)).isTrue();
        go.countDown();
        closer.join();
        assertThat(session.life().failure()).isNull();
        assertThat(alive()).isEmpty();
    }
}
