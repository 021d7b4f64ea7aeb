package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Session;
import org.vmferry.spi.machine.CpuThrottle;

import java.util.Optional;

/**
 * Whether what is dirty after a round would pass within the downtime limit; and, if the guest
 * dirties faster than can be sent, slowing it (auto-converge) and saying so.
 */
final class Convergence implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Convergence.class);
    private static final int BAD_ROUNDS = 2; // in a row, before the guest is slowed

    /** How often the peer is asked on the mere chance that the rest would pass. */
    private static final int CHANCES = 16;

    /** How often it is asked at all: a vmferry answers 64 PINGs, three of which are others. */
    private static final int MOST_LOOKS = 48;

    private final Session session;
    private final Optional<CpuThrottle> throttle;
    private final int pageSize;
    private final Speed speed;
    private int rounds;
    private int looks;
    private int badRounds;
    private boolean told;
    private boolean closed; // guarded by this
    private volatile long expectedDowntime; // ms
    private volatile long dirtyPagesRate; // pages/s
    private volatile int percent;

    Convergence(Session session, Optional<CpuThrottle> throttle, int pageSize, boolean acknowledged)
            throws MigrationException {
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
        if (looks >= CHANCES) speed.trustKnown();
        dirtyPagesRate = (long) (dirty / pageSize * 1000.0 / ms);
        if (stillFits(dirty)) return true;
        long limit = session.current(EngineOptions.DOWNTIME_LIMIT);
        int most = session.current(EngineOptions.ROUND_LIMIT);
        if (most > 0 && rounds >= most) {
            throw MigrationException.user(
                    "the guest did not converge in %d rounds (round-limit): it dirties %d pages/s,"
                            + " and the rest would take %d ms, with downtime-limit %d ms",
                    rounds, dirtyPagesRate, expectedDowntime, limit);
        }
        slowBy(percent); // the most allowed may be less now
        boolean bad =
                dirty * 100.0
                        > sent * (double) session.current(EngineOptions.THROTTLE_TRIGGER_THRESHOLD);
        badRounds = bad ? badRounds + 1 : 0;
        if (badRounds >= BAD_ROUNDS) {
            badRounds = 0;
            if (session.options().get(EngineOptions.AUTO_CONVERGE)) slowDown();
            else tell(limit);
        }
        return false;
    }

    /**
     * Judges again, once the peer has taken the round.
     *
     * @param ms since the round began
     * @param waited ms of these, for the peer's answer
     * @param dirty bytes that are dirty now
     */
    boolean fitsStill(double ms, double waited, long dirty) {
        speed.taken(ms, waited);
        return stillFits(dirty) || ++looks == MOST_LOOKS;
    }

    private boolean stillFits(long dirty) {
        long available = session.current(EngineOptions.AVAIL_SWITCHOVER_BANDWIDTH);
        double ms = available > 0 ? dirty * 1000.0 / available : speed.ms(dirty / pageSize);
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

    private void tell(long limit) {
        if (told) return;
        told = true;
        LOG.warn(
                "{}: the guest dirties {} pages/s, faster than they are sent; the rest would take"
                    + " {} ms, with downtime-limit {} ms. Raise max-bandwidth or downtime-limit, or"
                    + " set auto-converge",
                session.name(),
                dirtyPagesRate,
                expectedDowntime,
                limit);
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
