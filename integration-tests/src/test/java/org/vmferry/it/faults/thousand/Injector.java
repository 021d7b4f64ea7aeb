package org.vmferry.it.faults.thousand;

import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.it.faults.thousand.Way.Link;
import org.vmferry.spi.MigrationException;
import org.vmferry.testkit.fault.Fault;
import org.vmferry.testkit.fault.Faults;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;

/** Does what a plan says, at its moment. Called by any thread. */
final class Injector implements Scene.Deed {
    private static final long OPERATOR_MS = 300;
    private static final Duration ASLEEP = Duration.ofMinutes(1);

    /** A yank is over within about a second; this machine may be busy. */
    private static final Duration YANKED = Duration.ofMillis(2500);

    private static final Duration AT_ONCE = Duration.ofMillis(500);

    /** What is thrown in a callback's place. */
    static final class InjectedException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        InjectedException(String call) {
            super("injected in " + call);
        }
    }

    /** The same, as an Error. */
    static final class InjectedError extends Error {
        private static final long serialVersionUID = 1L;

        InjectedError(String call) {
            super("injected in " + call);
        }
    }

    private final Plan plan;
    private final String callback; // what does it; null if none does
    private final Faults link;
    private final CompletableFuture<Migration> source;
    private final CompletableFuture<Migration> destination;
    private final CountDownLatch awake = new CountDownLatch(1); // who sleeps
    private volatile Thread operator;
    private volatile String disappoints = "";
    private boolean came; // guarded by this, as all below
    private int skips;
    private String struck = "";
    private boolean won;
    private Scene scene;
    private boolean afterPause;

    /**
     * For one plan.
     *
     * @param callbacks those that are called from the plan's moment on
     * @param link what the bytes go over; has the faults of the set-up already
     */
    Injector(
            Plan plan,
            List<String> callbacks,
            Faults link,
            CompletableFuture<Migration> source,
            CompletableFuture<Migration> destination) {
        this.plan = plan;
        this.link = link;
        this.source = source;
        this.destination = destination;
        this.skips = plan.offset();
        came = plan.moment() == Moment.START;
        boolean calls = plan.harm().isOfCallback() && !callbacks.isEmpty();
        callback = calls ? callbacks.get(plan.chance() % callbacks.size()) : null;
    }

    /** Where it looks for how far the migration is. */
    synchronized void in(Scene scene) {
        this.scene = scene;
    }

    /** The faults that are there from the beginning: of the bytes of the set-up. */
    static Fault[] fromTheBeginning(Plan plan) {
        return plan.moment() == Moment.SET_UP ? faults(plan).toArray(Fault[]::new) : new Fault[0];
    }

    private static List<Fault> faults(Plan plan) {
        Way way = plan.way();
        int at = plan.offset();
        int one = plan.chance() % way.channels();
        return switch (plan.harm()) {
            // A connection is lost for both directions.
            case CUT -> onAll(way, Fault.cut(at), way.link() == Link.LOAD);
            case CUT_ONE -> List.of(Fault.cut(at).onChannel(1 + one % Way.CHANNELS));
            case STALL, STALL_CANCEL, STALL_YANK -> onAll(way, Fault.stall(at), reads(plan));
            case CORRUPT -> {
                Fault damage = Fault.corrupt(at, 1 << plan.chance() % 8);
                yield List.of((reads(plan) ? damage.whenReading() : damage).onChannel(one));
            }
            case FULL -> List.of(Fault.full(at));
            default -> List.of();
        };
    }

    /** Whether the bytes that are harmed are read at the end that has the faults. */
    private static boolean reads(Plan plan) {
        return switch (plan.way().link()) {
            case SAVE -> false;
            case LOAD -> true;
            default -> plan.side() == Side.SOURCE;
        };
    }

    private static List<Fault> onAll(Way way, Fault fault, boolean reading) {
        Fault each = reading ? fault.whenReading() : fault;
        return IntStream.range(0, way.channels()).mapToObj(each::onChannel).toList();
    }

    @Override
    public void at(Side side, boolean before, String call, int number) {
        if (isMoment(side, before, call)) strike(call);
        if (!isCallback(side, before, call)) return;
        String where = side + " " + call;
        switch (plan.harm()) {
            case THROW -> throw new InjectedException(where);
            case THROW_ERROR -> throw new InjectedError(where);
            case INTERRUPT -> Thread.currentThread().interrupt();
            default -> sleep(call);
        }
    }

    private synchronized boolean isMoment(Side side, boolean before, String call) {
        Moment moment = plan.moment();
        if (came || side != moment.side || before != moment.before) return false;
        if (!moment.is(call)) return false;
        came = true;
        return true;
    }

    private synchronized boolean isCallback(Side side, boolean before, String call) {
        if (callback == null || !came || side != plan.side()) return false;
        if (!struck.isEmpty() || !call.equals(callback)) return false;
        if (before == actsFirst(call) || skips-- > 0) return false;
        struck((plan.harm() + " in ").toLowerCase(Locale.ROOT) + side + " " + call);
        return true;
    }

    /** It does what it is for, and then: else the test itself would leave something. */
    private boolean actsFirst(String call) {
        if (plan.harm() == Harm.SLEEP) return false;
        if (plan.harm() == Harm.INTERRUPT) return true;
        return call.endsWith(".close") || call.endsWith(".release") || call.endsWith(".stop");
    }

    private synchronized void struck(String what) {
        struck = what;
        afterPause = plan.way().link() == Link.LOAD || scene.paused();
    }

    private void strike(String call) {
        Harm harm = plan.harm();
        if (harm.isOfCallback() || harm == Harm.EXTRA) return;
        if (plan.moment() != Moment.SET_UP) {
            if (harm.silences()) List.of(source, destination).forEach(Injector::loseSoon);
            faults(plan).forEach(link::strike);
        }
        if (harm.cancels() || harm.yanks()) operate();
        else if (plan.moment() != Moment.SET_UP && plan.offset() == 0) struck(harm + " at " + call);
    }

    /** A peer that is silent from here on is not waited for long. */
    private static void loseSoon(CompletableFuture<Migration> side) {
        Migration migration = side.getNow(null);
        if (migration == null || migration.state().isFinal()) return;
        try {
            migration.change(Settings.NONE.parameter("silence-timeout", "" + Way.SILENCE));
        } catch (MigrationException e) {
            // It has just ended.
        }
    }

    /** The operator is another thread: for a while what called us waits for it. */
    private void operate() {
        Thread thread = new Thread(this::cancelOrYank, "operator");
        operator = thread;
        thread.start();
        if (plan.harm().stalls()) return;
        try {
            thread.join(OPERATOR_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void cancelOrYank() {
        try {
            if (plan.harm().stalls()) link.awaitStruck(Duration.ofMillis(200));
            Migration mine =
                    (plan.side() == Side.SOURCE ? source : destination)
                            .get(OPERATOR_MS, TimeUnit.MILLISECONDS);
            boolean taken = plan.harm().yanks() ? mine.yank() : mine.cancel();
            synchronized (this) {
                won = taken;
                struck(plan.harm() + " of " + plan.side() + (taken ? "" : ", too late"));
            }
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            // There is none to cancel.
        }
    }

    /**
     * Does not come back until it is told to, or a minute is over; its side is yanked meanwhile.
     */
    private void sleep(String call) {
        Thread thread = new Thread(() -> yankSleeping(call), "operator");
        operator = thread;
        thread.start();
        long until = System.nanoTime() + ASLEEP.toNanos();
        boolean interrupted = false;
        for (long rest; (rest = until - System.nanoTime()) > 0; ) {
            try {
                if (awake.await(rest, TimeUnit.NANOSECONDS)) break;
            } catch (InterruptedException e) {
                interrupted = true; // that is how deaf it is
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
    }

    /** A yank's word: it returns at once, and ends the migration within about a second. */
    private void yankSleeping(String call) {
        try {
            Migration mine =
                    (plan.side() == Side.SOURCE ? source : destination)
                            .get(OPERATOR_MS, TimeUnit.MILLISECONDS);
            long began = System.nanoTime();
            boolean taken = mine.yank();
            MigrationState state = mine.state();
            mine.owner();
            mine.statistics();
            if (System.nanoTime() - began > AT_ONCE.toNanos()) {
                disappoints = "a yank, or a question, takes long";
            }
            synchronized (this) {
                won = taken;
            }
            if (mine.await(YANKED)) return;
            boolean waitsForHost = Seams.isHosts(call);
            awake.countDown();
            boolean over = !taken || mine.await(YANKED);
            if (!waitsForHost || !over) {
                disappoints =
                        "%s, and the yank (%s) does not end it%s"
                                .formatted(state, taken, over ? " until it comes back" : "");
            }
        } catch (TimeoutException e) {
            awake.countDown(); // it is the call that begins it: there is nothing to yank
        } catch (InterruptedException | ExecutionException e) {
            disappoints = e.toString();
        }
    }

    /** Has who sleeps come back. */
    void wake() {
        awake.countDown();
    }

    /** Where a yank did not keep its word; "" if it did. */
    String disappoints() {
        return disappoints;
    }

    /** Waits until the operator has done his part. */
    void settle() throws InterruptedException {
        Thread thread = operator;
        if (thread != null) thread.join();
        boolean byByte =
                switch (plan.harm()) {
                    case CUT, CUT_ONE, STALL, CORRUPT, FULL -> true;
                    default -> false;
                };
        if (byByte && link.awaitStruck(Duration.ZERO)) {
            synchronized (this) {
                if (struck.isEmpty()) struck = plan.harm() + " in bytes";
            }
        }
        if (plan.harm() == Harm.EXTRA) struck = "a channel too many";
    }

    /** What was hit; "" if nothing was. */
    synchronized String struck() {
        return struck;
    }

    /** Whether the source's guest stood then. */
    synchronized boolean afterPause() {
        return afterPause;
    }

    /** Whether the operator was told that he is in time. */
    synchronized boolean won() {
        return won;
    }
}
