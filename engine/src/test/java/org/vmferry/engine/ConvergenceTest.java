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
import org.vmferry.spi.machine.CpuThrottle;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.RamBlock;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** Whether what is dirty gets less, and what is done if it does not. */
class ConvergenceTest {
    @TempDir Path folder;

    private String file() {
        return "file:" + folder.resolve("vm");
    }

    private final Engine engine = new Engine(Plugins.builtIn());

    /** So slow that what is dirtied in a round never fits into no downtime at all. */
    private static final Settings HOPELESS =
            Settings.NONE.parameter("downtime-limit", "0").parameter("max-bandwidth", "10000000");

    @Test
    void aGuestThatDoesNotConvergeIsReported() throws Exception {
        TestMachine machine = TestMachine.live();
        machine.log = Optional.of(new SteadyDirtyLog(60));
        Migration migration = engine.send(machine, file(), HOPELESS.parameter("round-limit", "4"));
        assertThatExceptionOfType(MigrationException.class)
                .isThrownBy(migration::await)
                .withMessageContaining("did not converge in 4 rounds")
                .withMessageContaining("downtime-limit 0 ms");
        assertThat(migration.statistics().expectedDowntime()).isPositive();
        assertThat(migration.statistics().dirtyPagesRate()).isPositive();
        assertThat(machine.entered).isEmpty();
        assertThat(machine.state).isEqualTo(RunState.RUNNING);
    }

    @Test
    void autoConvergeSlowsTheGuestUntilItFits() throws Exception {
        SteadyDirtyLog dirty = new SteadyDirtyLog(60);
        List<Integer> percents = Collections.synchronizedList(new ArrayList<>());
        TestMachine machine =
                new TestMachine(RunState.RUNNING, TestMachine.heap(64, 3)) {
                    @Override
                    public Optional<CpuThrottle> throttle() {
                        return Optional.of(
                                percent -> {
                                    percents.add(percent);
                                    if (percent >= 40) dirty.pages = 0;
                                });
                    }
                };
        machine.log = Optional.of(dirty);
        engine.send(machine, file(), HOPELESS.capability("auto-converge")).await();
        assertThat(percents).containsExactly(20, 30, 40, 0);
    }

    @Test
    void autoConvergeNeedsAGuestThatCanBeSlowed() throws Exception {
        TestMachine machine = TestMachine.live();
        Migration migration =
                engine.send(machine, file(), Settings.NONE.capability("auto-converge"));
        assertThatExceptionOfType(MigrationException.class)
                .isThrownBy(migration::await)
                .withMessageContaining("can't be slowed down");
        assertThat(machine.state).isEqualTo(RunState.RUNNING);
    }

    /**
     * Of the 64 pages that a first round goes over 4 are not zero; of the 60 in the second, too. By
     * what was sent 16 pages take most of a second, though the rounds went over sixteen times as
     * much RAM.
     */
    @Test
    void zeroPagesDoNotMakeALinkFast() throws Exception {
        byte[] ram = new byte[64 * 4096];
        for (int page = 0; page < 32; page += 8) ram[page * 4096] = 1;
        TestMachine machine =
                new TestMachine(
                        RunState.RUNNING,
                        List.of(RamBlock.of("ram", MemorySegment.ofArray(ram), 4096)));
        SteadyDirtyLog dirty = new SteadyDirtyLog(60);
        machine.log = Optional.of(dirty);
        Migration migration =
                engine.send(
                        machine,
                        file(),
                        Settings.NONE
                                .parameter("downtime-limit", "2000")
                                .parameter("max-bandwidth", "50000"));
        migration.listen(
                new MigrationListener() {
                    @Override
                    public void entered(MigrationState state) {}

                    @Override
                    public void round(long number) {
                        if (number == 2) dirty.pages = 16;
                    }
                });
        migration.await();
        assertThat(migration.statistics().dirtySyncCount()).as("rounds").isGreaterThan(2);
        assertThat(migration.statistics().expectedDowntime()).isGreaterThan(500);
    }
}
