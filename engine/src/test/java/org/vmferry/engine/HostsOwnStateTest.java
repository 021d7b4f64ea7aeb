package org.vmferry.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.doubles.SteadyDirtyLog;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;

import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/** A run state that changes during a migration by no order of the engine's. */
@Timeout(60)
class HostsOwnStateTest {
    private static final Settings BACK = Settings.NONE.capability("return-path");
    private static final Settings WAITS = BACK.capability("pause-before-switchover");

    @TempDir Path folder;
    private final Engine engine = new Engine(Plugins.builtIn());
    private final TestMachine target = new TestMachine(RunState.INMIGRATE, TestMachine.heap(64, 0));
    private Migration load;

    private Migration send(TestMachine source, Settings settings) throws Exception {
        load = engine.receive(target, "unix:" + folder.resolve("in"), settings);
        return engine.send(source, load.address().toString(), settings);
    }

    private Migration standing(TestMachine source) throws Exception {
        Migration save = send(source, WAITS);
        while (save.state() != MigrationState.PRE_SWITCHOVER) LockSupport.parkNanos(200_000);
        return save;
    }

    /** In its first round, while it runs, the state of the machine becomes another. */
    private static TestMachine becomes(RunState next) {
        TestMachine machine = TestMachine.live();
        machine.log =
                Optional.of(
                        new SteadyDirtyLog(0) {
                            @Override
                            public void harvest(RamBlock block, PageBitmap into) {
                                if (machine.entered.isEmpty()) machine.state = next;
                            }
                        });
        return machine;
    }

    /** Its guest halts, crashes, meets a breakpoint; or its host has paused it. */
    @ParameterizedTest
    @EnumSource(names = {"SHUTDOWN", "GUEST_PANICKED", "DEBUG", "WATCHDOG", "PAUSED"})
    void aGuestThatStopsInARoundArrivesStopped(RunState why) throws Exception {
        TestMachine source = becomes(why);
        send(source, BACK).await();
        load.await();
        assertThat(target.entered).containsExactly(why);
        assertThat(source.state).isEqualTo(RunState.POSTMIGRATE);
    }

    @Test
    void aGuestThatStopsInARoundStaysSoAfterACancel() throws Exception {
        TestMachine source = becomes(RunState.SHUTDOWN);
        Migration save = standing(source);
        save.cancel();
        assertThatThrownBy(save::await).hasMessageContaining("cancelled");
        assertThat(source.entered).containsExactly(RunState.FINISH_MIGRATE, RunState.SHUTDOWN);
    }

    /** Stops by itself between the engine's look at it and its being stopped. */
    private static TestMachine stopsMeanwhile() {
        return new TestMachine(RunState.RUNNING, TestMachine.heap(64, 3)) {
            @Override
            public synchronized void enter(RunState next) throws MigrationException {
                super.enter(next);
                if (next == RunState.FINISH_MIGRATE) state = RunState.SHUTDOWN;
            }
        };
    }

    @Test
    void aGuestThatStopsWhileItIsBeingStoppedIsNotStartedThere() throws Exception {
        send(stopsMeanwhile(), BACK).await();
        load.await();
        assertThat(target.entered).containsExactly(RunState.SHUTDOWN);
    }

    @Test
    void norIsItHereAfterACancel() throws Exception {
        TestMachine source = stopsMeanwhile();
        Migration save = standing(source);
        save.cancel();
        assertThatThrownBy(save::await).hasMessageContaining("cancelled");
        assertThat(source.entered).doesNotContain(RunState.RUNNING);
        assertThat(source.state).isEqualTo(RunState.SHUTDOWN);
    }

    @Test
    void aHostThatCannotSayItsStateHasItsGuestBack() throws Exception {
        var source =
                new TestMachine(RunState.RUNNING, TestMachine.heap(64, 3)) {
                    private volatile boolean broken;

                    @Override
                    public RunState runState() {
                        if (broken) throw new IllegalStateException("no state");
                        return super.runState();
                    }
                };
        Migration save = standing(source);
        source.broken = true;
        save.cancel();
        assertThatThrownBy(save::await).hasMessageContaining("cancelled");
        assertThat(source.entered).containsExactly(RunState.FINISH_MIGRATE, RunState.RUNNING);
    }

    /** The host lets it run, or ends it, while the last of it is sent: what was sent is not it. */
    @ParameterizedTest
    @EnumSource(names = {"RUNNING", "SHUTDOWN"})
    void aHostThatEntersAnotherStateInThePauseKeepsItsGuest(RunState next) throws Exception {
        TestMachine source = TestMachine.live();
        Migration save = standing(source);
        source.enter(next);
        save.proceed();
        assertThatThrownBy(save::await)
                .hasMessageContaining(
                        "the machine went from 'finish-migrate' to '"
                                + next.wireName()
                                + "' while the last of it was sent");
        assertThat(save.owner()).isEqualTo(GuestOwner.SOURCE);
        assertThat(source.entered).containsExactly(RunState.FINISH_MIGRATE, next);
        assertThatThrownBy(load::await).isInstanceOf(MigrationException.class);
        assertThat(target.entered).isEmpty();
    }

    /** Told to stand still while it waits for a guest, it does not: the source's state holds. */
    @Test
    void whatADestinationsHostEntersMeanwhileGivesWayToTheSources() throws Exception {
        TestMachine source = TestMachine.live();
        Migration save = standing(source);
        target.enter(RunState.PAUSED);
        save.proceed();
        save.await();
        load.await();
        assertThat(target.entered).containsExactly(RunState.PAUSED, RunState.RUNNING);
    }
}
