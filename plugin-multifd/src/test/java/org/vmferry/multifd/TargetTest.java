package org.vmferry.multifd;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.ram.RamBlock;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

@Tag("MFD-13")
class TargetTest {
    private static final int PAGE = 4096;

    private final MemorySegment memory = Arena.ofAuto().allocate(4 * PAGE, PAGE).fill((byte) 7);
    private final MemorySegment copy = Arena.ofAuto().allocate(PAGE, PAGE);

    private byte first(int page) {
        return memory.get(ValueLayout.JAVA_BYTE, (long) page * PAGE);
    }

    @Test
    void inAFreshBlockOnlyPagesThatArrivedAreZeroed() {
        Target target = new Target(RamBlock.fresh("ram", memory, PAGE));
        target.arrive(PAGE, 2);
        for (int page = 0; page < 4; page++) target.zero((long) page * PAGE, copy);
        // The sevens show that nobody looked: a block that is fresh has none.
        assertThat(new byte[] {first(0), first(1), first(2), first(3)}).containsExactly(7, 0, 0, 7);
    }

    @Test
    void inAnyOtherBlockAllAre() {
        Target target = new Target(RamBlock.of("ram", memory, PAGE));
        for (int page = 0; page < 4; page++) target.zero((long) page * PAGE, copy);
        assertThat(memory.mismatch(Arena.ofAuto().allocate(4 * PAGE))).isEqualTo(-1);
    }

    @Test
    void inABlockWithoutMemoryToo() {
        byte[] bytes = memory.toArray(ValueLayout.JAVA_BYTE);
        Target target = new Target(RamBlock.fresh("ram", MemorySegment.ofArray(bytes), PAGE));
        target.arrive(3 * PAGE, 1);
        target.zero(0, copy);
        target.zero(3 * PAGE, copy);
        assertThat(new byte[] {bytes[0], bytes[3 * PAGE], bytes[4 * PAGE - 1]})
                .containsExactly(7, 0, 0);
    }
}
