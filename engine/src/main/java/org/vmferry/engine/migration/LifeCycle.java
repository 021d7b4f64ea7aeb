package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.Blame;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Where one side of a migration stands, what it failed with, and who has the guest. All of that is
 * decided here and nowhere else, under one lock, on which nothing is called that could wait: what a
 * decision wants done is returned, and whoever asked for it does it without the lock.
 *
 * <p>docs/ownership.md is its table. Any thread.
 */
public final class LifeCycle {
    private static final Logger LOG = Log.of(LifeCycle.class);

    /** Which side this is, and whether the other one is a file. */
    public enum Role {
        /** A source with a destination. */
        SENDS(true, false),
        /** A source that writes a snapshot. */
        SAVES(true, true),
        /** A destination with a source. */
        RECEIVES(false, false),
        /** A destination that reads a snapshot. */
        LOADS(false, true);

        private final boolean source;
        private final boolean file;

        Role(boolean source, boolean file) {
            this.source = source;
            this.file = file;
        }

        /** The role of a side. */
        public static Role of(boolean source, boolean file) {
            if (source) return file ? SAVES : SENDS;
            return file ? LOADS : RECEIVES;
        }
    }

    /** What becomes of a source's guest. */
    enum Fate {
        /** It goes on here, if it did before. */
        RESUMES,
        /** It is somebody else's, or may be. */
        GIVEN_UP
    }

    /** What a yank comes to. */
    public enum Yank {
        /** The migration is over, or the destination has everything and begins. */
        TOO_LATE,
        /** It has failed, now or before. */
        FAILS,
        /** The end may be on its way, or was received: only the link can still be cut. */
        CUTS
    }

    private final Role role;
    // All below are guarded by this.
    private final List<Runnable> releases = new ArrayList<>();
    private Consumer<MigrationState> journal = state -> {};
    private MigrationState state = MigrationState.NONE;
    private MigrationException failure;
    private final List<MigrationException> besides = new ArrayList<>(); // that did not fail it
    private GuestOwner owner;
    private boolean returnPath;
    private boolean loaded; // the destination has said that it has all that comes before the end
    private boolean ramEnded;
    private boolean committed;
    private boolean starting;
    private boolean done; // the other side has it, or it runs here
    private boolean pausing;
    private boolean settled; // somebody has asked for the guest's fate, and sees to it
    private boolean cancelled;
    private boolean cut; // by a yank
    private boolean lettingGo;
    private OutcomeUnknown silent; // why it failed, while the destination's word would still count

    /** Nothing has begun. */
    public LifeCycle(Role role) {
        this.role = role;
        owner = otherwise();
    }

    /** Who has the guest as long as nothing else was decided, or when it has failed. */
    private GuestOwner otherwise() {
        if (role.source) {
            // Once the end may be on its way only the destination's word tells.
            boolean open = !role.file && committed && !(failure instanceof Refused);
            return open ? GuestOwner.UNKNOWN : GuestOwner.SOURCE;
        }
        if (role.file) return GuestOwner.SNAPSHOT;
        // The end may have been sent, and the source hears of no failure.
        return ramEnded && !returnPath ? GuestOwner.UNKNOWN : GuestOwner.SOURCE;
    }

    /** Has every state noted that is come to, in order. Called with the lock held: to be quick. */
    public synchronized void journal(Consumer<MigrationState> journal) {
        this.journal = journal;
    }

    // ---- What it is asked for

    /** Where it stands. */
    public synchronized MigrationState state() {
        return state;
    }

    /** Who has the guest, as far as this side knows. */
    public synchronized GuestOwner owner() {
        return owner;
    }

    /** The first failure, or null. */
    public synchronized MigrationException failure() {
        return failure;
    }

    /** Throws the first failure, if there is one. */
    public synchronized void check() throws MigrationException {
        if (failure != null) throw failure;
    }

    /** Whether the end may be on its way, or has come. */
    synchronized boolean committed() {
        return committed;
    }

    /** Whether nothing can fail it any more: the other side has the guest, or it runs here. */
    synchronized boolean isDone() {
        return done;
    }

    /** Waits for its end; false if that does not come in time. */
    public synchronized boolean await(Duration atMost) throws InterruptedException {
        long until = System.nanoTime() + atMost.toNanos();
        for (long rest; !state.isFinal() && (rest = until - System.nanoTime()) > 0; ) {
            wait(rest / 1_000_000 + 1);
        }
        return state.isFinal();
    }

    // ---- Where it comes to

    /** Comes to a state, unless it has failed. */
    public synchronized void enter(MigrationState next) throws MigrationException {
        check(); // a cancel that came first has moved the state already
        become(next);
    }

