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
    private volatile RunState paused; // what it was in when its pause had begun; null before
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
            paused = machine.runState();
            // It stopped by itself while it was being stopped, and its host says why.
            if (paused != RunState.FINISH_MIGRATE && paused != RunState.RUNNING) before = paused;
        } finally {
            life.pauseEnded();
        }
    }

    /**
     * Makes sure that what was sent is what is there: nobody has let it go on since it was paused.
     */
    void requirePaused() throws MigrationException {
        RunState now = machine.runState();
        if (now == paused) return;
        throw MigrationException.host(
                "the machine went from '%s' to '%s' while the last of it was sent, by no order of"
                        + " this migration: let it enter another state before that, or cancel"
                        + " first",
                paused.wireName(), now.wireName());
    }

    /** It goes on elsewhere, or all that it needs for that was sent. */
    void over() {
        synchronized (clock) { // or it ends before a moment at which somebody saw it go on
            overAt = System.nanoTime();
        }
    }

    /** It goes on here, if it did before, and if its host has not decided otherwise. */
    void resume() throws MigrationException {
        try {
            if (pausedAt == 0 || isElsewhere()) return;
            enter(before);
            synchronized (clock) {
                resumedAt = System.nanoTime();
            }
        } finally {
            settled = true;
        }
    }

    /**
     * Whether its host has let it enter another state than those in which a migration leaves it.
     */
    private boolean isElsewhere() {
        RunState left = paused;
        if (left == null) return false;
        RunState now;
        try {
            now = machine.runState();
        } catch (RuntimeException | Error e) {
            LOG.debug("its machine can't say what it is doing; it goes on", e);
            return false;
        }
        return now != left && now != RunState.POSTMIGRATE;
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
