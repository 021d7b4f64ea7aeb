package org.vmferry.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.doubles.SteadyDirtyLog;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/** Which machines get a dirty log that their hosts give none, and what a log's time counts for. */
class LogByDefaultTest {
    private static final long SLOW = 60; // ms

    @TempDir Path folder;
    private final AtomicLong read = new AtomicLong(); // bytes
    private final AtomicLong whileItRan = new AtomicLong();
    private TestMachine machine;

    /** RAM in arrays: to be compared it is read once more. */
    private RamBlock noting(RamBlock block) {
        return new ForwardingBlock(block) {
            @Override
            public void read(long offset, MemorySegment target) {
                read.addAndGet(target.byteSize());
                if (machine.state == RunState.RUNNING) whileItRan.addAndGet(target.byteSize());
                super.read(offset, target);
            }
        };
    }

    private Statistics save(Settings settings) throws Exception {
        Migration save = Engine.create().send(machine, "file:" + folder.resolve("vm"), settings);
        save.await();
        return save.statistics();
    }

    @ParameterizedTest
    @CsvSource({"RUNNING, normal, true", "RUNNING, cpr-reboot, false", "PAUSED, normal, false"})
    void onlyAMachineThatRunsOnMeanwhile(RunState state, String mode, boolean logged)
            throws Exception {
        List<RamBlock> blocks = TestMachine.heap(64, 3).stream().map(this::noting).toList();
        machine = new TestMachine(state, blocks);
        save(Settings.NONE.parameter("mode", mode));
        long all = blocks.stream().mapToLong(RamBlock::usedLength).sum();
        if (logged) assertThat(whileItRan.get()).isGreaterThanOrEqualTo(all);
        else assertThat(whileItRan.get()).isZero();
        if (!logged) assertThat(read.get()).isEqualTo(all);
    }

    /** Each harvest is timed, as there is one more in the pause. */
    @Test
    void whatASlowLogTakesIsExpected() throws Exception {
        machine = TestMachine.live();
        machine.log =
                Optional.of(
                        new SteadyDirtyLog(0) {
                            @Override
                            public void harvest(RamBlock block, PageBitmap into) {
                                long end = System.nanoTime() + SLOW * 1_000_000;
                                while (System.nanoTime() < end) Thread.onSpinWait();
                                super.harvest(block, into);
                            }
                        });
        assertThat(save(Settings.NONE).expectedDowntime()).isGreaterThanOrEqualTo(2 * SLOW);
    }
}
