package org.vmferry.it.ownership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.it.support.Guests;
import org.vmferry.it.support.Leftovers;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * One machine in one migration: what would be a second is refused, and disturbs nobody. The guest
 * checks its own RAM all the time, and panics if somebody else has written to it.
 */
@Timeout(60)
class OneMachineTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final Settings BACK =
            Settings.NONE.parameter("max-bandwidth", "0").capability("return-path");

    /** Does not come to its end, however little a guest on a busy machine writes. */
    private static final Settings SLOW =
            BACK.parameter("max-bandwidth", "65536").parameter("downtime-limit", "0");

    private final Engine engine = Engine.create();
    private final Engine other = Engine.create();
    private final List<Migration> begun = new ArrayList<>();
    private final ReferenceMachine here = machine();
    private final ReferenceMachine there = machine();
    private final ReferenceMachine elsewhere = machine();

    private static ReferenceMachine machine() {
        return ReferenceMachine.builder().ram(8 << 20).dirtyWindow(1024).build();
    }

    @AfterEach
    void close() throws Exception {
        for (Migration each : begun) {
            each.cancel();
            assertThat(each.await(SOON)).isTrue();
        }
        for (ReferenceMachine machine : List.of(here, there, elsewhere)) {
            assertThat(machine.stopReason()).isEmpty();
            machine.close();
        }
        Leftovers.assertNoThreadsAtAll();
    }

    private Migration begun(Migration migration) {
        begun.add(migration);
        return migration;
    }

    private Migration listening(Engine with, ReferenceMachine machine, Settings settings)
            throws Exception {
        Migration in = begun(with.receive(machine, "tcp:127.0.0.1:0", settings));
        until(in, MigrationState.SETUP);
        return in;
    }

    private static void until(Migration migration, MigrationState state) {
        long deadline = System.nanoTime() + SOON.toNanos();
        while (migration.state() != state) {
            assertThat(System.nanoTime()).as(migration.state().wireName()).isLessThan(deadline);
            LockSupport.parkNanos(200_000);
        }
    }

    @Test
    @Tag("OWN-17")
    void twoSendsAtOnce() throws Exception {
        here.enter(RunState.RUNNING);
        Migration first = listening(engine, there, BACK);
        Migration second = listening(other, elsewhere, BACK);
        Migration out = begun(engine.send(here, first.address().toString(), SLOW));
        until(first, MigrationState.ACTIVE);
        assertThatThrownBy(() -> other.send(here, second.address().toString(), BACK))
                .isInstanceOf(MigrationException.class)
                .hasMessage(out.name() + " uses the machine: it can be in one migration at a time");
        assertThat(second.state()).as("nobody came").isEqualTo(MigrationState.SETUP);
        Guests.assertRuns(here);
        out.change(
                Settings.NONE.parameter("max-bandwidth", "0").parameter("downtime-limit", "300"));
        out.await();
        first.await();
        long end = here.instructions();
        Guests.assertRuns(there);
        assertThat(here.instructions()).isEqualTo(end);
        assertThat(elsewhere.instructions()).isZero();
    }

    @Test
    @Tag("OWN-17")
    void twoReceivesAtOnce() throws Exception {
        here.enter(RunState.RUNNING);
        elsewhere.enter(RunState.RUNNING);
        Migration first = listening(engine, there, BACK);
        assertThatThrownBy(() -> listening(other, there, BACK))
                .hasMessage("receive-1 uses the machine: it can be in one migration at a time");
        begun(engine.send(here, first.address().toString(), BACK)).await();
        first.await();
        Guests.assertRuns(there);
        Guests.assertRuns(elsewhere);
    }

    @Test
    @Tag("OWN-17")
    void theNextMayBeginWhenOneIsOver() throws Exception {
        here.enter(RunState.RUNNING);
        Migration first = listening(engine, there, BACK);
        Migration out = begun(engine.send(here, first.address().toString(), SLOW));
        until(first, MigrationState.ACTIVE);
        out.cancel();
        assertThat(out.await(SOON)).isTrue();
        assertThat(first.await(SOON)).isTrue();
        // There and back, and there once more: each time by who has it.
        ReferenceMachine[] places = {here, there, here, there};
        for (int i = 0; i < 3; i++) {
            Migration in = listening(other, places[i + 1], BACK);
            begun(engine.send(places[i], in.address().toString(), BACK)).await();
            in.await();
            Guests.assertRuns(places[i + 1]);
        }
    }

    @Test
    @Tag("OWN-18")
    void aRunningMachineIsNotReceivedInto() throws Exception {
        here.enter(RunState.RUNNING);
        assertThatThrownBy(() -> listening(engine, here, BACK))
                .hasMessage(
                        "the machine is 'running': its guest runs, and would be written over:"
                                + " stop it first");
        Guests.assertRuns(here);
    }

    /** Its host starts it while it listens: the guest that comes stays where it is. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Tag("OWN-18")
    void aMachineThatRunsMeanwhileIsNotReceivedInto(boolean back) throws Exception {
        // So slow that the refusal comes while there is something left to be sent.
        Settings settings = Settings.NONE.parameter("max-bandwidth", "65536");
        if (back) settings = settings.capability("return-path");
        here.enter(RunState.RUNNING);
        Migration in = listening(engine, there, settings);
        there.enter(RunState.RUNNING);
        Migration out =
                begun(
                        engine.send(
                                here,
                                in.address().toString(),
                                settings.parameter("downtime-limit", "0")));
        assertThatThrownBy(in::await).hasMessageContaining("the machine is 'running'");
        assertThatThrownBy(out::await).isInstanceOf(MigrationException.class);
        Guests.assertRuns(here);
        Guests.assertRuns(there);
    }

    @ParameterizedTest
    @EnumSource(names = {"INMIGRATE", "POSTMIGRATE"})
    @Tag("OWN-19")
    void aGuestThatIsNotHereIsNotSent(RunState state) throws Exception {
        Migration in = listening(engine, there, BACK);
        here.enter(state);
        assertThatThrownBy(() -> engine.send(here, in.address().toString(), BACK))
                .hasMessageStartingWith("the machine is '" + state.wireName() + "': ");
        assertThat(in.state()).isEqualTo(MigrationState.SETUP);
        assertThat(there.instructions()).isZero();
    }

    /** What is found out when the save is made, and so behind the machine's mark. */
    @Test
    @Tag("OWN-17")
    void aSendThatIsRefusedLeavesTheMachineFree(@TempDir Path folder) throws Exception {
        Settings impossible = Settings.NONE.capability("mapped-ram").capability("x-ignore-shared");
        String file = "file:" + folder.resolve("vm");
        assertThatThrownBy(() -> engine.send(here, file, impossible))
                .hasMessageContaining("x-ignore-shared and mapped-ram");
        engine.send(here, file, Settings.NONE).await();
    }
}
