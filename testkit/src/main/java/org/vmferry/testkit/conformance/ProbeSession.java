package org.vmferry.testkit.conformance;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Session;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.option.Options;

import java.io.IOException;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;

/** A session that counts what was permitted, and asks before each time. */
record ProbeSession(Session real, AtomicLong permitted, Runnable before) implements Session {
    @Override
    public String name() {
        return real.name();
    }

    @Override
    public Options options() {
        return real.options();
    }

    @Override
    public UUID uuid() {
        return real.uuid();
    }

    @Override
    public boolean takesUuid() {
        return real.takesUuid();
    }

    @Override
    public void took(UUID said) {
        real.took(said);
    }

    @Override
    public Optional<CompressionProvider> codec() {
        return real.codec();
    }

    @Override
    public void permit(long bytes) throws IOException {
        before.run();
        permitted.addAndGet(bytes);
        real.permit(bytes);
    }

    @Override
    public void fail(Throwable cause) {
        real.fail(cause);
    }

    @Override
    public void check() throws MigrationException {
        real.check();
    }

    @Override
    public Counters counters() {
        return real.counters();
    }
}
