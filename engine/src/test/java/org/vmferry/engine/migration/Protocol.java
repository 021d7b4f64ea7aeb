package org.vmferry.engine.migration;

import org.vmferry.engine.migration.LifeCycle.Yank;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.MigrationException;

import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;

/**
 * One migration in small, and whatever can go wrong with it, in an order that is chosen for it. It
 * asks after each step that not both run the guest.
 */
final class Protocol extends Sides {
    /** What goes wrong. */
    enum Fault {
        CUT,
        SILENCE,
        KILL_SOURCE,
        KILL_DESTINATION,
        CANCEL_SOURCE,
        CANCEL_DESTINATION,
        YANK_SOURCE,
        YANK_DESTINATION,
        FAIL_SOURCE,
        FAIL_DESTINATION,
        CANNOT_START,
        /** The operator has looked: it does not run there, and he resumes it here. */
        TAKE_BACK
    }

    private final Choices choices;
    private final Set<String> seen;
    private int faults;
    private boolean mended; // it fell silent and carries again, and all the rest is in order
    private GuestOwner ordered; // who had it when a source that listened was told not to

    /** A play; what was seen of others before is not played on. */
    Protocol(Choices choices, boolean returnPath, int faults, Broken broken, Set<String> seen) {
        super(returnPath, broken);
        this.choices = choices;
        this.faults = faults;
        this.seen = seen;
    }

    /** Plays it to its end; what is wrong with that, or null. */
    String play() {
        try {
            for (List<Runnable> steps = steps(); !steps.isEmpty(); steps = steps()) {
                if (choices.isNew() && !seen.add(toString())) return null;
                steps.get(choices.of(steps.size())).run();
                if (source.runs && destination.runs) return wrong("both run the guest");
            }
        } catch (AssertionError e) {
            return wrong(e.getMessage());
        }
        return wrongAtTheEnd();
    }

    /** All that what follows depends on. */
    @Override
    public String toString() {
        return "%d %b %b %b %b %b %s | %s | %s"
                .formatted(
                        faults,
                        linked,
                        silent,
                        mended,
                        cannotStart,
                        lossless,
                        ordered,
                        source,
                        destination);
    }

    private String wrong(String what) {
        return what + ": " + String.join(", ", trace);
    }

    private String wrongAtTheEnd() {
        GuestOwner at = source.life.owner();
        if (!source.dead) {
            if (!source.life.state().isFinal()) return wrong("the source does not end");
            if (at == GuestOwner.SOURCE && !source.runs) return wrong("the source's stands still");
            if (at == GuestOwner.SOURCE && destination.ran)
                return wrong("SOURCE, but it ran there");
            if (at != GuestOwner.SOURCE && source.runs && !source.takenBack)
                return wrong("runs there for " + at);
            if (ordered != null && at != ordered) return wrong(at + " after an order");
            if (at == GuestOwner.UNKNOWN && mended && !destination.dead)
                return wrong("its word came, and did not count");
            if (at == GuestOwner.DESTINATION && returnPath && !destination.ran) {
                return wrong("DESTINATION, but it never ran there");
            }
            if (at == GuestOwner.UNKNOWN && returnPath && !destination.loaded) {
                return wrong("UNKNOWN, but not everything was there");
            }
        }
        if (!destination.dead) {
            if (!destination.life.state().isFinal()) return wrong("the destination does not end");
            boolean has = destination.life.owner() == GuestOwner.DESTINATION;
            if (has != destination.runs) return wrong("the destination is mistaken");
            boolean done = destination.life.state() == MigrationState.COMPLETED;
            if (done != destination.runs) return wrong("completed and running differ");
        }
        boolean heard = lossless && !source.dead && !destination.dead;
        if (heard && returnPath && source.runs == destination.runs) return wrong("nobody runs it");
        return null;
    }

