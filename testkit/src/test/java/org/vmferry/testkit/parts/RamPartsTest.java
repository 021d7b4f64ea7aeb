package org.vmferry.testkit.parts;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.memory.ComparingRam;
import org.vmferry.engine.memory.GuestMemory;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.testkit.conformance.RamProviderConformance;
import org.vmferry.testkit.fault.RestlessRam;
import org.vmferry.testkit.machine.HostMemory;
import org.vmferry.testkit.machine.ReferenceMachine;
import org.vmferry.testkit.machine.ReferenceMachineBuilder;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
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
    class OverGuestMemory extends OfTheReferenceMachine {
        @Override
        ReferenceMachineBuilder builder() {
            return super.builder()
                    .memory(bytes -> GuestMemory.allocate(bytes).block("ref.ram", 4096));
        }
    }

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

    /** One of each kind of the engine's own. */
    @Nested
    class OfTheEngine extends RamProviderConformance {
        private final Arena arena = Arena.ofShared();
        @TempDir Path folder;

        @Override
        protected RamProvider ram() throws IOException {
            Path file = Files.createTempDirectory(folder, "ram").resolve("ram");
            List<RamBlock> blocks =
                    List.of(
                            GuestMemory.allocate(arena, 1 << 20).block("anonymous", 4096),
                            GuestMemory.allocate(arena, 1 << 20).block("large pages", 1 << 16),
                            GuestMemory.shareable(arena, 1 << 20).block("memfd", 4096, 1 << 20),
                            GuestMemory.ofFile(arena, file, 1 << 20).block("file", 4096));
            return () -> blocks;
        }

        @AfterEach
        void close() {
            arena.close();
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
