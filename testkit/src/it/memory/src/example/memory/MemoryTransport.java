package example.memory;

import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.Opener;
import org.vmferry.spi.transport.TransportEnd;

import java.io.IOException;
import java.nio.channels.Pipe;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.LinkedBlockingQueue;

/** From one machine to another in the same JVM: {@code memory:NAME}. */
public final class MemoryTransport implements ChannelTransport {
    /** What a destination takes when it was released. */
    private static final Pipe[] RELEASED = {};

    /**
     * Who listens, by name: a connection is two pipes, to the destination and from it. The JVM's,
     * as each plug-in folder that is read makes this class anew.
     */
    @SuppressWarnings("unchecked")
    private static ConcurrentMap<String, BlockingQueue<Pipe[]>> listening() {
        return (ConcurrentMap<String, BlockingQueue<Pipe[]>>)
                System.getProperties()
                        .computeIfAbsent("example.memory", name -> new ConcurrentHashMap<>());
    }

    @Override
    public String id() {
        return "memory";
    }

    @Override
    public Set<Feature> features() {
        return Set.of(Feature.MANY_CHANNELS, Feature.RETURN_PATH);
    }

    @Override
    public Opener opener(Address address, Options options) {
        return new Source(address);
    }

    @Override
    public Acceptor acceptor(Address address, Options options) throws MigrationException {
        BlockingQueue<Pipe[]> calls = new LinkedBlockingQueue<>();
        if (listening().putIfAbsent(address.target(), calls) != null) {
            throw MigrationException.user("%s is taken: somebody listens there already", address);
        }
        return new Destination(address, calls);
    }

    /** What both ends have: channels that are closed with them. */
    private abstract static class Either implements TransportEnd {
        final Address address;
        private final Set<Channel> channels = ConcurrentHashMap.newKeySet();
        private volatile boolean released;

        Either(Address address) {
            this.address = address;
        }

        Channel add(Channel channel) throws IOException {
            channels.add(channel);
            check(); // either sees what the other thread did
            return channel;
        }

        void check() throws IOException {
            if (!released) return;
            channels.forEach(Channel::release);
            throw new IOException(address + " was given up");
        }

        /** For a connection that nobody takes. */
        void hangUp(Pipe[] call) {
            for (Pipe pipe : call) new PipeChannel(pipe.source(), pipe.sink(), address).release();
        }

        @Override
        public void release() {
            released = true;
            channels.forEach(Channel::release);
        }

        @Override
        public void close() {
            release();
        }
    }

    private static final class Source extends Either implements Opener {
        Source(Address address) {
            super(address);
        }

        @Override
        public Channel open() throws IOException {
            check();
            BlockingQueue<Pipe[]> calls = listening().get(address.target());
            if (calls == null) throw nobody();
            Pipe[] call = {Pipe.open(), Pipe.open()};
            Channel channel = add(new PipeChannel(call[1].source(), call[0].sink(), address));
            calls.add(call);
            // A destination that has gone meanwhile may have missed this one.
            if (listening().get(address.target()) != calls && calls.remove(call)) {
                hangUp(call);
                throw nobody();
            }
            return channel;
        }

        private IOException nobody() {
            return new IOException("nobody listens on " + address);
        }
    }

    private static final class Destination extends Either implements Acceptor {
        private final BlockingQueue<Pipe[]> calls;

        Destination(Address address, BlockingQueue<Pipe[]> calls) {
            super(address);
            this.calls = calls;
        }

        @Override
        public Address address() {
            return address;
        }

        @Override
        public Channel accept() throws IOException {
            check();
            try {
                Pipe[] call = calls.take();
                if (call == RELEASED) {
                    calls.add(RELEASED); // for whoever else waits
                    throw new IOException(address + " was given up");
                }
                return add(new PipeChannel(call[0].source(), call[1].sink(), address));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("waiting on " + address + ": interrupted", e);
            }
        }

        @Override
        public void release() {
            super.release();
            calls.add(RELEASED);
        }

        @Override
        public void close() {
            listening().remove(address.target(), calls);
            release();
            for (Pipe[] call; (call = calls.poll()) != null; ) hangUp(call);
            calls.add(RELEASED);
        }
    }
}
