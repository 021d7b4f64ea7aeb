package org.vmferry.engine.migration;

import org.vmferry.engine.migration.LifeCycle.Fate;
import org.vmferry.engine.migration.LifeCycle.Role;
import org.vmferry.engine.migration.LifeCycle.Yank;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;

/**
 * One migration in small: two real life cycles, two queues for a link, and whatever can go wrong,
 * in an order that is chosen for it. It asks after each step that not both run the guest.
 */
final class Protocol {
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

    /** A rule of the protocol that is broken on purpose. */
    enum Broken {
        NOTHING,
        SHUT_BEFORE_THE_MACHINE_BEGINS,
        COMMIT_AFTER_THE_END,
        NO_SECOND_PING,
        SHUT_1_WHILE_IT_BEGINS,
        RESUMES_WHEN_THE_LINK_IS_LOST,
        RESUMES_AT_ANY_LATE_WORD,
        RESUMES_WHAT_WAS_TAKEN_BACK,
        LISTENS_AFTER_AN_ORDER,
        NEVER_LISTENS
    }

    private enum Message {
        RAM,
        PING,
        LAST, // RAM's end and the devices
        END,
        PONG,
        SHUT_0,
        SHUT_1
    }

    private final Choices choices;
    private final boolean returnPath;
    private final Broken broken;
    private final List<String> trace = new ArrayList<>();
    private final Source source;
    private final Destination destination;
    private final Set<String> seen;
    private int faults;
    private boolean linked = true;
    private boolean silent; // nothing arrives any more, and nobody is told
    private boolean mended; // it did, and all the rest is in order
    private GuestOwner ordered; // who had it when a source that listened was told not to
    private boolean cannotStart;
    private boolean lossless = true; // whatever was said was heard

