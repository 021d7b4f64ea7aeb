package org.vmferry.testkit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.ram.AtomicDirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;

import java.lang.foreign.MemorySegment;
import java.util.List;

/** What the ready-made log does besides the rules, which {@code DirtyLogPartsTest} holds it to. */
class DirtyLogTest {
    private static final RamBlock BLOCK =
            RamBlock.of("ram", MemorySegment.ofArray(new byte[64 * 4096]), 4096);

    @Test
    @Tag("DLG-4")
    void nothingIsMarkedOutsideStartAndStop() {
        AtomicDirtyLog log = new AtomicDirtyLog(List.of(BLOCK));
        PageBitmap dirty = new PageBitmap(64);
        log.mark(BLOCK, 1);
        log.start();
        log.mark(BLOCK, 2);
        dirty.set(3);
        log.harvest(BLOCK, dirty);
        assertThat(dirty.word(0)).isEqualTo(0b1100);
        log.mark(BLOCK, 4);
        log.stop();
        log.mark(BLOCK, 5);
        log.start(); // marks of a migration before are gone
        log.harvest(BLOCK, dirty);
        assertThat(dirty.word(0)).isEqualTo(0b1100);
    }
}
