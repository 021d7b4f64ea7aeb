package org.vmferry.it.faults.thousand;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * What happens in one migration, as its host and plug-ins see it: how far each side has come, and
 * how far the guests had come then. Any thread.
 */
final class Scene {
    private static final int DEVICES = 3; // of a reference machine
    private static final long NEVER = Long.MAX_VALUE;

    /** What is to be done at each call; may throw. */
    interface Deed {
        void at(Side side, boolean before, String call, int number);
    }

    private record Heard(Side side, String call) {}

    private final LongSupplier here; // instructions
    private final LongSupplier there;
    private final Deed deed;
    private final List<Heard> heard = new ArrayList<>(); // guarded by this, as all below
    private final List<String> interrupted = new ArrayList<>(); // called so
    private int saved;
    private int writesSince; // the source's last device was saved
    private boolean writing; // a write that took a part only is gone on with
    private boolean endBegun;
    private boolean hasEverything;
    private long pausedAt = NEVER; // instructions
    private long loadedAt = NEVER;

    /**
     * Of a guest here, to be there.
     *
     * @param here how many instructions it has executed
     */
    Scene(LongSupplier here, LongSupplier there, Deed deed) {
        this.here = here;
        this.there = there;
        this.deed = deed;
    }

    /** Hears what a side's are asked. */
    Tap.Ear ear(Side side) {
        return new Tap.Ear() {
            @Override
            public void before(Tap.Call call) {
                boolean end = noteBefore(side, call);
                deed.at(side, true, call.name(), call.number());
                if (end) deed.at(side, true, Moment.END.call, 0);
            }

            @Override
            public void after(Tap.Call call) {
                boolean end = noteAfter(side, call);
                deed.at(side, false, call.name(), call.number());
                if (end) deed.at(side, false, Moment.END.call, 0);
            }
        };
    }

    private synchronized boolean noteBefore(Side side, Tap.Call call) {
        if (Thread.currentThread().isInterrupted() && !isQuestion(call)) {
            interrupted.add(side + " " + call.name());
        }
        heard.add(new Heard(side, call.name()));
        if (side == Side.DESTINATION && call.name().equals(Moment.BEGINNING.call)) {
            hasEverything = true;
            loadedAt = Math.min(loadedAt, there.getAsLong());
        }
        if (!isMainWrite(side, call) || call.bytes() == 0 || saved < DEVICES) return false;
        if (writing) return false;
        writing = true;
        if (++writesSince != 2) return false; // the first are the devices themselves
        heard.add(new Heard(side, Moment.END.call));
        endBegun = true;
        return true;
    }

    /** Several are asked in one go, as who somebody is and what he needs: nobody waits there. */
    private static boolean isQuestion(Tap.Call call) {
        return call.name()
                .matches(
                        ".*\\.(id|options|level|wireMethod|modes|channelMagic|needs|placed|features)");
    }

    private synchronized boolean noteAfter(Side side, Tap.Call call) {
        if (side == Side.SOURCE && call.name().equals(Moment.PAUSED.call)) {
            pausedAt = Math.min(pausedAt, here.getAsLong());
        }
        if (side == Side.SOURCE && call.name().equals(Moment.DEVICES.call)) saved++;
        if (!isMainWrite(side, call) || call.bytes() > 0 || !writing) return false;
        writing = false;
        return writesSince == 2;
    }

    private static boolean isMainWrite(Side side, Tap.Call call) {
        return side == Side.SOURCE && call.number() == 0 && call.name().equals("Channel.write");
    }

    /** Which were called in a thread that somebody had interrupted. */
    synchronized List<String> interrupted() {
        return List.copyOf(interrupted);
    }

    /** The source's guest was paused. */
    synchronized boolean paused() {
        return pausedAt != NEVER;
    }

    /** Its stream's end, or some of it, may be on its way. */
    synchronized boolean endBegun() {
        return endBegun;
    }

    /** The destination had all that it needs. */
    synchronized boolean hasEverything() {
        return hasEverything;
    }

    /** The source's guest has executed since it was paused. */
    synchronized boolean wentOnHere() {
        return pausedAt != NEVER && here.getAsLong() > pausedAt;
    }

    /** The destination's guest has executed. */
    synchronized boolean ranThere() {
        return loadedAt != NEVER && there.getAsLong() > loadedAt;
    }

    /** How many instructions the guest had executed when it was paused, or loaded; else -1. */
    synchronized long since(Side side) {
        long since = side == Side.SOURCE ? pausedAt : loadedAt;
        return since == NEVER ? -1 : since;
    }

    /** Which calls a side had from a moment on. */
    synchronized List<String> callsSince(Side side, Moment moment) {
        Set<String> calls = new LinkedHashSet<>();
        boolean since = moment == Moment.START;
        for (Heard one : heard) {
            since |= one.side == moment.side && moment.is(one.call);
            if (since && one.side == side && !one.call.equals(Moment.END.call)) calls.add(one.call);
        }
        return calls.stream().sorted().toList();
    }
}
