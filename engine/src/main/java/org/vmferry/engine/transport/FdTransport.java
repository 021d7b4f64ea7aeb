package org.vmferry.engine.transport;

import org.vmferry.engine.guard.Guard;
import org.vmferry.spi.Feature;
import org.vmferry.spi.Status;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ChannelEnd;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.Opener;

import java.io.IOException;
import java.util.Set;

/**
 * A channel that the host registered: {@code fd:name}. Not found by {@link
 * java.util.ServiceLoader}, because the channels are the host's: it makes this transport and gives
 * it to its engine.
 */
@Status(Status.Level.INTERNAL)
public final class FdTransport implements ChannelTransport {
    private final NamedChannels names;
    private final Set<Feature> features;

    /**
     * Over channels of which nothing is claimed.
     *
     * @param names where the host registers them
     */
    public FdTransport(NamedChannels names) {
        this(names, Set.of());
    }

    /**
     * Over channels of which the host knows more.
     *
     * @param names where the host registers them
     * @param features what all of them offer, such as RETURN_PATH for sockets; never MANY_CHANNELS
     */
    public FdTransport(NamedChannels names, Set<Feature> features) {
        if (features.contains(Feature.MANY_CHANNELS)) {
            throw new IllegalArgumentException("fd: has one channel");
        }
        this.names = names;
        this.features = Set.copyOf(features);
    }

    @Override
    public String id() {
        return "fd";
    }

    @Override
    public Set<Feature> features() {
        return features;
    }

    @Override
    public Opener opener(Address address, Options options) {
        return new Source(address);
    }

    @Override
    public Acceptor acceptor(Address address, Options options) {
        return new Destination(address);
    }

    private abstract class Side extends ChannelEnd {
        Side(Address address) {
            super(address);
        }

        Channel take() throws IOException {
            channels().check();
            Channel hosts = names.take(address().target());
            return channels().add(Guard.host(Channel.class, hosts, "the channel of " + address()));
        }
    }

    private final class Source extends Side implements Opener {
        Source(Address address) {
            super(address);
        }

        @Override
        public Channel open() throws IOException {
            return take();
        }
    }

    private final class Destination extends Side implements Acceptor {
        Destination(Address address) {
            super(address);
        }

        @Override
        public Channel accept() throws IOException {
            return take();
        }
    }
}
