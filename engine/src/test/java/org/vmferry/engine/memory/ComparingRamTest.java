package org.vmferry.engine.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.engine.system.NativeCalls;
import org.vmferry.spi.doubles.PresentPages;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

class ComparingRamTest {
    private static final int PAGE = 4096;

    private final Arena arena = Arena.ofShared();

    @AfterEach
    void close() {
        arena.close();
    }

    /** The copy is what is sent, and it may be older than what is known of RAM. */
    @Test
    @Tag("MEM-11")
    void whileItLogsWhatIsKnownOfRamIsNotKnownOfTheCopy() {
        MemorySegment memory = arena.allocate(2 * PAGE, PAGE);
        memory.fill((byte) 1);
        boolean[] zero = {false};
        RamBlock block =
                new ForwardingBlock(RamBlock.of("a", memory, PAGE)) {
                    @Override
                    public boolean isKnownZero(long offset, long bytes) {
                        return zero[0];
                    }
                };
        ComparingRam ram = new ComparingRam(List.of(block));
        RamBlock seen = ram.blocks().getFirst();
        ram.start();
        memory.fill((byte) 0);
        zero[0] = true;
        assertThat(seen.isKnownZero(0, 2 * PAGE)).isFalse();
        assertThat(harvest(ram)).isEqualTo(2);
        ram.stop();
        assertThat(seen.isKnownZero(0, 2 * PAGE)).isTrue();
    }

    private static long harvest(ComparingRam ram) {
        RamBlock block = ram.blocks().getFirst();
        PageBitmap dirty = new PageBitmap(block.pages());
        ram.harvest(block, dirty);
        return dirty.cardinality();
    }

    /** Neither RAM nor the copy grows by what nobody ever wrote to. */
    @Test
    @Tag("MEM-11")
    void whatWasNeverWrittenToIsNotCopiedAndNotCompared() throws Exception {
        assumeTrue(NativeCalls.available(), "needs native access: without, nothing is known");
        GuestMemory guest = GuestMemory.allocate(arena, 512 << 20);
        MemorySegment memory = guest.segment();
        memory.asSlice(6 << 20, PAGE).fill((byte) 1);
        long used = PresentPages.in(memory);
        int[] reads = {0};
        RamBlock block =
                new ForwardingBlock(guest.block("a", PAGE)) {
                    @Override
                    public void read(long offset, MemorySegment target) {
                        reads[0]++;
                        super.read(offset, target);
                    }
                };
        ComparingRam ram = new ComparingRam(List.of(block));
        RamBlock seen = ram.blocks().getFirst();
        ram.start();
        assertThat(harvest(ram)).isZero();
        memory.set(ValueLayout.JAVA_BYTE, 300L << 20, (byte) 1);
        assertThat(seen.isKnownZero(300L << 20, PAGE)).isTrue(); // it is the copy's
        assertThat(harvest(ram)).isEqualTo(1);
        assertThat(seen.isKnownZero(300L << 20, PAGE)).isFalse();
        assertThat(reads[0]).isLessThan(20); // of 512 at each of three times
        ram.stop();
        assertThat(PresentPages.in(memory)).isLessThanOrEqualTo(used + (2 << 20) / PAGE);
    }
}
