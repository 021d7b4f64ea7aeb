package org.vmferry.engine.migration;

import org.vmferry.engine.guard.Lifeline;
import org.vmferry.spi.Feature;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.ForwardingChannel;
import org.vmferry.spi.transport.JdkChannel;
import org.vmferry.spi.transport.Opener;

import java.io.IOException;
import java.util.Set;

/** One end of a connection within this process, over two pipes: nobody else can come by it. */
final class PipeEnd extends ForwardingChannel implements Lifeline, Opener, Acceptor {
    static final Address ADDRESS = new Address("pipe", "rehearsal");

    private PipeEnd(Channel real) {
        super(real);
    }

    /** Both ends of one connection. */
    static PipeEnd[] two() throws IOException {
        Channel[] ends = JdkChannel.pair(ADDRESS.target());
        return new PipeEnd[] {new PipeEnd(ends[0]), new PipeEnd(ends[1])};
    }

    /** A transport whose only connection this is. */
    ChannelTransport transport() {
        return new ChannelTransport() {
            @Override
            public String id() {
                return ADDRESS.scheme();
            }

            @Override
            public Set<Feature> features() {
                return Set.of(Feature.RETURN_PATH);
            }

            @Override
            public Opener opener(Address address, Options options) {
                return PipeEnd.this;
            }

            @Override
            public Acceptor acceptor(Address address, Options options) {
                return PipeEnd.this;
            }
        };
    }

    @Override
    public Address address() {
        return ADDRESS;
    }

    @Override
    public Channel open() {
        return this;
    }

    @Override
    public Channel accept() {
        return this;
    }

    /** Its other end is in this process. */
    @Override
    public boolean notice(long ms) {
        return true;
    }

    @Override
    public void close() {
        release();
    }
}
