package org.vmferry.engine.migration;

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
 */
final class Arrivals implements PageCarrier.Channels, AutoCloseable {
    /** The most connections; a carrier has 255 channels at the most. */
    static final int MOST = 512;

    private final MigrationSession session;
    private final Incoming end;
    private final int channelMagic;
    private final Layer layer;
    private final List<Thread> threads = new ArrayList<>();
    private final List<Channel> open = new ArrayList<>();
    private final ArrayDeque<Channel> carriers = new ArrayDeque<>();
    private Channel main;
    private boolean closed;

    Arrivals(MigrationSession session, Incoming end, int channelMagic, Layer layer) {
        this.session = session;
        this.end = end;
        this.channelMagic = channelMagic;
        this.layer = layer;
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
                // Without a carrier's channels one connection is all there will be.
                if (channelMagic == 0) return;
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
            PeekedChannel channel = new PeekedChannel(layer.over(raw));
            int magic = channel.peek();
            synchronized (this) {
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

    private synchronized void wake() {
        notifyAll();
    }

    /** Waits for the main stream's connection. */
    synchronized Channel main() throws IOException {
        while (main == null) await();
        return main;
    }

    @Override
    public synchronized Channel accept() throws IOException {
        while (carriers.isEmpty()) await();
        return carriers.remove();
    }

    private void await() throws IOException {
        session.check();
        try {
            wait();
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

        PeekedChannel(Channel channel) {
            super(channel);
        }

        int peek() throws IOException {
            while (first.hasRemaining()) {
                if (channel.read(first) < 0) {
                    throw MigrationException.peer(
                            "the connection from %s ended before it said what it is",
                            channel.peer());
                }
            }
            first.flip();
            return first.getInt(0);
        }

        @Override
        public int read(ByteBuffer target) throws IOException {
            if (!first.hasRemaining()) return channel.read(target);
            int count = Math.min(first.remaining(), target.remaining());
            for (int i = 0; i < count; i++) target.put(first.get());
            return count;
        }

        @Override
        public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
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
