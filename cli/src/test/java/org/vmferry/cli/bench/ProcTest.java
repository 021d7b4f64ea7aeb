package org.vmferry.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.vmferry.engine.memory.GuestMemory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

@EnabledOnOs(OS.LINUX)
class ProcTest {
    private static final long MIB = 1 << 20;
    private static final long HUGE = 2 * MIB;
    private static final int PAGE = 4096;

    private static void touch(MemorySegment memory, long from, long to) {
        for (long at = from; at < to; at += PAGE) memory.set(ValueLayout.JAVA_BYTE, at, (byte) 1);
    }

    /** Of a guest's RAM, and of nothing that lies beside it. */
    @SuppressWarnings("restricted") // one segment over both
    @Test
    void tellsWhatWasMadeOfMemory() throws Exception {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = GuestMemory.allocate(arena, 64 * MIB).segment();
            MemorySegment beside = GuestMemory.allocate(arena, 64 * MIB).segment();
            assertThat(Proc.residentBytes(memory)).isZero();
            touch(beside, 0, 64 * MIB);
            long process = Proc.residentBytes(ProcessHandle.current().pid());
            touch(memory, 16 * MIB, 24 * MIB);
            assertThat(Proc.residentBytes(memory)).isBetween(8 * MIB, 8 * MIB + 2 * HUGE);
            assertThat(Proc.residentBytes(ProcessHandle.current().pid()) - process)
                    .as("the process's own")
                    .isBetween(4 * MIB, 40 * MIB);
            assertThat(Proc.residentBytes(beside)).isEqualTo(64 * MIB);
            boolean first = memory.address() < beside.address();
            MemorySegment lower = first ? memory : beside;
            MemorySegment upper = first ? beside : memory;
            MemorySegment both =
                    lower.reinterpret(upper.address() + upper.byteSize() - lower.address());
            assertThat(Proc.residentBytes(both)).as("of several").isGreaterThanOrEqualTo(72 * MIB);
        }
    }

    @Test
    void tellsProcessorTime() throws Exception {
        long self = ProcessHandle.current().pid();
        double before = Proc.cpuSeconds(self);
        long sum = 0;
        while (Proc.cpuSeconds(self) < before + 0.05) sum += System.nanoTime(); // till it is seen
        assertThat(sum).isNotZero();
        assertThat(Proc.cpuSeconds(self) - before).isLessThan(60);
        double gone = Proc.cpuSecondsOfTheGone();
        Process child =
                new ProcessBuilder("sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done")
                        .start();
        assertThat(child.waitFor()).isZero();
        assertThat(Proc.cpuSecondsOfTheGone()).isGreaterThan(gone);
    }
}
