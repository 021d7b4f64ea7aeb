package org.vmferry.engine.migration;

import org.vmferry.engine.transport.SocketOptions;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Session;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.option.Parameter;
import org.vmferry.spi.ram.RamBlock;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * One migration's shared state: its first error, what to let go when there is one, and what was
 * counted.
 */
public final class MigrationSession implements Session {
    private final String name;
    private final Options options;
    private volatile Options current;
    private final UUID uuid;
    private final Optional<CompressionProvider> codec;
    private final Bandwidth bandwidth;
    private final Counts counts = new Counts();
    private final LongAdder turnedAway = new LongAdder();
    private final Set<String> came = ConcurrentHashMap.newKeySet(); // blocks
    private final List<Runnable> releases = new ArrayList<>(); // guarded by this
    private MigrationException failure; // guarded by this
    private boolean committed; // guarded by this

    /** A session with max-bandwidth in bytes/s, 0 for no limit. */
    public MigrationSession(
            String name,
            Options options,
            UUID uuid,
            Optional<CompressionProvider> codec,
            long maxBandwidth) {
        this.name = name;
        this.options = options;
        this.current = options;
        this.uuid = uuid;
        this.codec = codec;
        this.bandwidth = new Bandwidth(maxBandwidth);
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
    public long patience() {
        return options.get(SocketOptions.CONNECT_TIMEOUT);
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
        synchronized (this) {
            if (failure == null) {
                releases.add(release);
                return;
            }
        }
        release.run();
    }

    @Override
    public void fail(Throwable cause) {
        fail(cause, false);
    }

    private boolean fail(Throwable cause, boolean unlessCommitted) {
        List<Runnable> release;
        synchronized (this) {
            if (committed && unlessCommitted) return false;
            if (failure != null) {
                // What follows from the first failure is worth keeping, but not the failure itself
                // again.
                if (cause instanceof OutcomeUnknown unknown && failure != unknown) {
                    unknown.addSuppressed(failure); // who has the guest matters most
                    failure = unknown;
                } else if (cause instanceof AnswerListener.Refused refused
                        && failure.blame() == Blame.TRANSPORT
                        && !(failure instanceof OutcomeUnknown)) {
                    refused.addSuppressed(failure); // its end is why a channel was lost
                    failure = refused;
                } else if (cause != failure && cause != failure.getCause()) {
                    failure.addSuppressed(cause);
                }
                return false;
            }
            failure = MigrationException.of(cause);
            // What came last goes first: a word to the peer before its connection.
            release = List.copyOf(releases).reversed();
        }
        bandwidth.open();
        for (Runnable each : release) {
            try {
                each.run();
            } catch (RuntimeException e) {
                // The others are to be let go all the same.
                fail(e, false);
            }
        }
        return true;
    }

    /**
     * Fails the migration with an order of the operator's.
     *
     * @return false if it has failed already, or can only complete
     */
    public boolean cancel(MigrationException order) {
        if (failure() != null) return false;
        return fail(order, true);
    }

    /**
     * Fails the migration unless it has failed already, and lets go whoever hangs.
     *
     * @return false if it can only complete
     */
    public boolean yank(MigrationException order) {
        return fail(order, true) || failure() != null;
    }

    /** From here on no cancel is taken: what remains to be done makes the result visible. */
    synchronized void commit() throws MigrationException {
        check();
        committed = true;
    }

    /** Whether the end may be on its way. */
    synchronized boolean committed() {
        return committed;
    }

    /** The first failure, or null. */
    public synchronized MigrationException failure() {
        return failure;
    }

    @Override
    public void check() throws MigrationException {
        MigrationException first = failure();
        if (first != null) throw first;
    }

    @Override
    public void came(RamBlock block) {
        came.add(block.id());
    }

    /** Whether anything of a block of that name came. */
    boolean hasCome(String block) {
        return came.contains(block);
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
