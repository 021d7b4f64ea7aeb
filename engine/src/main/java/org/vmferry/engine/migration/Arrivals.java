package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.engine.stream.Wire;
import org.vmferry.spi.Blame;
import org.vmferry.spi.Joined;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.carrier.PageCarrier.Receiver;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Who connects to a receiver, and what becomes of him (docs/wire/arrivals.md). A thread of its own
 * greets each connection, so that one which says nothing holds up no other.
 *
 * <p>The first that says "QEVM" is the main stream. A carrier's channels may come before it, and
 * wait; once the carrier wants them they are handed to it, if they come from where the main stream
 * comes from. Whatever else comes is turned away and counted, and fails nothing: whoever can
 * connect is not yet somebody who has a say.
 */
final class Arrivals implements AutoCloseable {
    private static final Logger LOG = Log.of(Arrivals.class);

    /** The most connections that are not taken: a carrier has 255 channels at the most. */
    static final int MOST = 512;

    /** Longer than a carrier takes to tell whether a channel lives, which is a second. */
    private static final long GREETING_NS = 1_500_000_000;

    private static final int FIRST_BYTES = 8; // "QEVM" and a version, or the like
    private static final int LOGGED = 16; // of those that are turned away; then fewer and fewer

    private final MigrationSession session;
    private final Acceptor end;
    private final int channelMagic;
    private final ChannelSecurity layer;
    private final boolean many;
    private final long patience; // ms; 0 for ever
    // All below are guarded by this.
    private final Set<Thread> threads = new LinkedHashSet<>();
    private final Set<Arrival> hall = new LinkedHashSet<>(); // those that nobody has taken, by age
    private final Set<Channel> open = new LinkedHashSet<>();
    private PeekedChannel main;
    private String mainFrom; // the main connection's origin, below TLS
    private Receiver carrier; // null without one
    private boolean wanted; // the carrier's channels
    private boolean admitted;
    private long admittedAt;
    private boolean begun;
    private boolean closed;

    /** A connection that nobody has taken. Guarded by the arrivals' lock. */
    private static final class Arrival {
        final Channel raw;
        final String origin;
        final long came = System.nanoTime();
        long since = came; // of what it is waited for
        boolean waits; // for the main stream or the carrier: it has said what it is
        String sentAway; // why, if it is let go by another than its thread

        Arrival(Channel raw) {
            this.raw = raw;
            this.origin = raw.origin();
        }
    }

    /** What a thread of these does. */
    private interface Body {
        void run() throws IOException;
    }

    /**
     * Begins to accept.
     *
     * @param channelMagic what a carrier's channels begin with, 0 if there are none
     * @param many whether more than one connection can come
     */
    Arrivals(
            MigrationSession session,
            Acceptor end,
            int channelMagic,
            ChannelSecurity layer,
            boolean many) {
        this.session = session;
        this.end = end;
        this.channelMagic = channelMagic;
        this.layer = layer;
        this.many = many;
        this.patience = session.connectTimeout();
        session.onFailure(this::wake);
        try {
            start("accept", this::acceptAll);
            if (many && patience > 0) start("doorman", this::sendAwayWhoTakesTooLong);
        } catch (RuntimeException | Error e) { // no thread is to be had
            close();
            throw e;
        }
    }

    private synchronized void start(String role, Body work) {
        if (closed) return;
        Thread thread = new Thread(() -> run(work), session.name() + "-" + role);
        thread.setDaemon(true);
        thread.start();
        threads.add(thread);
    }

    private void run(Body work) {
        try {
            work.run();
        } catch (Throwable e) { // an Error too: who waits for this thread must hear of it
            failUnlessClosed(e);
        } finally {
            synchronized (this) {
                if (!closed) threads.remove(Thread.currentThread());
            }
        }
    }

    private void failUnlessClosed(Throwable e) {
        synchronized (this) {
            if (closed) return;
        }
        session.fail(e);
    }

    private void acceptAll() throws IOException {
        do meet(end.accept());
        while (many && !isClosed());
    }

    /** What is deaf to its release may give connections for ever. */
    private synchronized boolean isClosed() {
        return closed;
    }

    private void meet(Channel raw) {
        Arrival arrival = new Arrival(raw);
        List<Channel> release;
        synchronized (this) {
            if (!closed) {
                open.add(raw);
                hall.add(arrival);
            }
            if (closed) release = List.of(raw);
            else if (hall.size() <= MOST) release = List.of();
            else release = List.of(sendAway(mostTiresome(), "over " + MOST + " wait already"));
        }
        release.forEach(Channel::release);
        try {
            start("greet", () -> greet(arrival));
        } catch (OutOfMemoryError e) { // it was one too many
            turnAway(arrival, "no thread for it: " + e.getMessage());
        }
    }

