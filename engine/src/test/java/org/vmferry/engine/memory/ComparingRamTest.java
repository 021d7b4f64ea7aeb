package org.vmferry.engine.memory;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.RamBlock;

import java.lang.foreign.Arena;
import java.util.List;

class ComparingRamTest {
    /** The copy is what is sent, and it may be older than what is known of RAM. */
    @Test
    @Tag("MEM-11")
    void whileItLogsNothingIsKnownToBeZero() {
        try (Arena arena = Arena.ofShared()) {
            RamBlock block =
                    new ForwardingBlock(RamBlock.of("a", arena.allocate(8192, 4096), 4096)) {
                        @Override
                        public boolean isKnownZero(long offset, long bytes) {
                            return true;
                        }
                    };
            ComparingRam ram = new ComparingRam(List.of(block));
            RamBlock seen = ram.blocks().getFirst();
            assertThat(seen.isKnownZero(0, 8192)).isTrue();
            ram.start();
            assertThat(seen.isKnownZero(0, 8192)).isFalse();
            ram.stop();
            assertThat(seen.isKnownZero(0, 8192)).isTrue();
        }
    }
}
