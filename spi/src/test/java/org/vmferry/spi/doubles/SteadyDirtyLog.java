package org.vmferry.spi.doubles;

import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;

/** Of a guest that dirties so many pages in each round. */
public class SteadyDirtyLog implements DirtyLog {
    public volatile int pages;

    public SteadyDirtyLog(int pages) {
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
