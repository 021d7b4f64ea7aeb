package org.vmferry.engine;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.vmferry.engine.catalog.OptionCompatibility;
import org.vmferry.engine.migration.LifeCycle;
import org.vmferry.engine.migration.MachineUse;
import org.vmferry.engine.migration.MigrationSession;
import org.vmferry.engine.migration.MigrationSide;
import org.vmferry.engine.migration.Save;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.Blame;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A migration that was begun: to watch, to wait for, to cancel. All methods may be called from any
 * thread.
 */
@Status(Status.Level.STABLE)
public final class Migration {
    private static final Logger LOG = Log.of(Migration.class);

    private static final Duration GRACE = Duration.ofSeconds(1);

    private final OptionCompatibility compatibility;
    private final MigrationSession session;
    private final Address address;
    private final MigrationSide work;
    private final MachineUse use;
    private final long began = System.nanoTime();
    private final LifeCycle life;
    private final Transitions transitions;
    // Held while the counters are read: the final numbers are the last that anybody is told.
    private final Object counting = new Object();
    private @Nullable Statistics last; // the final numbers; guarded by counting
    private final Object changing = new Object();
    private final RecordedMigration event;

    Migration(
            OptionCompatibility compatibility,
            MigrationSession session,
            Address address,
            MigrationSide work,
            MachineUse use) {
        this.compatibility = compatibility;
        this.session = session;
        this.address = address;
        this.work = work;
        this.use = use;
        this.life = session.life();
        this.transitions = new Transitions(session.name());
        String direction = work instanceof Save ? "send" : "receive";
        event = new RecordedMigration(session.name(), direction, address.toString());
        life.journal(this::note);
        event.begin();
    }

    Migration start() {
        session.threads().start(this::run);
        return this;
    }

    private void run() {
        try {
            try {
                work.run(new Stages());
            } finally {
                // First: who is told that it is over may begin the next.
                if (life.listens()) use.yield();
                else use.end();
            }
        } catch (Throwable t) {
            session.fail(t);
            LOG.debug("{} failed", session.name(), t);
        }
        try {
            finish();
        } finally {
            hearOut();
        }
    }

    private void hearOut() {
        try {
            work.hearOut(use, this::corrected);
        } catch (RuntimeException | Error e) {
            String why = e.toString();
            LOG.warn("{}: its destination is not listened for any more: {}", session.name(), why);
            LOG.debug("{}: its destination", session.name(), e);
        } finally {
            use.end();
        }
    }

    private void corrected(GuestOwner owner) {
        RecordedCorrection.commit(session.name(), owner);
        transitions.note(owner);
        transitions.tell();
    }

    /** What follows the end: the final numbers are there before the final state is. */
    private void finish() {
        synchronized (counting) {
            if (last != null) return;
            last = soFar();
        }
        tellFailure();
        life.end();
        transitions.tell();
    }

    /** One line for who looks at the log; with what it was thrown from it is at debug. */
    private void tellFailure() {
        MigrationException why = life.failure();
        if (why == null) return;
        String owner = life.owner().sentence();
        if (life.state() == MigrationState.CANCELLING) {
            LOG.info("{}: cancelled; {}", session.name(), owner);
        } else {
            LOG.warn("{}: failed: {}; {}", session.name(), why.getMessage(), owner);
        }
    }

    private final class Stages implements MigrationSide.Stage {
        @Override
        public void enter(MigrationState next) throws MigrationException {
            life.enter(next);
            transitions.tell();
        }

        @Override
        public void round(long number) {
            transitions.note(number);
            transitions.tell();
        }
    }

    private void note(MigrationState next) {
        LOG.debug("{}: {}", session.name(), next);
        transitions.note(next);
        // Before anyone who waits for the end goes on: he may stop the recording.
        if (next.isFinal()) event.end(next, life.failure(), statistics());
    }

    /**
     * Its name, as in log lines and thread names.
     *
     * @return unique in its engine
     */
    public String name() {
        return session.name();
    }

    /**
     * Where it goes, or where it listens, with the port that the system chose.
     *
     * @return the address
     */
    public Address address() {
        return address;
    }

    /**
     * Where it stands.
     *
     * @return never null
     */
    public MigrationState state() {
        return life.state();
    }

    /**
     * Tells every state that it comes to and every round, in order, beginning with those that were
     * before: the first is SETUP. (Of rounds in a row that were before, the last.) The listener is
     * called by this thread or one of the migration's, one call at a time, and on no lock; it
     * should be quick, as the migration may wait for it. What it throws is logged. {@link #await}
     * may return before it was told of the end.
     *
     * @param listener whom to tell
     */
    public void listen(MigrationListener listener) {
        transitions.add(Objects.requireNonNull(listener, "listener"));
    }

    /**
     * Who has the guest, as this side knows it: final once {@link #state} is. Only an {@link
     * GuestOwner#UNKNOWN} of a source whose destination fell silent (silence-timeout) may be
     * corrected, once, when the destination says after all how it went ({@link
     * MigrationListener#corrected}). Who is about to decide himself where such a guest goes on
     * calls {@link #cancel} first, after which it stays as it is, and then asks again.
     *
     * @return never null
     */
    public GuestOwner owner() {
        return life.owner();
    }

    /**
     * What it has done so far. The final numbers are there before the final state is.
     *
     * @return never null
     */
    public Statistics statistics() {
        synchronized (counting) {
            return last != null ? last : soFar(); // what was counted since belongs to nothing
        }
    }

