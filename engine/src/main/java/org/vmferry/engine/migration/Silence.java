package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.engine.guard.Lifeline;
import org.vmferry.spi.Joined;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * For how long a peer has given no sign of life, bounded by silence-timeout. A source's peer: taken
 * no byte on any channel, and said nothing; a write that hangs for longer fails the migration.
 * Either's peer: that its host is gone, which the system finds out for who reads ({@link
 * #noticed}).
 */
final class Silence implements AutoCloseable {
    private static final Logger LOG = Log.of(Silence.class);

    /**
     * Bytes of one write: it returns only when all were taken, and a slow link is no silent one.
     */
    private static final int MOST = 1 << 18;

    private static final long LOOK_MS = 1000;
    private static final long PATIENT_MS = 600_000;

    private final MigrationSession session;
    private final AtomicInteger writing = new AtomicInteger();
    private volatile long last = System.nanoTime();
    private volatile MigrationException lost;
    private final List<Channel> lines = new ArrayList<>(); // guarded by this, as below
    private final List<Channel> watched = new ArrayList<>();
    private long noticed; // ms
    private boolean patient;
    private Thread thread;
    private boolean told;
    private boolean closed;

    Silence(MigrationSession session) {
        this.session = session;
    }

    /** The peer is there. Any thread. */
    void sign() {
        last = System.nanoTime();
    }

    /** How many ms are left; none if 0 or less. {@code Long.MAX_VALUE} if there is no limit. */
    long rest() {
        long limit = limit();
        return limit == 0
                ? Long.MAX_VALUE
                : limit - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - last);
    }

    /** The limit in ms, 0 for none. */
    long limit() {
        return session.silence();
    }

    /** A channel whose writes are signs of life. */
    synchronized Channel over(Channel channel) {
        begin(channel);
        watched.add(channel);
        return new Watched(channel);
    }

    /**
     * A channel that fails when its peer's host is gone, also for who only reads; now and when
     * silence-timeout changes.
     *
     * @param raw what a transport made
     */
    synchronized <C extends Channel> C noticed(C raw) throws IOException {
        lines.removeIf(line -> !line.isOpen());
        noticed = forSystem();
        boolean willBe = raw instanceof Lifeline line && line.notice(noticed);
        if (raw instanceof Lifeline) lines.add(raw);
        if (!willBe && !told) {
            told = true;
            LOG.info(
                    "{}: that the host behind {} is gone may never be noticed by who waits for its"
                            + " bytes: it is no TCP of vmferry's own, or the JVM lacks"
                            + " --enable-native-access",
                    session.name(),
                    raw.peer());
        }
        begin(raw);
        return raw;
    }

    private synchronized void begin(Channel channel) {
        if (thread != null || closed) return;
        Thread watcher = new Thread(() -> watch(channel.peer()), session.name() + "-silence");
        watcher.setDaemon(true);
        watcher.start();
        thread = watcher;
    }

    private void watch(String peer) {
        Reminder reminder = new Reminder();
        while (true) {
            synchronized (this) {
                if (closed) return;
                try {
                    long rest = writing.get() > 0 ? rest() : Math.max(1, limit() / 2);
                    if (limit() == 0) rest = LOOK_MS;
                    wait(rest <= 0 ? 10 : Math.min(rest, LOOK_MS));
                } catch (InterruptedException e) {
                    return; // nobody does that
                }
                if (noticed != forSystem()) change();
            }
            if (writing.get() == 0) continue;
            if (rest() <= 0) break;
            long waited = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - last);
            if (reminder.due(waited)) {
                LOG.warn(
                        "{}: waits for {} to take what is sent, {} s so far",
                        session.name(),
                        peer,
                        waited / 1000);
            }
        }
        lose(takesNothing(peer));
    }

    /** In the end, of which it may have enough, it matters more who has the guest. */
    private MigrationException takesNothing(String peer) {
        String what = "%s has taken no byte for %d ms (silence-timeout)".formatted(peer, limit());
        if (session.life().committed()) return new OutcomeUnknown(what, null);
        return MigrationException.peer(
                "%s: look at what the destination waits for, or at the link", what);
    }

    /**
     * Fails the migration; and lets go who writes also where that comes too late to fail it, such
     * as in a goodbye.
     */
    private void lose(MigrationException why) {
        lost = why;
        session.fail(why);
        List<Channel> all;
        synchronized (this) {
            all = List.copyOf(watched);
        }
        session.release(all.stream().<Runnable>map(channel -> channel::release).toList());
    }

    /**
     * The end is on its way. What is still to come, such as a word about the guest, is worth more
     * than to know soon that it won't: the system gives up none of the channels that soon, and a
     * peer that is busy elsewhere may leave bytes in them. {@link #rest} stays as it is.
     */
    synchronized void patient() {
        patient = true;
        change();
    }

    private long forSystem() {
        long limit = limit();
        return patient && limit > 0 ? Math.max(limit, PATIENT_MS) : limit;
    }

    private void change() {
        noticed = forSystem();
        for (Channel line : lines) {
            try {
                ((Lifeline) line).notice(noticed);
            } catch (IOException e) {
                LOG.debug("{}: {} is broken", session.name(), line.peer(), e);
            }
        }
    }

    @Override
    public void close() {
        Thread watcher;
        synchronized (this) {
            closed = true;
            watcher = thread;
            notifyAll();
        }
        if (watcher != null) Joined.all(List.of(watcher));
    }

    private final class Watched extends PassingChannel {
        Watched(Channel channel) {
            super(channel);
        }

        private interface Write {
            long write() throws IOException;
        }

        private long timed(Write write) throws IOException {
            MigrationException why = lost;
            if (why != null) throw new IOException(why.getMessage(), why);
            if (writing.getAndIncrement() == 0) sign(); // nobody waited before
            try {
                long count = write.write();
                sign();
                return count;
            } finally {
                writing.decrementAndGet();
            }
        }

        /** With TLS it writes. */
        @Override
        public void shutdownOutput() throws IOException {
            timed(
                    () -> {
                        real.shutdownOutput();
                        return 0;
                    });
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            return (int) timed(() -> part(source));
        }

        private int part(ByteBuffer source) throws IOException {
            int end = source.limit();
            source.limit(Math.min(end, source.position() + MOST));
            try {
                return real.write(source);
            } finally {
                source.limit(end);
            }
        }

        @Override
        public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
            int first = offset;
            while (first < offset + length && !sources[first].hasRemaining()) first++;
            int next = first;
            for (long sum = 0; next < offset + length; next++) {
                sum += sources[next].remaining();
                if (sum > MOST) break;
            }
            int from = first;
            int count = next - first;
            if (from == offset + length) return 0;
            if (count == 0) return timed(() -> part(sources[from]));
            return timed(() -> real.write(sources, from, count));
        }
    }
}
