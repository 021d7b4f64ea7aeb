package org.vmferry.testkit.machine;

import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;

/**
 * A broken dirty log: of the marks that it is asked for it loses every so many. A test that does
 * not fail with it proves nothing about dirty pages.
 */
public final class ForgetfulDirtyLog implements DirtyLog {
    private final DirtyLog log;
    private final int oneIn;
    private long marks;

    /**
     * Sabotages a log.
     *
     * @param log the true one
     * @param oneIn of so many marks one is lost, such as 1000
     */
    public ForgetfulDirtyLog(DirtyLog log, int oneIn) {
        this.log = log;
        this.oneIn = oneIn;
    }

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
        PageBitmap fresh = new PageBitmap(into.pages());
        log.harvest(block, fresh);
        for (long page = fresh.nextSet(0); page < fresh.pages(); page = fresh.nextSet(page + 1)) {
            if (++marks % oneIn != 0) into.set(page);
        }
    }

    /**
     * How many marks it has lost.
     *
     * @return pages
     */
    public long forgotten() {
        return marks / oneIn;
    }
}
