package org.vmferry.it.hostile;

import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;

/**
 * Finds the first page of a reference machine's RAM dirty, always: with no downtime allowed its
 * migration never completes.
 */
record NeverClean(DirtyLog log) implements DirtyLog {
    @Override
    public void start() {
        log.start();
    }

    @Override
    public void stop() {
        log.stop();
    }

    @Override
    public void harvest(RamBlock block, PageBitmap into) {
        log.harvest(block, into);
        if (block.id().equals("ref.ram")) into.fill(0, 1, true);
    }
}
