package example.memory;

import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.JdkChannel;
import org.vmferry.spi.transport.OpenChannels;
import org.vmferry.spi.transport.Opener;

import java.io.IOException;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/** From one machine to another in the same JVM: {@code memory:NAME}. */
public final class MemoryTransport implements ChannelTransport {
    /**
     * Who listens, by name. It is the JVM's, as each plug-in folder that is read makes this class
     * anew; so it holds classes of spi, which all of them share.
     */
    @SuppressWarnings("unchecked")
    private static ConcurrentMap<String, OpenChannels> listening() {
        return (ConcurrentMap<String, OpenChannels>)
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
        return new Source(address, new OpenChannels(address.toString()));
    }

    @Override
    public Acceptor acceptor(Address address, Options options) throws MigrationException {
        OpenChannels channels = new OpenChannels(address.toString());
        if (listening().putIfAbsent(address.target(), channels) != null) {
            throw MigrationException.user("%s is taken: somebody listens there already", address);
        }
        return new Destination(address, channels);
    }

    private record Source(Address address, OpenChannels channels) implements Opener {
        @Override
        public Channel open() throws IOException {
            channels.check();
            OpenChannels there = listening().get(address.target());
            if (there == null) throw MigrationException.user("nobody listens on %s", address);
            Channel[] ends = JdkChannel.pair(address.toString());
            try {
                there.offer(ends[1]);
                return channels.add(ends[0]);
            } catch (IOException e) { // either end was given up
                for (Channel end : ends) end.release();
                throw e;
            }
        }

        @Override
        public void release() {
            channels.release();
        }

        @Override
        public void close() {
            release();
        }
    }

    private record Destination(Address address, OpenChannels channels) implements Acceptor {
        @Override
        public Channel accept() throws IOException {
            return channels.accept();
        }

        @Override
        public Optional<Channel> acceptNow() throws IOException {
            return channels.acceptNow();
        }

        @Override
        public void release() {
            channels.release();
        }

        @Override
        public void close() {
            listening().remove(address.target(), channels);
            release();
        }
    }
}
