package org.vmferry.mappedram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.ram.RamBlock;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Pages that are to be zero: made so where they are not, and not even looked at where they must be.
 */
class ZeroFillTest {
    private static RamBlock block(boolean fresh) {
        RamBlock block = mock(RamBlock.class);
        when(block.pageSize()).thenReturn(4096);
        when(block.isFresh()).thenReturn(fresh);
        when(block.memory()).thenReturn(Optional.empty());
        return block;
    }

    @Test
    @Tag("MAP-9")
    void aFreshBlockIsLeftAlone() throws Exception {
        RamBlock block = block(true);
        try (Staging staging = new Staging(1)) {
            ZeroFill.fill(block, 0, 4, staging);
        }
        verify(block, never()).read(anyLong(), any());
        verify(block, never()).write(anyLong(), any());
    }

    @Test
    @Tag("MAP-9")
    void anyOtherIsMadeZero() throws Exception {
        byte[] bytes = new byte[8 * 4096];
        bytes[4096 + 17] = 1;
        RamBlock block = RamBlock.of("ram", MemorySegment.ofArray(bytes), 4096);
        try (Staging staging = new Staging(1)) {
            ZeroFill.fill(block, 0, 4, staging);
        }
        assertThat(bytes).containsOnly(0);
    }
}
