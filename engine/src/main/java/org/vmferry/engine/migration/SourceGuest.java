package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The source's guest: paused for the switch-over, resumed after a failure, given up when it is
 * done. Which of the two, one thread decides: the migration's, or after a yank another in its
 * place.
 */
final class SourceGuest {
    private static final Logger LOG = LoggerFactory.getLogger(SourceGuest.class);

    private final Machine machine;
    private volatile RunState before;
    private final ReentrantLock entering = new ReentrantLock();
    private boolean claimed; // guarded by entering
    private volatile long pausedAt; // nanoTime; 0 while it was not paused by us
    private volatile long resumedAt;

    SourceGuest(Machine machine) {
        this.machine = machine;
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
        entering.lock();
        try {
            if (claimed) throw MigrationException.host("the migration was given up");
            if (pausedAt != 0) return;
            before = machine.runState(); // its host may have stopped it meanwhile, or started it
            pausedAt = System.nanoTime();
            enter(RunState.FINISH_MIGRATE);
        } finally {
            entering.unlock();
        }
    }

    /**
     * Who gets true decides what becomes of it, and nobody else. Never waits.
     *
     * @return false if another has the word, or hangs in pausing it
     */
    boolean claim() {
        if (!entering.tryLock()) return false;
        try {
            boolean mine = !claimed;
            claimed = true;
            return mine;
        } finally {
            entering.unlock();
        }
    }

    /** It goes on here, if it did before. Its claimant's. */
    void resume() throws MigrationException {
        if (pausedAt == 0) return;
        enter(before);
        resumedAt = System.nanoTime();
    }

    /**
     * It is somebody else's now, or may be: what the host can't do about it changes neither. Its
     * claimant's.
     */
    void giveUp(String migration) {
        try {
            enter(RunState.POSTMIGRATE);
        } catch (MigrationException e) {
            LOG.warn("{} is over, but its machine stays '{}'", migration, machine.runState(), e);
        }
    }

    private void enter(RunState state) throws MigrationException {
        Guest.enter(machine, state);
    }

    /** For how long it has stood still for our sake, in ms. */
    long downtime() {
        if (pausedAt == 0 || before != RunState.RUNNING) return 0;
        long until = resumedAt == 0 ? System.nanoTime() : resumedAt;
        return TimeUnit.NANOSECONDS.toMillis(until - pausedAt);
    }
}
