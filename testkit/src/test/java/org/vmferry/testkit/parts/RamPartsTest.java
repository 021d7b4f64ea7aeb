package org.vmferry.testkit.parts;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.vmferry.engine.memory.ComparingRam;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.testkit.conformance.RamProviderConformance;
import org.vmferry.testkit.fault.RestlessRam;
import org.vmferry.testkit.machine.HostMemory;
import org.vmferry.testkit.machine.ReferenceMachine;
import org.vmferry.testkit.machine.ReferenceMachineBuilder;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** The RAM of the reference machine in all its kinds, and the ready-made blocks. */
class RamPartsTest {
    abstract static class OfTheReferenceMachine extends RamProviderConformance {
        private final List<ReferenceMachine> machines = new ArrayList<>();

        ReferenceMachineBuilder builder() {
            return MachinePartsTest.small();
        }

        @Override
        protected RamProvider ram() {
            machines.add(builder().build());
            return machines.getLast().ram();
        }

        @Override
        protected RamTarget target(RamProvider ram) {
            return machines.getLast().ramTarget();
        }

        @AfterEach
        void close() {
            machines.forEach(ReferenceMachine::close);
        }
    }

    @Nested
    class Native extends OfTheReferenceMachine {}

    @Nested
    class Bytes extends OfTheReferenceMachine {
        @Override
        ReferenceMachineBuilder builder() {
            return super.builder().hostMemory(HostMemory.BYTES);
        }
    }

    @Nested
    class Ints extends OfTheReferenceMachine {
        @Override
        ReferenceMachineBuilder builder() {
            return super.builder().hostMemory(HostMemory.INTS);
        }
    }

    @Nested
    class Adopting extends OfTheReferenceMachine {
        @Override
        ReferenceMachineBuilder builder() {
            return super.builder().adopting();
        }
    }

    /** What {@code RamBlock} itself offers. */
    @Nested
    class ReadyMade extends RamProviderConformance {
        List<RamBlock> blocks() {
            return List.of(
                    RamBlock.of("array", MemorySegment.ofArray(new byte[40_960]), 4096),
                    RamBlock.fresh("fresh", Arena.ofAuto().allocate(1 << 20, 4096), 4096),
                    RamBlock.of("large pages", Arena.ofAuto().allocate(1 << 18, 4096), 1 << 16));
        }

        @Override
        protected RamProvider ram() {
            List<RamBlock> blocks = blocks();
            return () -> blocks;
        }
    }

    @Nested
    class Comparing extends ReadyMade {
        @Override
        protected RamProvider ram() {
            return new ComparingRam(blocks());
        }
    }

    @Nested
    class Restless extends ReadyMade {
        @Override
        protected RamProvider ram() {
            return new RestlessRam(super.ram(), 1, () -> false);
        }
    }
}
