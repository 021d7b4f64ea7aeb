package org.vmferry.engine.migration;

import org.vmferry.engine.migration.LifeCycle.Fate;
import org.vmferry.engine.migration.LifeCycle.Role;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * The two sides of one migration in small: two real life cycles, each with what it does next, and
 * two queues for a link.
 */
abstract class Sides {
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

    enum Message {
        RAM,
        PING,
        LAST, // RAM's end and the devices
        END,
        PONG,
        SHUT_0,
        SHUT_1
    }

    final boolean returnPath;
    final Broken broken;
    final List<String> trace = new ArrayList<>();
    final Source source;
    final Destination destination;
    boolean linked = true;
    boolean silent; // nothing arrives any more, and nobody is told
    boolean lossless = true; // whatever was said was heard
    boolean cannotStart; // the destination's machine

    Sides(boolean returnPath, Broken broken) {
        this.returnPath = returnPath;
        this.broken = broken;
        source = new Source();
        destination = new Destination();
    }

    static void let(List<Runnable> releases) {
        releases.forEach(Runnable::run);
    }

    /** One side: its life cycle, and what it does next. */
    abstract class Party {
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

    final class Source extends Party {
        boolean takenBack;

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

    final class Destination extends Party {
        private boolean starting;
        boolean loaded;

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
