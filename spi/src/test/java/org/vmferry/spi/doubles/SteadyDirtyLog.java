package org.vmferry.engine;

import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;

/** Of a guest that dirties so many pages in each round. */
class SteadyDirtyLog implements DirtyLog {
    volatile int pages;

    SteadyDirtyLog(int pages) {
        this.pages = pages;
    }

    @Override
    public void start() {}

    @Override
    public void stop() {}

    @Override
    public void harvest(RamBlock block, PageBitmap into) {
        into.fill(0, Math.min(pages, block.pages()), true);
    }
}
