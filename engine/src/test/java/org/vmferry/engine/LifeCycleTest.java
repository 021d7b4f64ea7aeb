package org.vmferry.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.doubles.SteadyDirtyLog;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/** What a host and its users see while a migration runs. */
class LifeCycleTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir Path folder;

    private String file() {
        return "file:" + folder.resolve("vm");
    }

    private final Engine engine = new Engine(Plugins.builtIn());

    @Test
    void itWaitsBeforeTheSwitchOver() throws Exception {
        TestMachine machine = TestMachine.live();
        Migration migration =
                engine.send(machine, file(), Settings.NONE.capability("pause-before-switchover"));
        await(migration, MigrationState.PRE_SWITCHOVER);
        assertThat(machine.state).isEqualTo(RunState.FINISH_MIGRATE);
        assertThat(folder.resolve("vm")).doesNotExist();
        migration.proceed();
        migration.await();
        assertThat(folder.resolve("vm")).exists();
    }

    @Test
    void itIsCancelledBeforeTheSwitchOver() throws Exception {
        TestMachine machine = TestMachine.live();
        Migration migration =
                engine.send(machine, file(), Settings.NONE.capability("pause-before-switchover"));
        await(migration, MigrationState.PRE_SWITCHOVER);
        assertThat(migration.cancel()).isTrue();
        assertThatExceptionOfType(MigrationException.class)
                .isThrownBy(migration::await)
                .withMessageContaining("cancelled");
        assertThat(migration.state()).isEqualTo(MigrationState.CANCELLED);
        assertThat(machine.state).isEqualTo(RunState.RUNNING);
        assertThat(Files.list(folder)).isEmpty();
    }

    private static void await(Migration migration, MigrationState state) {
        long end = System.nanoTime() + SOON.toNanos();
        while (migration.state() != state) {
            assertThat(System.nanoTime()).as("%s in time", state).isLessThan(end);
            LockSupport.parkNanos(200_000);
        }
    }

    @Test
    void cprPausesBeforeAnythingIsSaved() throws Exception {
        List<RunState> whenAsked = new ArrayList<>();
        TestMachine machine =
                new TestMachine(RunState.RUNNING, TestMachine.heap(8, 1)) {
                    @Override
                    public RamProvider ram() {
                        return new RamProvider() {
                            @Override
                            public List<RamBlock> blocks() {
                                return TestMachine.heap(8, 1);
                            }

                            @Override
                            public Optional<DirtyLog> dirtyLog() {
                                return Optional.of(
                                        new SteadyDirtyLog(0) {
                                            @Override
                                            public void start() {
                                                whenAsked.add(state);
                                            }
                                        });
                            }
                        };
                    }
                };
        engine.send(machine, file(), Settings.NONE.parameter("mode", "cpr-reboot")).await();
        assertThat(whenAsked).containsExactly(RunState.FINISH_MIGRATE);
        // What goes to the destination is the state from before.
        TestMachine target = new TestMachine(RunState.INMIGRATE, TestMachine.heap(8, 0));
        engine.receive(target, file(), Settings.NONE).await();
        assertThat(target.state).isEqualTo(RunState.RUNNING);
    }

    /** A query between the final state and the final numbers sees both, or neither. */
    @Test
    void theFinalNumbersAreThereBeforeTheFinalStateIs() throws Exception {
        for (int i = 0; i < 40; i++) {
            Migration migration = engine.send(TestMachine.live(), file(), Settings.NONE);
            while (!migration.state().isFinal()) LockSupport.parkNanos(200_000);
            Statistics first = migration.statistics();
            migration.await();
            assertThat(migration.statistics()).isSameAs(first);
            assertThat(first.remaining()).isZero();
            assertThat(first.transferred()).isEqualTo(Files.size(folder.resolve("vm")));
        }
    }
}
