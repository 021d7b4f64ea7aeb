package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.CpuThrottle;
import org.vmferry.spi.session.Session;

import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Whether what is dirty after a round would pass within the downtime limit; and, if the guest
 * dirties faster than can be sent, slowing it (auto-converge) and saying so.
 */
final class Convergence implements AutoCloseable {
    private static final Logger LOG = Log.of(Convergence.class);
    private static final int BAD_ROUNDS = 2; // in a row, before the guest is slowed

    /** How often in vain the peer is asked on the mere chance that the rest would pass. */
    static final int CHANCES = 16;

    /** How often in vain at all: a vmferry answers 64 PINGs, three of which are others. */
    static final int MOST_LOOKS = 48;

    /**
     * How long it is not asked again after the chances are used up; half as long again each time.
     */
    private static final long PAUSE_NS = 100_000_000;

    private final Session session;
    private final Optional<CpuThrottle> throttle;
    private final int pageSize;
    private final Speed speed;
    private final LongSupplier clock; // ns
    private int rounds;
    private int looks; // in vain
    private long notBefore; // by the clock: the next look
    private long pause = PAUSE_NS;
    private int badRounds;
    private boolean told;
    private double harvestMs;
    private boolean closed; // guarded by this
    private volatile long expectedDowntime; // ms
    private volatile long dirtyPagesRate; // pages/s
    private volatile int percent;

    Convergence(Session session, Optional<CpuThrottle> throttle, int pageSize, boolean acknowledged)
            throws MigrationException {
        this(session, throttle, pageSize, acknowledged, System::nanoTime);
    }

    Convergence(
            Session session,
            Optional<CpuThrottle> throttle,
            int pageSize,
            boolean acknowledged,
            LongSupplier clock)
            throws MigrationException {
        this.clock = clock;
        this.session = session;
        this.throttle = throttle;
        this.pageSize = pageSize;
        speed = new Speed(pageSize, acknowledged);
        if (session.options().get(EngineOptions.AUTO_CONVERGE) && throttle.isEmpty()) {
            throw MigrationException.user(
                    "auto-converge: this machine's virtual CPUs can't be slowed down");
        }
    }

    /**
     * Judges a round.
     *
     * @param sent bytes of RAM that the round went over
     * @param wire bytes that it sent
     * @param normal pages that it sent with their content
     * @param ms that it took until all was handed to the system
     * @param dirty bytes that are dirty now
     * @return whether the rest fits into the downtime limit
     */
    boolean fits(long sent, long wire, long normal, double ms, long dirty)
            throws MigrationException {
        rounds++;
        speed.round(wire, normal, ms);
        boolean chances = looks < CHANCES;
        if (!chances) speed.trustKnown();
        dirtyPagesRate = (long) (dirty / pageSize * 1000.0 / ms);
        if (stillFits(dirty) && (chances || clock.getAsLong() - notBefore >= 0)) return true;
        int most = session.current(EngineOptions.ROUND_LIMIT);
        if (most > 0 && rounds >= most) throw gaveUp(rounds + " rounds (round-limit)");
        slowBy(percent); // the most allowed may be less now
        boolean bad =
                dirty * 100.0
                        > sent * (double) session.current(EngineOptions.THROTTLE_TRIGGER_THRESHOLD);
        badRounds = bad ? badRounds + 1 : 0;
        if (badRounds >= BAD_ROUNDS) {
            badRounds = 0;
            lags();
        }
        return false;
    }

    /**
     * The dirty log was asked: it will be again once the guest is paused, and stands still
     * meanwhile.
     *
     * @param ms that it took for all blocks
     */
    void harvestTook(double ms) {
        harvestMs = ms;
    }

    private MigrationException gaveUp(String in) {
        return MigrationException.user(
                "the guest did not converge in %s: it dirties %d pages/s, and the rest would take"
                        + " %d ms, with downtime-limit %d ms",
                in,
                dirtyPagesRate,
                expectedDowntime,
                session.current(EngineOptions.DOWNTIME_LIMIT));
    }

    /**
     * Judges again, once the peer has taken the round. A guest that again and again dirties too
     * much meanwhile is looked at more and more seldom, and never switched over all the same.
     *
     * @param ms since the round began
     * @param waited ms of these, for the peer's answer
     * @param dirty bytes that are dirty now
     */
    boolean fitsStill(double ms, double waited, long dirty) throws MigrationException {
        speed.taken(ms, waited);
        if (stillFits(dirty)) return true;
        looks++;
        if (looks == MOST_LOOKS) throw gaveUp(looks + " times that the destination had all of it");
        if (looks < CHANCES) return false;
        notBefore = clock.getAsLong() + pause;
        pause += pause / 2;
        lags();
        return false;
    }

    /** The guest dirties too much. */
    private void lags() {
        if (session.options().get(EngineOptions.AUTO_CONVERGE)) slowDown();
        else tell();
    }

    private boolean stillFits(long dirty) {
        long available = session.current(EngineOptions.AVAIL_SWITCHOVER_BANDWIDTH);
        double ms = available > 0 ? dirty * 1000.0 / available : speed.ms(dirty / pageSize);
        ms += harvestMs;
        expectedDowntime = (long) Math.ceil(ms);
        return dirty == 0 || ms <= session.current(EngineOptions.DOWNTIME_LIMIT);
    }

    private void slowDown() {
        slowBy(
                percent == 0
                        ? session.current(EngineOptions.CPU_THROTTLE_INITIAL)
                        : percent + session.current(EngineOptions.CPU_THROTTLE_INCREMENT));
    }

    private synchronized void slowBy(int next) {
        int allowed = Math.min(next, session.current(EngineOptions.MAX_CPU_THROTTLE));
        if (closed || allowed == percent) return;
        percent = allowed;
        LOG.info("{}: the guest is slowed by {} %", session.name(), percent);
        throttle.orElseThrow().set(percent);
    }

    private void tell() {
        if (told) return;
        told = true;
        LOG.warn(
                "{}: the guest dirties {} pages/s, too many to be switched over: the rest would"
                        + " take {} ms, {} of them to ask the dirty log, with downtime-limit {} ms."
                        + " Raise max-bandwidth or downtime-limit, or set auto-converge",
                session.name(),
                dirtyPagesRate,
                expectedDowntime,
                (long) harvestMs,
                session.current(EngineOptions.DOWNTIME_LIMIT));
    }

    long expectedDowntime() {
        return expectedDowntime;
    }

    long dirtyPagesRate() {
        return dirtyPagesRate;
    }

    int percent() {
        return percent;
    }

    /** The guest runs at full speed again. Any thread. */
    @Override
    public synchronized void close() {
        closed = true;
        if (percent == 0) return;
        percent = 0;
        throttle.orElseThrow().set(0);
    }
}
