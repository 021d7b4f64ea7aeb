package org.vmferry.mappedram;

import org.vmferry.spi.Session;
import org.vmferry.spi.option.Options;

import java.util.concurrent.atomic.AtomicLong;

/** A session that only counts. */
final class TestSession implements Session, Session.Counters {
    final AtomicLong normal = new AtomicLong();
    final AtomicLong zero = new AtomicLong();
    final AtomicLong bytes = new AtomicLong();
    final AtomicLong permitted = new AtomicLong();
    private final boolean direct;

    TestSession(boolean direct) {
        this.direct = direct;
    }

    @Override
    public String name() {
        return "test";
    }

    @Override
    public Options options() {
        return Options.DEFAULTS.with(MappedRamLayout.DIRECT_IO, direct);
    }

    @Override
    public void permit(long count) {
        permitted.addAndGet(count);
    }

    @Override
    public void fail(Throwable cause) {
        throw new AssertionError(cause);
    }

    @Override
    public void check() {}

    @Override
    public Counters counters() {
        return this;
    }

    @Override
    public void normalPages(long count) {
        normal.addAndGet(count);
    }

    @Override
    public void zeroPages(long count) {
        zero.addAndGet(count);
    }

    @Override
    public void bytes(long count) {
        bytes.addAndGet(count);
    }
}
