package org.vmferry.testkit.parts;

import org.junit.jupiter.api.Nested;
import org.vmferry.engine.memory.ComparingRam;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.testkit.conformance.MachineConformance;
import org.vmferry.testkit.fault.RestlessRam;
import org.vmferry.testkit.machine.HostMemory;
import org.vmferry.testkit.machine.ReferenceMachine;
import org.vmferry.testkit.machine.ReferenceMachineBuilder;

import java.util.Optional;

/** The reference machine as a host, over every carrier and layout that comes with vmferry. */
class MachinePartsTest {
    static ReferenceMachineBuilder small() {
        return ReferenceMachine.builder()
                .ram(2 << 20)
                .dirtyWindow(300)
                .dirtyEvery(250)
                .printEvery(100_000);
    }

    /** What only the host of a reference machine knows of it. */
    abstract static class Reference extends MachineConformance {
        static ReferenceMachine reference(Machine machine) {
            return (ReferenceMachine) machine;
        }

        @Override
        protected Optional<?> runFor(Machine machine, long steps) {
            reference(machine).runFor(steps);
            return Optional.of(reference(machine).digest());
        }

        @Override
        protected boolean store(Machine machine, RamBlock block, long offset, byte value) {
            return reference(machine).store(block, offset, value);
        }
    }

    /** What only the host of a toy knows of it. */
    abstract static class OfToys extends MachineConformance {
        @Override
        protected Optional<?> runFor(Machine machine, long steps) {
            return Optional.of(((ToyMachine) machine).runFor(steps));
        }

        @Override
        protected boolean store(Machine machine, RamBlock block, long offset, byte value) {
            ((ToyMachine) machine).store(offset, value);
            return true;
        }
    }

    @Nested
    class Plain extends Reference {
        @Override
        protected Machine machine() {
            return small().build();
        }
    }

    @Nested
    class InArrays extends Reference {
        @Override
        protected Machine machine() {
            return small().hostMemory(HostMemory.INTS).build();
        }
    }

    @Nested
    class WithPlugins extends Reference {
        @Override
        protected Machine machine() {
            return small().adopting().build();
        }

        @Override
        protected Settings snapshotSettings() {
            return Settings.NONE.capability("mapped-ram").capability("multifd");
        }

        @Override
        protected Settings liveSettings() {
            return super.liveSettings()
                    .capability("multifd")
                    .capability("return-path")
                    .parameter("multifd-compression", "zstd");
        }
    }

    @Nested
    class Toy extends OfToys {
        @Override
        protected Machine machine() {
            return new ToyMachine();
        }
    }

    /** Pages change under the engine's hands. */
    @Nested
    class Restless extends OfToys {
        @Override
        protected Machine machine() {
            return new ToyMachine() {
                private final RamProvider restless =
                        new RestlessRam(this, 5, () -> runState() == RunState.RUNNING);

                @Override
                public RamProvider ram() {
                    return restless;
                }
            };
        }
    }

    /** It can't tell what its guest writes to. */
    @Nested
    class Comparing extends OfToys {
        @Override
        protected Machine machine() {
            return new ToyMachine() {
                private final RamProvider compared = new ComparingRam(blocks());

                @Override
                public RamProvider ram() {
                    return compared;
                }
            };
        }
    }

    /** It leaves all of that to the engine. */
    @Nested
    class WithoutALog extends OfToys {
        @Override
        protected Machine machine() {
            return new ToyMachine() {
                @Override
                public Optional<DirtyLog> dirtyLog() {
                    return Optional.empty();
                }
            };
        }
    }
}
