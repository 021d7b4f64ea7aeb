package org.vmferry.testkit.parts;

import org.junit.jupiter.api.Nested;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.machine.Machine;
import org.vmferry.testkit.conformance.MachineConformance;
import org.vmferry.testkit.machine.HostMemory;
import org.vmferry.testkit.machine.ReferenceMachine;
import org.vmferry.testkit.machine.ReferenceMachineBuilder;

/** The reference machine as a host, over every carrier and layout that comes with vmferry. */
class MachinePartsTest {
    static ReferenceMachineBuilder small() {
        return ReferenceMachine.builder()
                .ram(2 << 20)
                .dirtyWindow(300)
                .dirtyEvery(250)
                .printEvery(100_000);
    }

    @Nested
    class Plain extends MachineConformance {
        @Override
        protected Machine machine() {
            return small().build();
        }
    }

    @Nested
    class InArrays extends MachineConformance {
        @Override
        protected Machine machine() {
            return small().hostMemory(HostMemory.INTS).build();
        }
    }

    @Nested
    class WithPlugins extends MachineConformance {
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
    class Toy extends MachineConformance {
        @Override
        protected Machine machine() {
            return new ToyMachine();
        }
    }
}
