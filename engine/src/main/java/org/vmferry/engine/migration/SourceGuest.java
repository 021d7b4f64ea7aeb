package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.Migratable;
import org.vmferry.spi.machine.RunState;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The source's guest: paused for the switch-over, resumed after a failure, given up when it is
 * done. One thread sees to it at a time, as the life cycle says: the migration's, or after a yank
 * another in its place.
 */
final class SourceGuest {
    private static final Logger LOG = Log.of(SourceGuest.class);

    private final Migratable machine;
    private final LifeCycle life;
    private final Object clock = new Object(); // of whatever ends the time that somebody reads
    private volatile RunState before;
    private volatile long pausedAt; // nanoTime; 0 while it was not paused by us
    private long resumedAt; // guarded by clock
    private volatile boolean settled;
    private final AtomicBoolean givenUp = new AtomicBoolean();
    private long overAt; // when it ran elsewhere, as far as is known here; guarded by clock

    SourceGuest(Migratable machine, LifeCycle life) {
        this.machine = machine;
        this.life = life;
        this.before = machine.runState();
    }

    /** The state that the destination is to take. */
    RunState before() {
        return before;
    }

    /**
     * Pauses it, unless that was done before; also if it does not run, for nobody may start it from
     * here on.
     */
    void pause() throws MigrationException {
        life.pausing();
        try {
            if (pausedAt != 0) return;
            before = machine.runState(); // its host may have stopped it meanwhile, or started it
            pausedAt = System.nanoTime();
            enter(RunState.FINISH_MIGRATE);
        } finally {
            life.pauseEnded();
        }
    }

    /** It goes on elsewhere, or all that it needs for that was sent. */
    void over() {
        synchronized (clock) { // or it ends before a moment at which somebody saw it go on
            overAt = System.nanoTime();
        }
    }

    /** It goes on here, if it did before. */
    void resume() throws MigrationException {
        try {
            if (pausedAt == 0) return;
            enter(before);
            synchronized (clock) {
                resumedAt = System.nanoTime();
            }
        } finally {
            settled = true;
        }
    }

    /**
     * It is somebody else's now, or may be: what the host can't do about it changes neither.
     *
     * @return false if another thread is at it
     */
    boolean giveUp(String migration) {
        if (!givenUp.compareAndSet(false, true)) return settled;
        try {
            enter(RunState.POSTMIGRATE);
        } catch (MigrationException e) {
            String why = e.getMessage();
            LOG.warn("{} is over, but its machine stays '{}': {}", migration, now(), why);
            LOG.debug("{}: its machine", migration, e);
        } finally {
            settled = true;
        }
        return true;
    }

    /** What its machine is doing. */
    RunState now() {
        return machine.runState();
    }

    /** Whether it has met its fate: what a migration hangs in now matters to it no more. */
    boolean isSettled() {
        return settled;
    }

    private void enter(RunState state) throws MigrationException {
        machine.enter(state);
    }

    /** For how long it has stood still for our sake, in ms. */
    long downtime() {
        if (pausedAt == 0 || before != RunState.RUNNING) return 0;
        synchronized (clock) {
            long until = resumedAt != 0 ? resumedAt : overAt != 0 ? overAt : System.nanoTime();
            return TimeUnit.NANOSECONDS.toMillis(until - pausedAt);
        }
    }
}