    /**
     * Who goes when there are too many: of those who have said nothing, else of all, the oldest one
     * from where most come from. So whoever floods the hall is in his own way first.
     */
    private Arrival mostTiresome() {
        List<Arrival> silent = hall.stream().filter(one -> !one.waits).toList();
        Map<String, List<Arrival>> byOrigin =
                (silent.isEmpty() ? hall.stream() : silent.stream())
                        .collect(Collectors.groupingBy(one -> one.origin));
        return byOrigin.values().stream()
                .max(Comparator.comparingInt(List::size))
                .orElseThrow()
                .getFirst();
    }

    private void greet(Arrival arrival) throws IOException {
        try {
            PeekedChannel first = new PeekedChannel(arrival.raw);
            if (many && !first.says(1)) {
                turnAway(arrival, "it says nothing");
                return;
            }
            Channel over = layer.over(first);
            PeekedChannel channel = over == first ? first : new PeekedChannel(over);
            if (!channel.says(FIRST_BYTES)) {
                throw MigrationException.peer(
                        "the connection from %s ended before it said what it is", channel.peer());
            }
            if (channel.magic() == Wire.MAGIC) beMain(arrival, channel);
            else if (channelMagic != 0 && channel.magic() == channelMagic) join(arrival, channel);
            else {
                throw MigrationException.peer(
                        "the connection from %s begins with 0x%08x, neither \"QEVM\" nor a"
                                + " channel's%s",
                        channel.peer(),
                        channel.magic(),
                        channelMagic == 0 ? ": no capability is set that has channels" : "");
            }
        } catch (IOException | RuntimeException e) {
            if (!many) throw e;
            turnAway(arrival, e.getMessage() == null ? e.toString() : e.getMessage());
        }
    }

    private void beMain(Arrival arrival, PeekedChannel channel) {
        synchronized (this) {
            if (main == null) {
                main = channel;
                mainFrom = arrival.origin;
                hall.remove(arrival);
                notifyAll();
                return;
            }
        }
        turnAway(arrival, "there is a main stream already, from " + main.peer());
    }

    /** A carrier's channel: waits until it is wanted. */
    private void join(Arrival arrival, PeekedChannel channel) throws IOException {
        boolean wants;
        synchronized (this) {
            waitFrom(arrival, true);
            while (!wanted && !closed && arrival.sentAway == null) pause(0);
            waitFrom(arrival, false);
            wants = wanted;
        }
        if (!wants) {
            turnAway(arrival, "nobody wants it");
        } else if (!comesWithMain(channel)) {
            turnAway(
                    arrival,
                    "it comes from %s, the main stream from %s"
                            .formatted(channel.origin(), main.origin()));
        } else if (carrier.arrived(channel.behindMagic())) {
            synchronized (this) {
                hall.remove(arrival);
                notifyAll();
            }
        } else {
            turnAway(arrival, "it does not belong to this migration");
        }
    }

    private boolean comesWithMain(Channel channel) {
        String mine = channel.origin();
        return mine.isEmpty() || main.origin().isEmpty() || mine.equals(main.origin());
    }

    private void waitFrom(Arrival arrival, boolean waits) {
        arrival.waits = waits;
        arrival.since = System.nanoTime();
        notifyAll();
    }

    /**
     * Ends it without being its thread, which then turns it away. With the lock held.
     *
     * @return what is to be released without the lock
     */
    private Channel sendAway(Arrival arrival, String why) {
        arrival.sentAway = why;
        notifyAll();
        return arrival.raw;
    }

    /** It has nothing to do with this migration. */
    private void turnAway(Arrival arrival, String why) {
        arrival.raw.release();
        try {
            arrival.raw.close();
        } catch (IOException e) {
            LOG.debug("{}: closing {}", session.name(), arrival.raw.peer(), e);
        }
        synchronized (this) {
            hall.remove(arrival);
            open.remove(arrival.raw);
            notifyAll();
            if (closed || session.life().failure() != null) return;
            if (arrival.sentAway != null) why = arrival.sentAway;
        }
        session.countTurnedAway();
        long count = session.turnedAway();
        if (count <= LOGGED || Long.bitCount(count) == 1) {
            LOG.warn(
                    "{}: a connection from {} is turned away, {} so far: {}",
                    session.name(),
                    arrival.raw.peer(),
                    count,
                    why);
        }
    }

