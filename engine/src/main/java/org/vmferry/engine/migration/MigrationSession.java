package org.vmferry.engine.migration;

import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.ram.ArrivedPages;
import org.vmferry.engine.transport.SocketOptions;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.option.Parameter;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.LongAdder;

/** What all parts of one migration share: its life cycle, its options, and what was counted. */
public final class MigrationSession implements Session {
    private final String name;
    private final Options options;
    private volatile Options current;
    private volatile UUID uuid;
    private volatile boolean takesUuid;
    private final Optional<CompressionProvider> codec;
    private final Bandwidth bandwidth;
    private final Counts counts = new Counts();
    private final LongAdder turnedAway = new LongAdder();
    private final ArrivedPages arrived = new ArrivedPages();
    private final LifeCycle life;
    private final Threads threads;
    private final Releases releases;
    private final boolean rehearsal;

    /** A session with max-bandwidth in bytes/s, 0 for no limit. */
    public MigrationSession(
            LifeCycle.Role role,
            String name,
            Options options,
            UUID uuid,
            Optional<CompressionProvider> codec,
            long maxBandwidth) {
        this(role, name, options, uuid, codec, maxBandwidth, false);
    }

    private MigrationSession(
            LifeCycle.Role role,
            String name,
            Options options,
            UUID uuid,
            Optional<CompressionProvider> codec,
            long maxBandwidth,
            boolean rehearsal) {
        this.rehearsal = rehearsal;
        this.name = name;
        this.options = options;
        this.current = options;
        this.uuid = uuid;
        this.codec = codec;
        this.bandwidth = new Bandwidth(maxBandwidth);
        life = new LifeCycle(role);
        threads = new Threads(name);
        releases = new Releases(life, threads);
    }

    /** Where it stands, and all that is decided about it. */
    public LifeCycle life() {
        return life;
    }

    /** Its threads. */
    public Threads threads() {
        return threads;
    }

    /** A session of a migration that is held for practice. */
    static MigrationSession ofRehearsal(LifeCycle.Role role, String name, Options options) {
        return new MigrationSession(role, name, options, new UUID(0, 0), Optional.empty(), 0, true);
    }

    /** Whether it is held for practice, and so needs none. */
    boolean isRehearsal() {
        return rehearsal;
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
        return current.get(parameter);
    }

    @Override
    public long connectTimeout() {
        return options.get(SocketOptions.CONNECT_TIMEOUT);
    }

    @Override
    public long silence() {
        return current(EngineOptions.SILENCE_TIMEOUT);
    }

    /** The options now in force. */
    public Options current() {
        return current;
    }

    /** Other options from now on; {@link #options} are those of the beginning. */
    public void change(Options changed) {
        current = changed;
    }

    /** Another max-bandwidth from now on, in bytes/s, 0 for no limit. */
    public void limitBandwidth(long maxBandwidth) {
        bandwidth.limit(maxBandwidth);
    }

    @Override
    public UUID uuid() {
        return uuid;
    }

    /** The machine is one that nobody has named yet: it is the one that its source says. */
    void takeUuid() {
        takesUuid = true;
    }

    @Override
    public boolean takesUuid() {
        return takesUuid;
    }

    @Override
    public void took(UUID said) {
        uuid = said;
        takesUuid = false;
    }

    @Override
    public Optional<CompressionProvider> codec() {
        return codec;
    }

    @Override
    public void permit(long bytes) throws IOException {
        try {
            bandwidth.take(bytes);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MigrationException(Blame.HOST, "a migration's thread was interrupted", e);
        }
        check();
    }

    /** No limit from now on: the guest is paused. */
    void liftBandwidth() {
        bandwidth.open();
    }

    /** Has something let go when the migration fails; at once, if it already has. */
    void onFailure(Runnable release) {
        if (!life.onFailure(release)) release.run();
    }

    /**
     * Fails the migration and lets go who hangs. What was failed before is let go when this
     * returns, or hangs.
     */
    @Override
    public void fail(Throwable cause) {
        release(life.fail(cause));
        releases.await();
    }

    /** Begins to let go; does not wait for it. */
    public void release(List<Runnable> what) {
        if (life.failure() != null) bandwidth.open();
        releases.begin(what);
    }

    @Override
    public void check() throws MigrationException {
        life.check();
    }

    @Override
    public void came(RamBlock block) {
        arrived.came(block);
    }

    @Override
    public void arrives(Run run) {
        arrived.arrives(run);
    }

    /** What has come of RAM. */
    ArrivedPages arrived() {
        return arrived;
    }

    @Override
    public Counters counters() {
        return counts;
    }

    /** Pages moved with their content. */
    public long pagesNormal() {
        return counts.normal.sum();
    }

    /** Pages that were zero. */
    public long pagesZero() {
        return counts.zero.sum();
    }

    /** Pages that were moved, of either kind. */
    long pages() {
        return pagesNormal() + pagesZero();
    }

    /** Bytes that went beside the main stream. */
    public long channelBytes() {
        return counts.bytes.sum();
    }

    /** A connection came that has nothing to do with the migration. */
    void countTurnedAway() {
        turnedAway.increment();
    }

    /** Connections that came and have nothing to do with the migration. */
    public long turnedAway() {
        return turnedAway.sum();
    }

    private static final class Counts implements Counters {
        private final LongAdder normal = new LongAdder();
        private final LongAdder zero = new LongAdder();
        private final LongAdder bytes = new LongAdder();

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
}
