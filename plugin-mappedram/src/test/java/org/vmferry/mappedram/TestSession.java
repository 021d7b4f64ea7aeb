package org.vmferry.mappedram;

import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.option.Parameter;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.session.Session;

import java.util.Optional;
import java.util.UUID;
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
        return Options.DEFAULTS.with(MappedRamOptions.DIRECT_IO, direct);
    }

    @Override
    public <T> T current(Parameter<T> parameter) {
        return options().get(parameter);
    }

    @Override
    public long connectTimeout() {
        return 30_000;
    }

    @Override
    public long silence() {
        return 60_000;
    }

    @Override
    public UUID uuid() {
        return new UUID(0, 0);
    }

    @Override
    public boolean takesUuid() {
        return false;
    }

    @Override
    public void took(UUID said) {}

    @Override
    public Optional<CompressionProvider> codec() {
        return Optional.empty();
    }

    @Override
    public void came(RamBlock block) {}

    @Override
    public void arrives(Run run) {}

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
