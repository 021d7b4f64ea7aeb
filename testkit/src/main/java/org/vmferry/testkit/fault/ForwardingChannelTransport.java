package org.vmferry.testkit.fault;

import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.Opener;

import java.io.IOException;
import java.util.Set;

/**
 * A transport with channels that hands every call to another one; the base of those which change
 * something on the way. Under an id of its own it can stand beside the other in one engine.
 */
@Status(Status.Level.EXPERIMENTAL)
public class ForwardingChannelTransport extends ForwardingTransport<ChannelTransport>
        implements ChannelTransport {
    /**
     * Over another transport.
     *
     * @param real the transport underneath
     * @param id the scheme of this one's addresses; their targets are the other's
     */
    public ForwardingChannelTransport(ChannelTransport real, String id) {
        super(real, id);
    }

    @Override
    public Set<Feature> features() {
        return real.features();
    }

    @Override
    public Opener opener(Address address, Options options) throws MigrationException {
        return over(real.opener(underneath(address), options));
    }

    @Override
    public Acceptor acceptor(Address address, Options options) throws IOException {
        return over(real.acceptor(underneath(address), options));
    }

    /**
     * Puts something over a source's end.
     *
     * @param end the other transport's
     * @return by default one that changes nothing
     */
    protected Opener over(Opener end) {
        return new ForwardingOpener(end);
    }

    /**
     * Puts something over a destination's end.
     *
     * @param end the other transport's
     * @return by default one that changes nothing but the address's scheme
     */
    protected Acceptor over(Acceptor end) {
        return new ForwardingAcceptor(end, id());
    }
}
