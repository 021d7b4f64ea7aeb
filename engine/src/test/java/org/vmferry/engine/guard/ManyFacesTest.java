package org.vmferry.engine.guard;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.util.List;
import java.util.Optional;

/** A host may have one class for several things. */
class ManyFacesTest {
    /** RAM that is its own dirty log. */
    private static final class Both implements RamProvider, DirtyLog {
        private boolean started;

        @Override
        public List<RamBlock> blocks() {
            return List.of();
        }

        @Override
        public Optional<DirtyLog> dirtyLog() {
            return Optional.of(this);
        }

        @Override
        public void start() {
            started = true;
        }

        @Override
        public void stop() {}

        @Override
        public void harvest(RamBlock block, PageBitmap into) {}
    }

    @Test
    void eachOfThemIsGuarded() {
        Both both = new Both();
        Machine machine =
                new TestMachine(RunState.PAUSED, List.of()) {
                    @Override
                    public RamProvider ram() {
                        return both;
                    }
                };
        DirtyLog log = Guard.over(machine).ram().dirtyLog().orElseThrow();
        log.start();
        assertThat(both.started).isTrue();
        assertThat(log).isNotSameAs(both);
    }
}
