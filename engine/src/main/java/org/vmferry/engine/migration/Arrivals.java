package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vmferry.engine.stream.Wire;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.TransportProvider.Incoming;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * A receiver's connections, sorted by their first four bytes (rule STR-1, rule MFD-1): the main
 * stream's and the carrier's may come in any order. Each is greeted by a thread of its own, so that
 * one which says nothing holds up no other.
 *
 * <p>Who listens on a network is also found by others than the source:
 *
 * <ul>
 *   <li>A connection that says nothing, or ends before its first byte, as a port scanner's or a
 *       health check's does, is nobody's: the migration goes on without it, with TLS as well.
 *   <li>One that says something else than a stream or a channel begins with fails the migration, as
 *       it does in a QEMU: it is rather a source that is set up differently, with TLS where there
 *       is none say, and whoever waits is to hear of it at once.
 *   <li>Without a carrier's channels, whoever comes after the main stream is sent away.
 * </ul>
 *
 * <p>A source that has begun and lacks a channel is waited for no longer than connect-timeout.
 */
final class Arrivals implements PageCarrier.Channels, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Arrivals.class);

    /** The most connections; a carrier has 255 channels at the most. */
    static final int MOST = 512;

    private final MigrationSession session;
    private final Incoming end;
    private final int channelMagic;
    private final Layer layer;
    private final boolean many;
    private final List<Thread> threads = new ArrayList<>();
    private final List<Channel> open = new ArrayList<>();
    private final ArrayDeque<Channel> carriers = new ArrayDeque<>();
    private Channel main;
    private boolean closed;

    /**
     * Begins to accept.
     *
     * @param channelMagic what a carrier's channels begin with, 0 if there are none
     * @param many whether more than one connection can come
     */
    Arrivals(MigrationSession session, Incoming end, int channelMagic, Layer layer, boolean many) {
        this.session = session;
        this.end = end;
        this.channelMagic = channelMagic;
        this.layer = layer;
        this.many = many;
        session.onFailure(this::wake);
        start("accept", this::acceptAll);
    }

    private synchronized void start(String role, Runnable work) {
        if (closed) return;
        Thread thread = new Thread(work, session.name() + "-" + role);
        thread.setDaemon(true);
        threads.add(thread);
        thread.start();
    }

    private void acceptAll() {
        try {
            while (true) {
                Channel channel = end.accept();
                synchronized (this) {
                    if (closed) {
                        channel.release();
                        return;
                    }
                    open.add(channel);
                    if (open.size() > MOST) {
                        throw MigrationException.peer(
                                "over %d connections came, the last from %s", MOST, channel.peer());
                    }
                }
                start("greet", () -> greet(channel));
                if (!many) return;
            }
        } catch (Throwable e) { // an Error too: who waits for this thread must hear of it
            synchronized (this) {
                if (closed) return;
            }
            session.fail(e);
        }
    }

    private void greet(Channel raw) {
        try {
            PeekedChannel first = new PeekedChannel(raw);
            if (many && !first.says()) {
                forget(raw);
                return;
            }
            Channel over = layer.over(first);
            PeekedChannel channel = over == first ? first : new PeekedChannel(over);
            int magic = channel.magic();
            synchronized (this) {
                if (channelMagic == 0 && main != null) {
                    LOG.warn("{}: {} came too, and is sent away", session.name(), channel.peer());
                    forget(raw);
                    return;
                }
                if (magic == Wire.MAGIC && main == null) main = channel;
                else if (magic == channelMagic && channelMagic != 0) carriers.add(channel);
                else {
                    throw MigrationException.peer(
                            magic == Wire.MAGIC
                                    ? "a second main stream came, from %s"
                                    : "a connection from %s begins with 0x%08x, neither \"QEVM\""
                                            + " nor a channel's",
                            channel.peer(),
                            magic);
                }
                notifyAll();
            }
        } catch (Throwable e) { // an Error too: who waits for this thread must hear of it
            synchronized (this) {
                if (closed) return;
            }
            session.fail(e);
        }
    }

    /** It is nobody's: from its own thread, which ends. */
    private void forget(Channel raw) {
        raw.release();
        try {
            raw.close();
        } catch (IOException e) {
            LOG.debug("{}: closing {}", session.name(), raw.peer(), e);
        }
        synchronized (this) {
            open.remove(raw);
            if (!closed) threads.remove(Thread.currentThread());
        }
    }

    private synchronized void wake() {
        notifyAll();
    }

    /** Waits for the main stream's connection. */
    synchronized Channel main() throws IOException {
        while (main == null) await(0);
        return main;
    }

    @Override
    public synchronized Channel accept() throws IOException {
        long patience = session.patience();
        long began = System.nanoTime();
        while (carriers.isEmpty()) {
            long rest = patience - (System.nanoTime() - began) / 1_000_000;
            if (patience > 0 && rest <= 0) {
                throw MigrationException.peer(
                        "the source has begun, but a channel is missing: none came within %d ms"
                                + " (connect-timeout); are there as many at both ends?",
                        patience);
            }
            await(patience > 0 ? rest : 0);
        }
        return carriers.remove();
    }

    private void await(long millis) throws IOException {
        session.check();
        try {
            wait(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for a connection", e);
        }
    }

    @Override
    public Channel open() {
        throw new UnsupportedOperationException("a receiver opens no channels");
    }

    /** No connection is wanted any more: ends every thread, and every connection. */
    @Override
    public void close() {
        List<Thread> join;
        synchronized (this) {
            closed = true;
            join = List.copyOf(threads);
            open.forEach(Channel::release);
        }
        end.release();
        Joined.all(join);
    }

    /** Gives back the bytes that told what it is. */
    private static final class PeekedChannel extends ForwardingChannel {
        private final ByteBuffer first = ByteBuffer.allocate(4);
        private boolean began; // to be read by its owner

        PeekedChannel(Channel channel) {
            super(channel);
        }

        /** Waits for the first byte: false if there will be none. */
        boolean says() {
            try {
                return channel.read(first) > 0;
            } catch (IOException e) {
                return false; // reset, or let go
            }
        }

        int magic() throws IOException {
            while (first.hasRemaining()) {
                if (channel.read(first) < 0) {
                    throw MigrationException.peer(
                            "the connection from %s ended before it said what it is",
                            channel.peer());
                }
            }
            begin();
            return first.getInt(0);
        }

        private void begin() {
            if (began) return;
            began = true;
            first.flip();
        }

        @Override
        public int read(ByteBuffer target) throws IOException {
            begin();
            if (!first.hasRemaining()) return channel.read(target);
            int count = Math.min(first.remaining(), target.remaining());
            for (int i = 0; i < count; i++) target.put(first.get());
            return count;
        }

        @Override
        public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
            begin();
            if (!first.hasRemaining()) return channel.read(targets, offset, length);
            for (int i = offset; i < offset + length; i++) {
                if (targets[i].hasRemaining()) return read(targets[i]);
            }
            return 0;
        }

        @Override
        public long read(ByteBuffer[] targets) throws IOException {
            return read(targets, 0, targets.length);
        }
    }
}
