package org.vmferry.spi.doubles;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.option.Parameter;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.session.Session;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;

/** A session that keeps the first failure, lets its channels go, and counts. */
public final class TestSession implements Session, Session.Counters {
    public volatile long patience = 30_000;
    public volatile long silence = 60_000;
    public final LongAdder normal = new LongAdder();
    public final LongAdder zero = new LongAdder();
    public final LongAdder bytes = new LongAdder();
    public final LongAdder permitted = new LongAdder();
    public final LongAdder writes = new LongAdder();
    public final List<Channel> channels = new CopyOnWriteArrayList<>();
    public final List<Runnable> onFail = new CopyOnWriteArrayList<>();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final String name;
    private final Options options;
    private final UUID uuid;
    private final CompressionProvider codec;

    public TestSession(String name, Options options, UUID uuid, CompressionProvider codec) {
        this.name = name;
        this.options = options;
        this.uuid = uuid;
        this.codec = codec;
    }

    public TestSession(String name, Options options) {
        this(name, options, new UUID(0, 0), null);
    }

    public Throwable failure() {
        return failure.get();
    }

    /** The names of this session's threads that still live. */
    public List<String> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(thread -> thread.startsWith(name + "-"))
                .toList();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Options options() {
        return options;
    }

    @Override
    public <T> T current(Parameter<T> parameter) {
        return options().get(parameter);
    }

    @Override
    public long connectTimeout() {
        return patience;
    }

    @Override
    public long silence() {
        return silence;
    }

    @Override
    public UUID uuid() {
        return uuid;
    }

    @Override
    public boolean takesUuid() {
        return false;
    }

    @Override
    public void took(UUID said) {}

    @Override
    public Optional<CompressionProvider> codec() {
        return Optional.ofNullable(codec);
    }

    @Override
    public void came(RamBlock block) {}

    @Override
    public void arrives(Run run) {}

    @Override
    public void permit(long bytes) throws IOException {
        check();
        permitted.add(bytes);
        writes.increment();
    }

    @Override
    public void fail(Throwable cause) {
        if (!failure.compareAndSet(null, cause)) return;
        channels.forEach(Channel::release);
        onFail.forEach(Runnable::run);
    }

    @Override
    public void check() throws MigrationException {
        Throwable cause = failure.get();
        if (cause instanceof MigrationException e) throw e;
        if (cause != null) throw new MigrationException(Blame.TRANSPORT, cause.toString(), cause);
    }

    @Override
    public Counters counters() {
        return this;
    }

    @Override
    public void normalPages(long count) {
        normal.add(count);
    }

    @Override
    public void zeroPages(long count) {
        zero.add(count);
    }

    @Override
    public void bytes(long count) {
        bytes.add(count);
    }
}
