package org.vmferry.cli.watch;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.OptionalDouble;

/**
 * How fast a migration is and whether it comes to an end, from what it told of late. What can't be
 * known yet is absent: nothing is made up. For one thread.
 */
public final class Pace {
    private static final double SECOND = 1e9; // ns
    private static final double RECENTLY = 5; // s
    private static final double LEAST = 1; // s, that a rate is taken from

    /** Less than this share of the dirty rate to spare is not enough to rely on. */
    private static final double SPARE = 1.05;

    private final Deque<Glance> recent = new ArrayDeque<>();

    /** Of a migration of which nothing was told yet. */
    public Pace() {}

    /**
     * Takes what was told.
     *
     * @param now later than all before
     */
    public void add(Glance now) {
        if (!recent.isEmpty() && now.transferred() < recent.getLast().transferred()) recent.clear();
        recent.addLast(now);
        while (seconds(recent.getFirst(), now) > RECENTLY) recent.removeFirst();
    }

    private static double seconds(Glance from, Glance to) {
        return (to.when() - from.when()) / SECOND;
    }

    /**
     * How much goes over the wire of late.
     *
     * @return bytes a second
     */
    public OptionalDouble sent() {
        if (recent.isEmpty()) return OptionalDouble.empty();
        Glance first = recent.getFirst();
        Glance last = recent.getLast();
        double seconds = seconds(first, last);
        if (seconds < LEAST || first.transferred() < 0) return OptionalDouble.empty();
        return OptionalDouble.of((last.transferred() - first.transferred()) / seconds);
    }

    /** How much RAM is done with of late, zero pages too, within one round. */
    private OptionalDouble done() {
        Glance last = recent.getLast();
        Glance first = null;
        for (Glance each : recent) {
            boolean same = each.rounds() == last.rounds() && each.remaining() >= last.remaining();
            if (!same) first = null;
            else if (first == null) first = each;
        }
        double seconds = first == null ? 0 : seconds(first, last);
        if (seconds < LEAST || last.remaining() < 0) return OptionalDouble.empty();
        return OptionalDouble.of((first.remaining() - last.remaining()) / seconds);
    }

    /**
     * What the guest changes, once a round has ended.
     *
     * @return bytes a second
     */
    public OptionalDouble dirtied() {
        Glance last = recent.peekLast();
        boolean known = last != null && last.rounds() >= 2 && last.dirtied() >= 0;
        return known ? OptionalDouble.of(last.dirtied()) : OptionalDouble.empty();
    }

    /**
     * Whether a guest changes its RAM faster than it goes.
     *
     * @return false as long as either is not known
     */
    public boolean isHopeless() {
        OptionalDouble dirtied = dirtied();
        OptionalDouble sent = sent();
        if (dirtied.isEmpty() || sent.isEmpty() || dirtied.getAsDouble() == 0) return false;
        // Of packed pages there is less on the wire than in RAM.
        double speed = Math.max(sent.getAsDouble(), done().orElse(0));
        return speed < SPARE * dirtied.getAsDouble();
    }

    /**
     * When what remains fits into the pause, if all goes on as it does.
     *
     * @param downtimeLimit milliseconds, or -1 if it is not known
     * @return seconds
     */
    public OptionalDouble left(long downtimeLimit) {
        OptionalDouble sent = sent();
        if (recent.isEmpty() || sent.isEmpty() || isHopeless()) return OptionalDouble.empty();
        OptionalDouble done = done();
        if (done.isEmpty() || dirtied().isEmpty()) return OptionalDouble.empty();
        double pause = sent.getAsDouble() * Math.max(0, downtimeLimit) / 1000;
        double rate = done.getAsDouble() - dirtied().getAsDouble();
        if (rate <= 0) return OptionalDouble.empty();
        return OptionalDouble.of(Math.max(0, recent.getLast().remaining() - pause) / rate);
    }

    /**
     * When this round is over.
     *
     * @return seconds
     */
    public OptionalDouble leftOfRound() {
        if (recent.isEmpty()) return OptionalDouble.empty();
        OptionalDouble done = done();
        if (done.isEmpty() || done.getAsDouble() <= 0) return OptionalDouble.empty();
        return OptionalDouble.of(recent.getLast().remaining() / done.getAsDouble());
    }
}
