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

/**
 * A transport whose peer has said all that it will before anybody listens: bytes in memory. What is
 * written to it is dropped.
 */
final class MemoryChannels implements ChannelTransport {
    private final String id;
    private final Set<Feature> features;
    private volatile List<byte[]> said = List.of();
    private final List<ByteArrayOutputStream> written = new ArrayList<>();
    private volatile boolean records;

    MemoryChannels(String id, Feature... features) {
        this.id = id;
        this.features = Set.of(features);
    }

    /** What comes over the next migration's connections, in this order. */
    void say(List<byte[]> parts) {
        said = List.copyOf(parts);
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
        Iterator<byte[]> parts = said.iterator();
        return new Opener() {
            @Override
            public Channel open() {
                return new Said(parts.hasNext() ? parts.next() : new byte[0], sink());
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
        return new Listening(address, said.iterator());
    }

    /**
     * Gives what connected. Then nobody comes; which is said when it is closed, or when all that
     * came were turned away: who listens would wait for a genuine one.
     */
    private static final class Listening implements Acceptor {
        private final Address address;
        private final Iterator<byte[]> parts;
        private final List<Said> given = new ArrayList<>();
        private boolean closed;

        Listening(Address address, Iterator<byte[]> parts) {
            this.address = address;
            this.parts = parts;
        }

        @Override
        public Address address() {
            return address;
        }

        @Override
        public synchronized Channel accept() throws IOException {
            if (parts.hasNext() && !closed) {
                Said next =
                        new Said(parts.next(), OutputStream.nullOutputStream()) {
                            @Override
                            public void close() {
                                super.close();
                                tell();
                            }
                        };
                given.add(next);
                return next;
            }
            try {
                while (!closed && given.stream().anyMatch(Said::isOpen)) wait();
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

    /** A connection. */
    private static class Said implements Channel {
        private final ByteBuffer bytes;
        private final OutputStream sink;
        private volatile boolean open = true;

        Said(byte[] bytes, OutputStream sink) {
            this.bytes = ByteBuffer.wrap(bytes);
            this.sink = sink;
        }

        private void check() throws IOException {
            if (!open) throw new IOException("the connection is closed");
        }

        @Override
        public int read(ByteBuffer target) throws IOException {
            check();
            if (!target.hasRemaining()) return 0;
            if (!bytes.hasRemaining()) return -1;
            int count = Math.min(target.remaining(), bytes.remaining());
            target.put(bytes.slice().limit(count));
            bytes.position(bytes.position() + count);
            return count;
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            check();
            byte[] bytes = new byte[source.remaining()];
            source.get(bytes);
            sink.write(bytes);
            return bytes.length;
        }

        @Override
        public void shutdownOutput() throws IOException {
            check();
        }

        @Override
        public String peer() {
            return "memory";
        }

        @Override
        public boolean isOpen() {
            return open;
        }

        @Override
        public void close() {
            open = false;
        }
    }
}