    private void sendAwayWhoTakesTooLong() throws IOException {
        long limit = TimeUnit.MILLISECONDS.toNanos(patience);
        while (true) {
            List<Channel> release = new ArrayList<>();
            synchronized (this) {
                long next = limit;
                for (Arrival one : hall) {
                    if (one.sentAway != null) continue;
                    long rest = one.since + limit - System.nanoTime();
                    if (rest > 0) next = Math.min(next, rest);
                    else release.add(sendAway(one, lateness(one)));
                }
                if (main != null && (!wanted || admitted && !begun)) {
                    // While its channels come it may wait for them itself.
                    long since = admitted ? Math.max(main.lastByte(), admittedAt) : main.lastByte();
                    long rest = since + limit - System.nanoTime();
                    if (rest <= 0) throw silence();
                    next = Math.min(next, rest);
                }
                if (closed) return;
                if (release.isEmpty()) pause(TimeUnit.NANOSECONDS.toMillis(next) + 1);
            }
            release.forEach(Channel::release);
        }
    }

    private String lateness(Arrival late) {
        return late.waits
                ? "no main stream came within %d ms after it (connect-timeout)".formatted(patience)
                : "it did not say within %d ms what it is (connect-timeout)".formatted(patience);
    }

    private MigrationException silence() {
        return new MigrationException(
                Blame.TRANSPORT,
                "the main stream from %s fell silent before its RAM section had begun: nothing came for %d ms"
                                .formatted(main.peer(), patience)
                        + " (connect-timeout)");
    }

    private synchronized void wake() {
        notifyAll();
    }

    /** Waits for the main stream's connection. */
    synchronized Channel main() throws IOException {
        while (main == null) {
            session.check();
            pause(0);
        }
        return main;
    }

    /**
     * The carrier wants its channels now: it is given those that wait and those that come. Until
     * {@link #admitted} the main stream's end fails the migration at once.
     *
     * @param receiver the carrier's; null if there is none
     */
    void admit(Receiver receiver) {
        start("watch-main", this::watchMain);
        synchronized (this) {
            carrier = receiver;
            wanted = true;
            notifyAll();
        }
    }

    private void watchMain() throws IOException {
        if (main.watch()) return;
        // A source without a return path may have sent everything, and its channels lie here.
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
        synchronized (this) {
            while (!admitted && !closed && pauseUntil(until)) {}
            if (admitted) return;
        }
        throw new MigrationException(
                Blame.TRANSPORT,
                "the main stream from %s ended before all of its channels had come: the source was"
                                .formatted(main.peer())
                        + " cancelled, or has ended");
    }

    /**
     * The carrier has its channels. Whatever the source has opened beside them came before the main
     * stream's first byte: it is greeted now, within a second and a half.
     */
    void admitted() throws IOException {
        synchronized (this) {
            admitted = true;
            admittedAt = System.nanoTime();
            notifyAll();
        }
        main.endWatch();
        Optional<Channel> late;
        while ((late = end.acceptNow()).isPresent()) meet(late.get());
        long now = System.nanoTime();
        synchronized (this) {
            Predicate<Arrival> came = one -> one.came <= now && one.origin.equals(mainFrom);
            while (hall.stream().anyMatch(came) && pauseUntil(now + GREETING_NS)) session.check();
        }
    }

    /** The RAM section has begun: from here on the source's silence is its operator's affair. */
    synchronized void begun() {
        begun = true;
    }

    /** Waits to be notified; false if the time is over. With the lock held. */
    private boolean pauseUntil(long nanoTime) throws IOException {
        long rest = TimeUnit.NANOSECONDS.toMillis(nanoTime - System.nanoTime());
        if (rest > 0) pause(rest);
        return rest > 0;
    }

    /** Waits to be notified, for so many ms at the most; 0 for ever. With the lock held. */
    private void pause(long millis) throws IOException {
        try {
            wait(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for a connection", e);
        }
    }

    /** No connection is wanted any more: ends every thread, and every connection. */
    @Override
    public void close() {
        List<Thread> join;
        List<Channel> release;
        synchronized (this) {
            closed = true;
            notifyAll();
            join = new ArrayList<>(threads);
            release = List.copyOf(open);
        }
        release.forEach(Channel::release);
        end.release();
        Joined.all(join);
    }
}