    private void become(MigrationState next) {
        if (!state.next().contains(next)) {
            throw new IllegalStateException("a migration can't go from " + state + " to " + next);
        }
        state = next;
        journal.accept(next);
        notifyAll();
    }

    /** There is a return path: the destination is heard. */
    synchronized void hears() {
        if (state.isFinal()) return; // as below: a thread that was given up has come back
        returnPath = true;
        owner = otherwise();
    }

    /** A source's destination has all that comes before the end. */
    synchronized void loaded() {
        loaded = true;
    }

    /** A destination has all of RAM. */
    synchronized void ramEnded() {
        if (state.isFinal()) return;
        ramEnded = true;
        owner = otherwise();
    }

    /**
     * From here on no cancel is taken. A source's end may be on its way, so that who has the guest
     * is open; a destination has everything.
     *
     * @throws MigrationException if it has failed
     */
    synchronized void commit() throws MigrationException {
        check();
        if (role == Role.SENDS && returnPath && !loaded) {
            throw new IllegalStateException("the destination has not said that it has everything");
        }
        committed = true;
        owner = otherwise();
    }

    /** A destination's machine is about to be started. */
    synchronized void starts() throws MigrationException {
        check();
        if (!committed) throw new IllegalStateException("not everything has come");
        starting = true;
        owner = GuestOwner.UNKNOWN;
    }

    /** It runs here: only now may the source hear so. */
    synchronized void runsHere() {
        starting = false;
        done = true;
        owner = GuestOwner.DESTINATION;
    }

    /**
     * It could not be started, and never will be.
     *
     * @return what is to be let go: the word that says so among it
     */
    List<Runnable> didNotStart(Throwable cause) {
        MigrationException why = MigrationException.of(cause);
        synchronized (this) {
            starting = false;
            return take(why);
        }
    }

    /**
     * A source has done its part: the destination has said that it runs the guest; or, where it
     * can't say so, everything was sent; or the snapshot is there.
     *
     * @throws MigrationException if it has failed, or was given up
     */
    synchronized void delivered() throws MigrationException {
        check();
        if (!committed) throw new IllegalStateException("the end was not sent");
        settled = true;
        done = true;
        owner = role.file ? GuestOwner.SNAPSHOT : GuestOwner.DESTINATION;
    }

    // ---- The source's guest

    /**
     * Its guest is about to be paused.
     *
     * @throws MigrationException if it has failed, or another thread has settled the guest's fate
     */
    synchronized void pausing() throws MigrationException {
        check();
        if (settled) throw MigrationException.host("the migration was given up");
        pausing = true;
    }

    /** That is over, one way or another. */
    synchronized void pauseEnded() {
        pausing = false;
    }

    /** What becomes of a guest, and what is to be let go before. */
    record Settled(Fate fate, List<Runnable> releases) {}

    /**
     * It fails, if it has not yet, and a source's guest gets its fate. Who is told sees to it, and
     * nobody else.
     *
     * @return empty if another sees to it, or hangs in pausing the guest
     */
    Optional<Settled> settle(Throwable cause) {
        MigrationException why = MigrationException.of(cause);
        synchronized (this) {
            if (settled || pausing) return Optional.empty();
            List<Runnable> release = take(why);
            settled = true;
            Fate fate = owner == GuestOwner.SOURCE ? Fate.RESUMES : Fate.GIVEN_UP;
            return Optional.of(new Settled(fate, release));
        }
    }

    // ---- How it ends

    /**
     * Has something let go when it fails.
     *
     * @return false if it has: to be let go at once
     */
    synchronized boolean onFailure(Runnable release) {
        if (failure != null) return false;
        releases.add(release);
        return true;
    }

    /**
     * It fails, unless nothing but the other side's word counts any more: when it is done; at a
     * destination that is starting its machine, as its word that it never starts could be a lie;
     * and at a source that waits for that word. The first failure counts; but the destination's
     * word says better why a link was lost, and who has the guest.
     *
     * @return what is to be let go, in this order; nothing if it had failed before
     */
    List<Runnable> fail(Throwable cause) {
        MigrationException why = MigrationException.of(cause);
        synchronized (this) {
            boolean word = why instanceof Refused || why instanceof OutcomeUnknown;
            boolean listens = role == Role.SENDS && committed && returnPath && !word;
            if (!done && !starting && !listens) return take(why);
            if (listens && failure == null) besides.add(why);
        }
        LOG.debug("Too late to matter", cause);
        return List.of();
    }

