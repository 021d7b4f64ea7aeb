package org.vmferry.it.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.support.Guests;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore.Fact;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.net.Socket;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Who connects to an archive, which takes the UUID that its source's channels say. */
@Tag("ARR-7")
class ArchiveArrivalsTest extends Listening {
    private static final UUID OURS = new UUID(0x4dea22b31d5248f3L, 0xa516782e98ab3fa0L);
    private static final UUID OTHER = new UUID(1, 2);

    @TempDir Path folder;

    private ArchiveMachine archive;

    @BeforeEach
    void listenWithAnArchive() throws Exception {
        archive = ArchiveMachine.in(folder);
    }

    @AfterEach
    void close() throws Exception {
        if (migration != null) migration.cancel();
        archive.close();
    }

    private void listenForIt() throws Exception {
        migration = engine.receive(archive, "tcp:127.0.0.1:0", multifd("none"));
    }

    private static byte[] hello(UUID uuid, int id) {
        return MultifdBytes.hello(MultifdBytes.MAGIC, 1, uuid, id);
    }

    private Migration send(ReferenceMachine source) throws Exception {
        return engine.send(
                source, migration.address().toString(), multifd("none").capability("return-path"));
    }

    private static ReferenceMachine named(UUID uuid) {
        return ReferenceMachine.builder().ram(1 << 20).dirtyWindow(20).uuid(uuid).build();
    }

    private static ReferenceMachine restless(UUID uuid) {
        return ReferenceMachine.builder()
                .ram(1 << 20)
                .dirtyWindow(20)
                .dirtyLog(NeverClean::new)
                .uuid(uuid)
                .build();
    }

    private void await(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + BOUND.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(migration.failure()).as(what).isEmpty();
            assertThat(System.nanoTime())
                    .as("%s: %s", what, Thread.getAllStackTraces().keySet())
                    .isLessThan(end);
            LockSupport.parkNanos(1_000_000);
        }
    }

    private void awaitTurnedAway(long count) {
        await(count + " are turned away", () -> migration.statistics().turnedAway() >= count);
    }

    /** From the source's own address, and of another machine; it has ended meanwhile. */
    @Test
    void aDeadSourcesChannelNamesNoMachine() throws Exception {
        listenForIt();
        try (Socket dead = connect(hello(OTHER, 0));
                ReferenceMachine source = named(OURS)) {
            dead.shutdownOutput();
            send(source).await();
            migration.await();
        }
        assertThat(archive.sections().facts()).contains(new Fact("uuid", OURS.toString()));
    }

    /** Once one is there to stay another machine's are turned away, and fail nothing. */
    @Test
    void anotherMachinesChannelIsTurnedAway() throws Exception {
        listenForIt();
        Socket main = connect(MultifdBytes.main(machine));
        connect(hello(OURS, 0), MultifdBytes.sync(0));
        awaitSeat();
        // Whatever id it has: a free one, one that is taken, one past the last.
        connect(hello(OTHER, 1), MultifdBytes.sync(1));
        connect(hello(OTHER, 0), MultifdBytes.sync(1));
        connect(hello(OTHER, 9), MultifdBytes.sync(1));
        connect(hello(OTHER, 1)); // and says no more
        connect(hello(new UUID(0, 0), 1), MultifdBytes.sync(1)); // of none
        awaitTurnedAway(5);
        await("their threads have ended", () -> workers() == 1);
        connect(hello(OURS, 1), MultifdBytes.sync(1));
        await("all channels came", () -> migration.statistics().total() > 0);
        connect(hello(OTHER, 1), MultifdBytes.sync(1)); // in the middle
        awaitTurnedAway(6);
        assertThat(migration.failure()).isEmpty();
        main.close();
        assertThat(migration.await(BOUND)).isTrue();
    }

    /** Each has channels as many as are awaited; one's main stream came first. */
    @Test
    void ofTwoSourcesOneGoesOn() throws Exception {
        listenForIt();
        try (ReferenceMachine first = restless(OURS);
                ReferenceMachine second = named(OTHER)) {
            first.enter(RunState.RUNNING);
            second.enter(RunState.RUNNING);
            Migration goesOn =
                    engine.send(
                            first,
                            migration.address().toString(),
                            multifd("none")
                                    .capability("return-path")
                                    .parameter("downtime-limit", "0"));
            await("it goes on", () -> migration.statistics().total() > 0);
            Migration refused = send(second);
            assertThat(refused.await(BOUND)).isTrue();
            assertThat(refused.failure()).isPresent();
            Guests.assertRuns(second);
            goesOn.change(Settings.NONE.parameter("downtime-limit", "100000"));
            goesOn.await();
            migration.await();
        }
        assertThat(archive.sections().facts()).containsExactly(new Fact("uuid", OURS.toString()));
    }

    /** A machine without a UUID is none, and not one whose UUID is zeros. */
    @Test
    void zerosAreNotKept() throws Exception {
        listenForIt();
        try (ReferenceMachine source = guest()) {
            send(source).await();
            migration.await();
        }
        assertThat(archive.sections().facts()).isEmpty();
        assertThat(archive.hasUuid()).isFalse();
    }

    /** It has its worker, and whoever greeted it is done. */
    private void awaitSeat() {
        await("a seat", () -> workers() == 1 && threads("-greet") == 0);
    }

    private static long workers() {
        return threads("-multifd-recv-");
    }

    private static long threads(String role) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().contains(role))
                .count();
    }

    /** What it was told holds against what comes. */
    @Test
    void whatItWasToldHolds() throws Exception {
        archive.uuid(OTHER);
        migration =
                engine.receive(
                        archive,
                        "tcp:127.0.0.1:0",
                        multifd("none").parameter("connect-timeout", "1000"));
        try (ReferenceMachine source = named(OURS)) {
            Migration out = send(source);
            assertThat(out.await(BOUND)).isTrue();
            assertThat(migration.await(BOUND)).isTrue();
            assertThat(migration.failure())
                    .hasValueSatisfying(
                            why -> assertThat(why).hasMessageContaining(OTHER.toString()));
        }
    }
}