    /** A play; what was seen of others before is not played on. */
    Protocol(Choices choices, boolean returnPath, int faults, Broken broken, Set<String> seen) {
        this.seen = seen;
        this.choices = choices;
        this.returnPath = returnPath;
        this.faults = faults;
        this.broken = broken;
        source = new Source();
        destination = new Destination();
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
            case CANCEL_DESTINATION -> destination.life.cancel().ifPresent(this::let);
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

    private void let(List<Runnable> releases) {
        releases.forEach(Runnable::run);
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

    /** One side: its life cycle, and what it does next. */
    private abstract class Party {
        final LifeCycle life;
        final Deque<Message> inbox = new ArrayDeque<>();
        final Deque<Message> held = new ArrayDeque<>(); // on its way, while the link is silent
        boolean dead;
        boolean runs;
        boolean ran;
        int at; // of its program

        Party(Role role) {
            life = new LifeCycle(role);
        }

        @Override
        public String toString() {
            MigrationException failure = life.failure();
            return "%d %b %b %b %s %s %s %s %s %b %b"
                    .formatted(
                            at,
                            dead,
                            runs,
                            ran,
                            inbox,
                            held,
                            life.state(),
                            life.owner(),
                            failure == null ? "" : failure.getClass() + " " + failure.blame(),
                            life.committed(),
                            life.isDone());
        }

        abstract void go() throws IOException;

        abstract void ended(Exception why);

        /** What it waits for in the program's step; null if it does not wait. */
        abstract boolean expects();

        boolean over() {
            return dead || life.state().isFinal();
        }

        boolean waits() {
            return !over() && expects() && inbox.isEmpty() && life.failure() == null;
        }

        boolean canStep() {
            return !over() && !waits();
        }

        void step() {
            trace.add((this == source ? "s" : "d") + at);
            try {
                if (!life.isDone()) life.check();
                go();
                at++;
            } catch (IOException | RuntimeException e) {
                ended(e);
            }
        }

        void waitsNoLonger() {
            trace.add((this == source ? "s" : "d") + at + " waits no longer");
            lossless &= linked && !silent;
            ended(new IOException("the link is lost"));
        }

        void send(Message message) throws IOException {
            if (!linked) throw new IOException("the link is lost");
            (silent ? other().held : other().inbox).add(message);
        }

        Party other() {
            return this == source ? destination : source;
        }
    }

    private final class Source extends Party {
        private boolean takenBack;

        Source() {
            super(Role.SENDS);
            runs = true;
            ran = true;
            try {
                life.enter(MigrationState.SETUP);
                if (returnPath) life.hears();
            } catch (MigrationException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        boolean expects() {
            return returnPath && (at == 2 || at == 6 || at == 9);
        }

        @Override
        void go() throws IOException {
            switch (at) {
                case 0 -> {
                    life.enter(MigrationState.ACTIVE);
                    send(Message.RAM);
                }
                case 1 -> ping();
                case 2, 6 -> answered();
                case 3 -> {
                    life.pausing();
                    runs = false;
                    life.pauseEnded();
                }
                case 4 -> {
                    life.enter(MigrationState.DEVICE);
                    send(Message.LAST);
                }
                case 5 -> ping();
                case 7 -> {
                    if (broken != Broken.COMMIT_AFTER_THE_END) life.commit();
                }
                case 8 -> {
                    send(Message.END);
                    if (!returnPath) life.delivered();
                }
                default -> {
                    if (broken == Broken.COMMIT_AFTER_THE_END && !life.committed()) life.commit();
                    if (returnPath) outcome();
                    life.end();
                }
            }
        }

        boolean listens() {
            return !dead && life.listens();
        }

        @Override
        boolean canStep() {
            return super.canStep() || listens() && (!inbox.isEmpty() || !linked);
        }

        @Override
        void step() {
            if (listens()) hearOut();
            else super.step();
        }

        @Override
        void waitsNoLonger() {
            OutcomeUnknown why = new OutcomeUnknown(null);
            boolean hears = at == 9 && linked && broken != Broken.NEVER_LISTENS;
            if (!hears || !life.fallsSilent(why)) {
                super.waitsNoLonger();
                linked |= broken == Broken.NEVER_LISTENS;
                return;
            }
            trace.add("s9 listens on");
            lossless = false;
            runs = life.settle(why).orElseThrow().fate() == Fate.RESUMES;
            life.end();
        }

        private void hearOut() {
            Message word = inbox.poll();
            trace.add("s hears " + word);
            if (word == null) life.listenNoMore();
            if (word != Message.SHUT_0 && word != Message.SHUT_1) return;
            Refused refusal = word == Message.SHUT_0 ? null : new Refused((String) null);
            boolean resumes = life.corrected(refusal).orElseThrow() == Fate.RESUMES;
            if (broken == Broken.RESUMES_AT_ANY_LATE_WORD) resumes = true;
            if (takenBack && broken != Broken.RESUMES_WHAT_WAS_TAKEN_BACK) resumes = false;
            if (resumes && runs) throw new AssertionError("it is resumed a second time");
            runs |= resumes;
            linked = false;
        }

        @Override
        public String toString() {
            return super.toString() + takenBack + life.listens();
        }

        private void ping() throws IOException {
            if (returnPath && !(at == 5 && broken == Broken.NO_SECOND_PING)) send(Message.PING);
            else if (returnPath) inbox.add(Message.PONG);
        }

        private void answered() throws IOException {
            if (!returnPath) return;
            Message answer = inbox.poll();
            if (answer == Message.SHUT_1) throw new Refused((String) null);
            if (answer != Message.PONG) throw new IOException("lost");
            if (at == 6) life.loaded();
        }

        private void outcome() throws IOException {
            switch (inbox.poll()) {
                case SHUT_0 -> life.delivered();
                case SHUT_1 -> throw new Refused((String) null);
                case null, default -> throw new OutcomeUnknown(new IOException("lost"));
            }
        }

        @Override
        void ended(Exception why) {
            // Like the real one, which hears a SHUT that lies before the link's end.
            if (inbox.contains(Message.SHUT_0) && life.committed()) {
                try {
                    life.delivered();
                } catch (MigrationException e) {
                    throw new AssertionError(e);
                }
            } else if (!life.isDone()) {
                Exception word = inbox.contains(Message.SHUT_1) ? new Refused((String) null) : why;
                life.fail(word);
                life.settle(word)
                        .ifPresent(
                                settled -> {
                                    boolean resumes = settled.fate() == Fate.RESUMES;
                                    if (broken == Broken.RESUMES_WHEN_THE_LINK_IS_LOST)
                                        resumes = true;
                                    runs = resumes;
                                });
            }
            life.end();
            linked = false;
        }
    }

    private final class Destination extends Party {
        private boolean starting;
        private boolean loaded;

        Destination() {
            super(Role.RECEIVES);
            try {
                life.enter(MigrationState.SETUP);
                if (returnPath) life.hears();
                life.enter(MigrationState.ACTIVE);
            } catch (MigrationException e) {
                throw new AssertionError(e);
            }
            if (returnPath) life.onFailure(() -> say(Message.SHUT_1));
        }

        @Override
        boolean expects() {
            return !starting && !life.isDone();
        }

        @Override
        public String toString() {
            return super.toString() + starting + loaded;
        }

        void say(Message word) {
            if (!returnPath || !linked) return;
            (silent ? source.held : source.inbox).add(word);
        }

        @Override
        void step() {
            if (!starting) {
                super.step();
                return;
            }
            // Its machine is being started: whatever fails meanwhile does not matter.
            trace.add("d starts");
            starting = false;
            if (cannotStart) {
                let(life.didNotStart(new IllegalStateException("no thread")));
                ended(null);
                return;
            }
            runs = true;
            ran = true;
            life.runsHere();
            if (broken != Broken.SHUT_BEFORE_THE_MACHINE_BEGINS) say(Message.SHUT_0);
            life.end();
        }

        @Override
        void go() throws IOException {
            switch (inbox.poll()) {
                case PING -> say(Message.PONG);
                case LAST -> {
                    life.ramEnded();
                    loaded = true;
                }
                case END -> {
                    life.commit();
                    life.starts();
                    starting = true;
                    if (broken == Broken.SHUT_BEFORE_THE_MACHINE_BEGINS) say(Message.SHUT_0);
                }
                case null -> throw new IOException("the link is lost");
                default -> {}
            }
        }

        @Override
        void ended(Exception why) {
            if (why != null) let(life.fail(why));
            life.end();
        }
    }
}
