package org.vmferry.engine.memory;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.vmferry.spi.ram.AtomicDirtyLog;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;

import java.util.ArrayList;
import java.util.List;

/** A dirty log that is asked about a block that it was not given names it. */
class ForeignBlockTest {
    private static final int PAGE = 4096;

    private final RamBlock own = GuestMemory.allocate(PAGE).block("own", PAGE);
    private final RamBlock others = GuestMemory.allocate(PAGE).block("others", PAGE);

    private void refused(Runnable call) {
        assertThatThrownBy(call::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the dirty log was not given a RAM block 'others'");
    }

    @Test
    void itIsNamed() {
        AtomicDirtyLog atomic = new AtomicDirtyLog(List.of(own));
        refused(() -> atomic.marks(others));
        ObservedRam observed = new ObservedRam(List.of(own));
        refused(() -> observed.mark(others, 0, PAGE));
        List<DirtyLog> logs = new ArrayList<>();
        logs.addAll(List.of(atomic, observed, new ComparingRam(List.of(own))));
        if (KernelDirtyLog.obstacle(own).isEmpty()) {
            KernelDirtyLog kernel = new KernelDirtyLog(List.of(own));
            refused(() -> kernel.mark(others, 0, PAGE));
            logs.add(kernel);
        }
        for (DirtyLog log : logs) {
            log.start();
            refused(() -> log.harvest(others, new PageBitmap(1)));
            log.stop();
        }
    }
}
