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
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;

@Timeout(60)
class FileWorkersTest {
    private static final int PAGE = 4096;

    private final RamBlock ram =
            RamBlock.of("pc.ram", Arena.ofAuto().allocate(3000L * PAGE, PAGE), PAGE);
    private final MigrationSession session =
            new MigrationSession(
                    LifeCycle.Role.SAVES,
                    "workers",
                    Options.DEFAULTS,
                    new UUID(0, 0),
                    Optional.empty(),
                    0);
    private final PageBitmap moved = new PageBitmap(3000);
    private final Queue<Run> runs = new ConcurrentLinkedQueue<>();
    private final Set<Thread> movers = ConcurrentHashMap.newKeySet();
    private volatile long failAt = -1;

    private FileWorkers workers(int count) {
        return new FileWorkers(
                session,
                "save",
                count,
                (run, staging) -> {
                    assertThat(staging.buffer(run.bytes()).byteSize()).isEqualTo(run.bytes());
                    if (run.firstPage() == failAt) throw new IOException("disk full");
                    movers.add(Thread.currentThread());
                    moved.fill(run.firstPage(), run.pages(), true);
                    runs.add(run);
                });
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
            workers.drain();
            for (int round = 0; round < 20; round++) {
                moved.clearAll();
                workers.move(new Run(ram, 0, 3000));
                workers.drain();
                assertThat(moved.cardinality()).isEqualTo(3000);
            }
            assertThat(runs).allMatch(run -> run.bytes() <= 1 << 20).hasSize(20 * 12);
            assertThat(movers.contains(Thread.currentThread())).isEqualTo(count == 1);
        }
        assertThat(alive()).isEmpty();
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
        try (FileWorkers workers = new FileWorkers(session, "load", 3, mover)) {
            workers.start();
            workers.move(new Run(ram, 0, 3000)); // hangs if one has to wait for another
            workers.drain();
        }
    }

    @Test
    void whoOnlyLooksMovesNothing() throws Exception {
        try (FileWorkers workers = workers(0)) {
            workers.start();
            workers.move(new Run(ram, 0, 3000));
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
                                workers.move(new Run(ram, 0, 3000));
                                workers.drain();
                            })
                    .isInstanceOf(MigrationException.class)
                    .hasMessageMatching("workers-save-[0-2]: .*disk full");
            assertThatThrownBy(workers::drain).hasMessageContaining("disk full");
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
            assertThatThrownBy(() -> workers.move(new Run(ram, 0, 3000)))
                    .isInstanceOf(IOException.class)
                    .hasMessage("disk full");
        }
    }
}