    private List<Runnable> take(MigrationException why) {
        boolean open = role == Role.SENDS && committed;
        if (failure == null) {
            boolean known = !open || why instanceof Refused || why instanceof OutcomeUnknown;
            failsWith(known ? why : new OutcomeUnknown(why));
            return release();
        }
        if (why instanceof Refused && failure.blame() == Blame.TRANSPORT && !settled) {
            replaceBy(why); // its end is why a channel was lost
        } else if (why != failure && why != failure.getCause() && why.getCause() != failure) {
            // What follows from the first failure is worth keeping, but not itself again.
            failure.addSuppressed(why);
        }
        return List.of();
    }

    private void failsWith(MigrationException first) {
        failure = first;
        for (MigrationException other : besides) if (other != first) failure.addSuppressed(other);
        owner = otherwise();
        notifyAll();
    }

    private void replaceBy(MigrationException other) {
        other.addSuppressed(failure);
        failure = other;
        owner = otherwise();
    }

    /** What came last goes first: a word to the peer before its connection. */
    private List<Runnable> release() {
        List<Runnable> all = List.copyOf(releases).reversed();
        releases.clear();
        lettingGo = !all.isEmpty();
        return all;
    }

    /** What was to be let go is, or hangs. */
    synchronized void letGo() {
        lettingGo = false;
        notifyAll();
    }

    /** Waits for that, for so many ms at the most. */
    synchronized void awaitLetGo(long millis) {
        boolean interrupted = false;
        long until = System.nanoTime() + millis * 1_000_000;
        for (long rest; lettingGo && (rest = until - System.nanoTime()) > 0; ) {
            try {
                wait(rest / 1_000_000 + 1);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
    }

    /**
     * The operator cancels it.
     *
     * @return what is to be let go; empty if it is too late
     */
    public synchronized Optional<List<Runnable>> cancel() {
        if (failure != null || committed || state.isFinal()) return Optional.empty();
        cancelled = true;
        List<Runnable> release =
                take(new MigrationException(Blame.USER, "the migration was cancelled"));
        become(MigrationState.CANCELLING);
        return Optional.of(release);
    }

    /** What a yank comes to, and what is to be let go. */
    public record Yanked(Yank yank, List<Runnable> releases) {}

    /** The operator has whatever hangs let go. */
    public synchronized Yanked yank(MigrationException order) {
        if (state.isFinal()) return new Yanked(Yank.TOO_LATE, listenNoMore());
        if (failure != null) return new Yanked(Yank.FAILS, listenNoMore());
        if (!committed) return new Yanked(Yank.FAILS, take(order));
        cut |= role.source;
        // A destination that begins is not to be disturbed.
        return new Yanked(role.source || done ? Yank.CUTS : Yank.TOO_LATE, List.of());
    }

    /**
     * It is over: completed if it is done, else cancelled or failed.
     *
     * @return false if it was over before
     */
    public synchronized boolean end() {
        if (state.isFinal()) return false;
        if (failure == null && !done) {
            failure = MigrationException.host("the migration ended before it was done");
        }
        if (failure == null) become(MigrationState.COMPLETED);
        else become(cancelled ? MigrationState.CANCELLED : MigrationState.FAILED);
        return true;
    }

    // ---- A word that comes late

    /**
     * A source's destination has fallen silent behind the end, and so it fails. But nothing is let
     * go: the word may still come, and then counts ({@link #corrected}), until {@link
     * #listenNoMore}.
     *
     * @return false if it has failed already, or its link is being cut: it is not listened for
     */
    synchronized boolean fallsSilent(OutcomeUnknown why) {
        boolean waits = role == Role.SENDS && committed && returnPath;
        if (!waits || failure != null || done || cut) return false;
        failsWith(why);
        silent = why;
        return true;
    }

    /** Whether such a word would still count. */
    public synchronized boolean listens() {
        return silent != null;
    }

    /**
     * It does not any more: who has the guest is not changed by anyone from here on.
     *
     * @return what is to be let go; nothing if none was listened for
     */
    public synchronized List<Runnable> listenNoMore() {
        if (silent == null) return List.of();
        silent = null;
        return release();
    }

    /**
     * The destination has said after all how it went. The state stays as it is: nobody is to see a
     * migration leave a final one.
     *
     * @param refusal that it failed; null if it runs the guest
     * @return what becomes of the source's guest, once; empty if the word counts no more
     */
    synchronized Optional<Fate> corrected(Refused refusal) {
        OutcomeUnknown open = silent;
        silent = null;
        // A refusal that came before the guest's fate was settled has settled it.
        if (open == null || owner != GuestOwner.UNKNOWN) return Optional.empty();
        failure = open.corrected(refusal);
        owner = refusal == null ? GuestOwner.DESTINATION : GuestOwner.SOURCE;
        return Optional.of(refusal == null ? Fate.GIVEN_UP : Fate.RESUMES);
    }

    /** It has failed, and this says it better: with what it left behind. */
    public synchronized void say(MigrationException better) {
        failure = better;
    }
}
