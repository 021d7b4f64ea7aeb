package example.memory;

import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ChannelEnd;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.JdkChannel;
import org.vmferry.spi.transport.OfferedEnd;
import org.vmferry.spi.transport.Opener;

import java.io.IOException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/** From one machine to another in the same JVM: {@code memory:NAME}. */
public final class MemoryTransport implements ChannelTransport {
    /**
     * Who listens, by name. It is the JVM's, as each plug-in folder that is read makes this class
     * anew; so it holds objects by a class of spi, which all of them share.
     */
    @SuppressWarnings("unchecked")
    private static ConcurrentMap<String, OfferedEnd> listening() {
        return (ConcurrentMap<String, OfferedEnd>)
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
        Destination end = new Destination(address);
        if (listening().putIfAbsent(address.target(), end) == null) return end;
        throw MigrationException.user("%s is taken: somebody listens there already", address);
    }

    private static final class Source extends ChannelEnd implements Opener {
        Source(Address address) {
            super(address);
        }

        @Override
        public Channel open() throws IOException {
            channels().check();
            OfferedEnd there = listening().get(address().target());
            if (there == null) throw MigrationException.user("nobody listens on %s", address());
            Channel[] ends = JdkChannel.pair(address().toString());
            try {
                there.offer(ends[1]);
                return channels().add(ends[0]);
            } catch (IOException e) { // either end was given up
                for (Channel end : ends) end.release();
                throw e;
            }
        }
    }

    private static final class Destination extends OfferedEnd {
        Destination(Address address) {
            super(address);
        }

        @Override
        public void close() {
            listening().remove(address().target(), this);
            super.close();
        }
    }
}
