package org.vmferry.testkit.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.Statistics;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;
import org.vmferry.testkit.machine.ReferenceMachineBuilder;

import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;

/**
 * A guest that writes to ten times as many pages as its link can take, and to most of its window
 * while a round is sent, also where other programs leave it little of a processor.
 */
class ConvergenceTest {
    private static final long DEADLINE = 60_000_000_000L; // ns
    private static final long WINDOW = 400; // pages

    private static final Settings SLOW =
            Settings.NONE
                    .parameter("max-bandwidth", "8388608")
                    .parameter("downtime-limit", "25"); // 51 pages

    private final Engine engine = Engine.create();

    private static ReferenceMachineBuilder small() {
        return ReferenceMachine.builder()
                .ram(2 << 20)
                .dirtyWindow(WINDOW)
                .dirtyEvery(2000)
                .printEvery(100_000);
    }

    private static ReferenceMachine machine() {
        return small().build();
    }

    /** In so many rounds it surely writes to most of its window. */
    private static ReferenceMachine busy(int rounds) {
        return PatientDirtyLog.machine(small(), log -> log, rounds, 800_000);
    }

    /** The guest runs; its window has been written to. */
    private static void start(ReferenceMachine source) {
        source.runFor(4_000_000);
        source.enter(RunState.RUNNING);
    }

    private Migration receive(ReferenceMachine destination) throws Exception {
        return engine.receive(destination, "tcp:127.0.0.1:0", Settings.NONE);
    }

    private Migration send(ReferenceMachine source, Migration incoming, Settings settings)
            throws Exception {
        return engine.send(source, incoming.address().toString(), settings);
    }

    private static Statistics await(Migration migration, Predicate<Statistics> condition) {
        long until = System.nanoTime() + DEADLINE;
        while (true) {
            Statistics now = migration.statistics();
            if (condition.test(now)) return now;
            assertThat(System.nanoTime()).as("in time: %s", now).isLessThan(until);
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Test
    void isReportedWhileItGoesOn() throws Exception {
        try (ReferenceMachine source = busy(Integer.MAX_VALUE);
                ReferenceMachine destination = machine()) {
            start(source);
            Migration incoming = receive(destination);
            Migration outgoing = send(source, incoming, SLOW);
            Statistics now = await(outgoing, s -> s.dirtySyncCount() > 3);
            assertThat(outgoing.state()).isEqualTo(MigrationState.ACTIVE);
            assertThat(now.expectedDowntime()).isGreaterThan(25);
            assertThat(now.dirtyPagesRate()).isPositive();
            assertThat(now.cpuThrottle()).isZero();
            assertThat(now.downtime()).isZero();

            assertThat(outgoing.cancel()).isTrue();
            assertThatThrownBy(outgoing::await).isInstanceOf(MigrationException.class);
            assertThatThrownBy(incoming::await).isInstanceOf(MigrationException.class);
            runsOn(source);
            assertThat(destination.runState()).isEqualTo(RunState.PRELAUNCH);
        }
    }

    @Test
    void endsItWhenTheRoundsAreLimited() throws Exception {
        try (ReferenceMachine source = busy(Integer.MAX_VALUE);
                ReferenceMachine destination = machine()) {
            start(source);
            Migration incoming = receive(destination);
            Migration outgoing = send(source, incoming, SLOW.parameter("round-limit", "4"));
            assertThatThrownBy(outgoing::await)
                    .isInstanceOf(MigrationException.class)
                    .hasMessageMatching(
                            "the guest did not converge in 4 rounds \\(round-limit\\): it dirties"
                                + " [1-9]\\d* pages/s, and the rest would take [1-9]\\d* ms, with"
                                + " downtime-limit 25 ms.*");
            assertThatThrownBy(incoming::await).isInstanceOf(MigrationException.class);
            assertThat(outgoing.statistics().dirtySyncCount()).isEqualTo(4);
            runsOn(source);
            assertThat(destination.runState()).isEqualTo(RunState.PRELAUNCH);
        }
    }

    @Test
    void isBroughtAboutByAutoConverge() throws Exception {
        try (ReferenceMachine source = busy(4);
                ReferenceMachine destination = machine();
                ReferenceMachine twin = machine()) {
            start(source);
            Migration incoming = receive(destination);
            Settings settings =
                    SLOW.capability("auto-converge")
                            .parameter("cpu-throttle-initial", "60")
                            .parameter("cpu-throttle-increment", "39");
            Migration outgoing = send(source, incoming, settings);
            await(outgoing, s -> s.cpuThrottle() > 0 || outgoing.state().isFinal());
            outgoing.await();
            incoming.await();
            // Two bad rounds before each of two steps, one at least that shows it, and the last.
            assertThat(outgoing.statistics().dirtySyncCount()).isGreaterThan(5);
            assertThat(outgoing.statistics().cpuThrottle()).as("no longer").isZero();
            twin.runFor(source.instructions());
            assertThat(source.digest()).isEqualTo(twin.digest());
            LingeringMachine.run(destination, 500_000);
            destination.enter(RunState.PAUSED);
            twin.runFor(destination.instructions() - source.instructions());
            assertThat(destination.digest()).isEqualTo(twin.digest());
        }
    }

    private static void runsOn(ReferenceMachine machine) {
        assertThat(machine.runState()).isEqualTo(RunState.RUNNING);
        long before = machine.instructions();
        LingeringMachine.run(machine, 500_000);
        assertThat(machine.instructions()).isGreaterThan(before);
    }
}
