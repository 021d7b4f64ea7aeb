package org.vmferry.engine.migration;

import org.vmferry.engine.option.EngineOptions;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * For how long a source's peer has given no sign of life: taken no byte on any channel, and said
 * nothing. Bounded by silence-timeout, for whoever waits for the peer; a write that hangs for
 * longer fails the migration.
 */
final class Silence implements AutoCloseable {
    /**
     * Bytes of one write: it returns only when all were taken, and a slow link is no silent one.
     */
    private static final int MOST = 1 << 18;

    private static final long LOOK_MS = 1000;

    private final MigrationSession session;
    private final AtomicInteger writing = new AtomicInteger();
    private volatile long last = System.nanoTime();
    private Thread thread; // guarded by this, as below
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
        return session.current(EngineOptions.SILENCE_TIMEOUT);
    }

    /** A channel whose writes are signs of life. */
    synchronized Channel over(Channel channel) {
        if (thread == null && !closed) {
            Thread watcher = new Thread(() -> watch(channel.peer()), session.name() + "-silence");
            watcher.setDaemon(true);
            watcher.start();
            thread = watcher;
        }
        return new Watched(channel);
    }

    private void watch(String peer) {
        while (true) {
            synchronized (this) {
                if (closed) return;
                try {
                    long rest = writing.get() == 0 ? limit() / 2 : rest();
                    wait(rest <= 0 ? 10 : Math.min(rest, LOOK_MS));
                } catch (InterruptedException e) {
                    return; // nobody does that
                }
            }
            if (writing.get() == 0 || rest() > 0) continue;
            session.fail(
                    MigrationException.peer(
                            "%s has taken no byte for %d ms (silence-timeout): look at what the"
                                    + " destination waits for, or at the link",
                            peer, limit()));
            return;
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

    private final class Watched extends ForwardingChannel {
        Watched(Channel channel) {
            super(channel);
        }

        private interface Write {
            long write() throws IOException;
        }

        private long timed(Write write) throws IOException {
            if (writing.getAndIncrement() == 0) sign(); // nobody waited before
            try {
                long count = write.write();
                sign();
                return count;
            } finally {
                writing.decrementAndGet();
            }
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            return (int) timed(() -> part(source));
        }

        private int part(ByteBuffer source) throws IOException {
            int end = source.limit();
            source.limit(Math.min(end, source.position() + MOST));
            try {
                return channel.write(source);
            } finally {
                source.limit(end);
            }
        }

        @Override
        public long write(ByteBuffer[] sources) throws IOException {
            return write(sources, 0, sources.length);
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
            return timed(() -> channel.write(sources, from, count));
        }
    }
}