    private List<Runnable> steps() {
        List<Runnable> steps = new ArrayList<>();
        if (source.canStep()) steps.add(source::step);
        if (destination.canStep()) steps.add(destination::step);
        if (silent && linked) steps.add(this::mend);
        for (Fault fault : Fault.values()) {
            if (faults > 0 && can(fault)) steps.add(() -> strike(fault));
        }
        // What waits for ever otherwise has a limit (silence-timeout), and so has a lost link.
        if (!source.canStep() && !destination.canStep()) {
            if (source.waits()) steps.add(source::waitsNoLonger);
            if (destination.waits()) steps.add(destination::waitsNoLonger);
        }
        return steps;
    }

    private boolean can(Fault fault) {
        return switch (fault) {
            case CUT -> linked;
            case SILENCE -> linked && !silent;
            case KILL_SOURCE -> !source.dead;
            case KILL_DESTINATION -> !destination.dead;
            case CANCEL_SOURCE, YANK_SOURCE -> !source.over() || source.listens();
            case FAIL_SOURCE -> !source.over();
            case TAKE_BACK ->
                    source.life.owner() == GuestOwner.UNKNOWN
                            && source.life.state().isFinal()
                            && !source.dead
                            && !source.takenBack
                            && destination.over()
                            && !destination.runs;
            case CANCEL_DESTINATION, YANK_DESTINATION, FAIL_DESTINATION -> !destination.over();
            case CANNOT_START -> !cannotStart && !destination.over();
        };
    }

    private void strike(Fault fault) {
        faults--;
        trace.add(fault.name());
        switch (fault) {
            case CUT -> cut();
            case SILENCE -> {
                mended = false;
                silent = true;
                lossless = false;
            }
            case KILL_SOURCE -> {
                mended = false;
                source.dead = true;
                source.runs = false;
                linked = false;
            }
            case KILL_DESTINATION -> {
                mended = false;
                destination.dead = true;
                destination.runs = false;
                linked = false;
            }
            case CANCEL_SOURCE -> {
                if (source.listens()) order();
                else source.life.cancel();
            }
            case TAKE_BACK -> {
                source.takenBack = true;
                source.runs = true;
            }
            case CANCEL_DESTINATION -> destination.life.cancel().ifPresent(Sides::let);
            case YANK_SOURCE -> {
                if (source.listens()) order();
                else if (source.life.yank(yank()).yank() == Yank.CUTS) cut();
            }
            case YANK_DESTINATION -> {
                var yanked = destination.life.yank(yank());
                let(yanked.releases());
                if (yanked.yank() == Yank.CUTS) cut();
            }
            case FAIL_SOURCE -> source.life.fail(new IllegalStateException("a plug-in"));
            case FAIL_DESTINATION -> {
                let(destination.life.fail(new IllegalStateException("a plug-in")));
                if (broken == Broken.SHUT_1_WHILE_IT_BEGINS) destination.say(Message.SHUT_1);
            }
            case CANNOT_START -> cannotStart = true;
        }
    }

    /** The link is lost: of what is on its way, each side gets a part that is chosen. */
    private void cut() {
        linked = false;
        lossless = false;
        mended = false;
        source.held.clear();
        destination.held.clear();
        keep(source.inbox);
        keep(destination.inbox);
    }

    /** The link carries again, and TCP has kept what was sent. */
    private void mend() {
        trace.add("mended");
        silent = false;
        mended = returnPath && ordered == null;
        source.inbox.addAll(source.held);
        destination.inbox.addAll(destination.held);
        source.held.clear();
        destination.held.clear();
    }

    private void keep(Deque<Message> inbox) {
        int kept = choices.of(inbox.size() + 1);
        while (inbox.size() > kept) inbox.removeLast();
    }

    /** A source that listens on is told not to. */
    private void order() {
        if (broken != Broken.LISTENS_AFTER_AN_ORDER) source.life.listenNoMore();
        ordered = source.life.owner();
        mended = false;
    }

    private static MigrationException yank() {
        return MigrationException.user("the migration was yanked");
    }
}
