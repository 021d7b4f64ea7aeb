package org.vmferry.spi.session;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.option.Parameter;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;

import java.io.IOException;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;

/** A session that hands every call to another one; the base of those which do something more. */
@Status(Status.Level.EXPERIMENTAL)
public class ForwardingSession implements Session {
    /** The session underneath. */
    protected final Session real;

    /**
     * Over another session.
     *
     * @param real the migration's
     */
    public ForwardingSession(Session real) {
        this.real = Objects.requireNonNull(real, "real");
    }

    @Override
    public String name() {
        return real.name();
    }

    @Override
    public Options options() {
        return real.options();
    }

    @Override
    public <T> T current(Parameter<T> parameter) {
        return real.current(parameter);
    }

    @Override
    public long connectTimeout() {
        return real.connectTimeout();
    }

    @Override
    public long silence() {
        return real.silence();
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
    public void came(RamBlock block) {
        real.came(block);
    }

    @Override
    public void arrives(Run run) {
        real.arrives(run);
    }

    @Override
    public Counters counters() {
        return real.counters();
    }
}
