package org.vmferry.testkit.machine;

import org.vmferry.spi.Status;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;

/**
 * A broken dirty log: in each block it never tells of one page in so many. A test that does not
 * fail with it proves nothing about dirty pages.
 *
 * <p>It forgets pages, not marks: a mark lost once does no harm when the page was marked for the
 * same round already.
 */
@Status(Status.Level.EXPERIMENTAL)
public final class ForgetfulDirtyLog implements DirtyLog {
    private final DirtyLog log;
    private final int oneIn;
    private volatile long forgotten;

    /**
     * Sabotages a log.
     *
     * @param log the true one
     * @param oneIn of so many pages one is forgotten, such as 1000
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
            if (page % oneIn != oneIn / 2) into.set(page);
            else forgotten++; // one writer: the migration thread
        }
    }

    /**
     * How many marks it has lost so far.
     *
     * @return marks
     */
    public long forgotten() {
        return forgotten;
    }
}