    private Statistics soFar() {
        long channelBytes = session.channelBytes(); // before all bytes, of which they are a part
        MigrationSide.Progress now = work.progress();
        return new Statistics(
                now.total(),
                now.transferred(),
                channelBytes,
                now.transferred() - now.whilePaused(),
                now.whilePaused(),
                now.remaining(),
                now.pageSize(),
                session.pagesNormal(),
                session.pagesZero(),
                now.rounds(),
                now.dirtyPagesRate(),
                now.setupTime(),
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began),
                now.downtime(),
                now.downtimeParts(),
                now.expectedDowntime(),
                now.throttle(),
                session.turnedAway(),
                work.direct());
    }

    /**
     * The options in force now.
     *
     * @return those that it began with, and what was changed since
     */
    public Options options() {
        return session.current();
    }

    /**
     * Changes parameters while it runs: those that are {@link Option#live}, such as max-bandwidth
     * and downtime-limit. They hold from now on: a bandwidth for the next bytes, a limit to
     * downtime or rounds, or the guest's throttle, at the end of the round. With the guest paused
     * for the switch-over none has an effect any more.
     *
     * @param settings what is to be other than now; all of it is changed, or nothing
     * @throws MigrationException if a value is wrong, or something can't be changed any more; as at
     *     the beginning, one sentence for each, each suppressed into it
     */
    public void change(Settings settings) throws MigrationException {
        Objects.requireNonNull(settings, "settings");
        synchronized (changing) {
            if (life.state().isFinal()) {
                throw MigrationException.user(
                        "%s is over: nothing can be changed any more", session.name());
            }
            session.change(compatibility.change(session.current(), settings));
            if (settings.parameters().containsKey(EngineOptions.MAX_BANDWIDTH.name())) {
                session.limitBandwidth(session.current(EngineOptions.MAX_BANDWIDTH));
            }
        }
        LOG.info("{}: changed to {}", session.name(), settings.parameters());
    }

    /**
     * Why it failed, or that it was cancelled. If its {@link #owner} is corrected, it says so too.
     *
     * @return empty while it runs, and if it completed
     */
    public Optional<MigrationException> failure() {
        return life.state().isFinal() ? Optional.ofNullable(life.failure()) : Optional.empty();
    }

    /**
     * Waits until it is over.
     *
     * @throws MigrationException why it failed, or that it was cancelled
     * @throws InterruptedException if the waiting thread was interrupted; the migration goes on
     */
    public void await() throws MigrationException, InterruptedException {
        while (!await(Duration.ofDays(1))) {}
        life.check();
    }

    /**
     * Waits for a while.
     *
     * @param atMost how long
     * @return whether it is over, one way or another
     * @throws InterruptedException if the waiting thread was interrupted; the migration goes on
     */
    public boolean await(Duration atMost) throws InterruptedException {
        return life.await(Objects.requireNonNull(atMost, "atMost"));
    }

    /**
     * Lets it go on from pre-switchover (pause-before-switchover), now or when it comes there; a
     * destination never does.
     */
    public void proceed() {
        work.proceed();
    }

    /**
     * Cancels it: the source's guest runs on, and what was opened is closed. Returns at once;
     * {@link #await} tells when it is done. When it is over, a source's destination is not listened
     * for any more ({@link #owner}).
     *
     * @return false if it was too late: the migration is over, or can only complete
     */
    public boolean cancel() {
        Optional<List<Runnable>> releases = life.cancel();
        if (releases.isEmpty()) {
            session.release(life.listenNoMore());
            return false;
        }
        session.release(releases.get());
        transitions.tell();
        return true;
    }

    /**
     * Lets go whatever hangs, and fails the migration: for when a cancel does not end it. Works
     * also where {@link #cancel} comes too late, and after one.
     *
     * <p>It is over within about a second: a thread that hangs even then, as in a disk that does
     * not answer, is no longer waited for. The error names it, with where it is; it can read the
     * guest's RAM until it comes back, and then takes back what it wrote. Only what the host's own
     * methods hang in is waited for.
     *
     * <p>The source's guest runs on. If the stream's end was on its way the destination may have
     * it: then it stays paused, and the error says that the outcome is unknown. A destination's
     * never starts. When it is over, it does what {@link #cancel} does then.
     *
     * @return false if it was too late: the migration is over, or the destination has everything
     *     and starts the guest
     */
    public boolean yank() {
        LifeCycle.Yanked yanked = life.yank(yankOrder());
        session.release(yanked.releases());
        if (yanked.yank() == LifeCycle.Yank.TOO_LATE) return false;
        LOG.warn("{}: yanked", session.name());
        // What is to be let go may be what hangs.
        if (yanked.yank() == LifeCycle.Yank.CUTS) session.release(List.of(work::cut));
        session.threads().beside("yank", this::abandon);
        return true;
    }

    private void abandon() {
        try {
            if (await(GRACE) || !work.abandon(yankOrder())) return;
        } catch (InterruptedException e) {
            return; // nobody does that
        }
        use.abandon();
        MigrationException first = life.failure();
        if (first != null) life.say(session.threads().hanging(first));
        finish();
    }

    private static MigrationException yankOrder() {
        return new MigrationException(Blame.USER, "the migration was yanked");
    }
}
