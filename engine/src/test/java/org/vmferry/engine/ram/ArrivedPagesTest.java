package org.vmferry.engine.ram;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.ram.Staging;
import org.vmferry.spi.ram.ZeroPages;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

class ArrivedPagesTest {
    private static final int PAGE = 4096;

    private final ArrivedPages arrived = new ArrivedPages();
    private final MemorySegment memory = Arena.ofAuto().allocate(4 * PAGE, PAGE).fill((byte) 7);

    private static String first(MemorySegment memory) {
        String first = "";
        for (long page = 0; page < 4; page++)
            first += memory.get(ValueLayout.JAVA_BYTE, page * PAGE);
        return first;
    }

    private void clear(RamBlock block, int pages) {
        try (Staging staging = new Staging()) {
            for (int page = 0; page < 4; page += pages)
                ZeroPages.clear(new Run(block, page, pages), staging);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    @Tag("MFD-13")
    void inAFreshBlockOnlyPagesThatArrivedAreZeroed(int pages) {
        RamBlock block = arrived.of(RamBlock.fresh("ram", memory, PAGE));
        arrived.arrives(new Run(block, 1, 2));
        clear(block, pages);
        // The sevens show that nobody looked: a block that is fresh has none.
        assertThat(first(memory)).isEqualTo("7007");
    }

    @Test
    @Tag("MFD-13")
    void inAnyOtherBlockAllAre() {
        clear(arrived.of(RamBlock.of("ram", memory, PAGE)), 4);
        assertThat(first(memory)).isEqualTo("0000");
    }

    @Test
    @Tag("MFD-13")
    void inABlockWithoutMemoryToo() {
        byte[] bytes = memory.toArray(ValueLayout.JAVA_BYTE);
        MemorySegment heap = MemorySegment.ofArray(bytes);
        RamBlock block = arrived.of(RamBlock.fresh("ram", heap, PAGE));
        arrived.arrives(new Run(block, 3, 1));
        clear(block, 1);
        assertThat(first(heap)).isEqualTo("7770");
    }

    @Test
    void aRunOfAnotherObjectForTheBlockCountsToo() {
        RamBlock host = RamBlock.fresh("ram", memory, PAGE);
        RamBlock block = arrived.of(host);
        arrived.arrives(new Run(host, 0, 1));
        assertThat(block.isKnownZero(0, PAGE)).isFalse();
        assertThat(block.isKnownZero(PAGE, PAGE)).isTrue();
    }

    @Test
    void blocksOfWhichAnythingCameAreKnown() {
        RamBlock block = arrived.of(RamBlock.of("ram", memory, PAGE));
        assertThat(arrived.hasCome("ram")).isFalse();
        arrived.came(block);
        assertThat(arrived.hasCome("ram")).isTrue();
    }
}
