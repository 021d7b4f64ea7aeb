package org.vmferry.it.fuzz;

import org.vmferry.spi.Feature;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.Opener;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/** A transport whose peers are in memory; such as have said all that they will say before. */
final class MemoryChannels implements ChannelTransport {
    private final String id;
    private final Set<Feature> features;
    private volatile List<MemoryChannel> peers = List.of();
    private final List<ByteArrayOutputStream> written = new ArrayList<>();
    private volatile boolean records;

    MemoryChannels(String id, Feature... features) {
        this.id = id;
        this.features = Set.of(features);
    }

    /** What comes over the next migration's connections, in this order. */
    void say(List<byte[]> parts) {
        List<MemoryChannel> saying = new ArrayList<>();
        for (byte[] part : parts) saying.add(new Said(part, OutputStream.nullOutputStream()));
        meet(saying);
    }

    /** The next migration's connections, in this order. */
    void meet(List<? extends MemoryChannel> next) {
        peers = List.copyOf(next);
    }

    /** Keeps what is written from now on. */
    void record() {
        records = true;
    }

    /** What was, over each connection, in the order in which they were opened. */
    synchronized List<byte[]> written() {
        return written.stream().map(ByteArrayOutputStream::toByteArray).toList();
    }

    private synchronized OutputStream sink() {
        if (!records) return OutputStream.nullOutputStream();
        written.add(new ByteArrayOutputStream());
        return written.getLast();
    }

    @Override
    public String id() {
        return id;
    }

    @Override
    public Set<Feature> features() {
        return features;
    }

    @Override
    public Opener opener(Address address, Options options) {
        Iterator<MemoryChannel> next = peers.iterator();
        return new Opener() {
            @Override
            public Channel open() {
                return next.hasNext() ? next.next() : new Said(new byte[0], sink());
            }

            @Override
            public void release() {
                // Nothing here waits.
            }

            @Override
            public void close() {
                // Nothing is open.
            }
        };
    }

    @Override
    public Acceptor acceptor(Address address, Options options) {
        return new Listening(address, peers.iterator());
    }

    /**
     * Gives what connected. Then nobody comes; which is said when it is closed, or when all that
     * came were turned away: who listens would wait for a genuine one.
     */
    private static final class Listening implements Acceptor {
        private final Address address;
        private final Iterator<MemoryChannel> peers;
        private final List<MemoryChannel> given = new ArrayList<>();
        private boolean closed;

        Listening(Address address, Iterator<MemoryChannel> peers) {
            this.address = address;
            this.peers = peers;
        }

        @Override
        public Address address() {
            return address;
        }

        @Override
        public synchronized Channel accept() throws IOException {
            if (peers.hasNext() && !closed) {
                MemoryChannel next = peers.next();
                next.whenClosed(this::tell);
                given.add(next);
                return next;
            }
            try {
                while (!closed && given.stream().anyMatch(MemoryChannel::isOpen)) wait();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            throw new IOException("nobody can connect any more");
        }

        private synchronized void tell() {
            notifyAll();
        }

        @Override
        public synchronized void release() {
            closed = true;
            notifyAll();
        }

        @Override
        public void close() {
            release();
        }
    }

    /** A connection whose peer has said all that it will. */
    private static final class Said extends MemoryChannel {
        private final ByteBuffer bytes;
        private final OutputStream sink;

        Said(byte[] bytes, OutputStream sink) {
            this.bytes = ByteBuffer.wrap(bytes);
            this.sink = sink;
        }

        @Override
        public int read(ByteBuffer target) throws IOException {
            check();
            return give(bytes, target);
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            check();
            byte[] bytes = taken(source);
            sink.write(bytes);
            return bytes.length;
        }
    }
}
