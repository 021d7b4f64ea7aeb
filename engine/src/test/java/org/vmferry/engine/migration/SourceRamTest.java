package org.vmferry.engine.migration;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vmferry.engine.memory.ObservedRam;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.OptionalLong;

/** RAM of a host without a dirty log, in arrays: it can be compared, and no more. */
class SourceRamTest {
    private static final int BYTES = 1 << 20;

    private static RamBlock block(String id) {
        return RamBlock.of(id, MemorySegment.ofArray(new byte[BYTES]), 4096);
    }

    private static RamBlock shared(String id) {
        return new ForwardingBlock(block(id)) {
            @Override
            public boolean shared() {
                return true;
            }
        };
    }

    private static RamProvider logged(Options options, long free, RamBlock... blocks)
            throws Exception {
        List<RamBlock> all = List.of(blocks);
        return new SourceRam(options, "send-1", OptionalLong.of(free)).logged(() -> all);
    }

    @Test
    void itIsComparedWhereThereIsMemoryForACopy() throws Exception {
        RamProvider ram = logged(Options.DEFAULTS, 2 * BYTES, block("a"), block("b"));
        ObservedRam log = (ObservedRam) ram.dirtyLog().orElseThrow();
        assertThat(log.compared()).containsOnlyKeys("a", "b");
        assertThat(ram.blocks()).extracting(RamBlock::id).containsExactly("a", "b");
    }

    @Test
    void withoutMemoryItIsLeftAsItIs() throws Exception {
        RamProvider ram = logged(Options.DEFAULTS, 2 * BYTES - 1, block("a"), block("b"));
        assertThat(ram.dirtyLog()).isEmpty();
    }

    /** What is not sent needs no copy. */
    @Test
    void whatTheDestinationHasIsNotObserved() throws Exception {
        Options ignoring = Options.DEFAULTS.with(EngineOptions.X_IGNORE_SHARED, true);
        RamBlock there = shared("a");
        RamProvider ram = logged(ignoring, BYTES, there, block("b"));
        ObservedRam log = (ObservedRam) ram.dirtyLog().orElseThrow();
        assertThat(log.compared()).containsOnlyKeys("b");
        assertThat(ram.blocks()).first().isSameAs(there);
    }
}
