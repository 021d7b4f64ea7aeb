package org.vmferry.testkit.fault;

import org.vmferry.spi.Status;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.util.Optional;

/** A destination's end that hands every call to another one. */
@Status(Status.Level.EXPERIMENTAL)
public class ForwardingAcceptor extends ForwardingChannelEnd<Acceptor> implements Acceptor {
    private final String scheme;

    /**
     * Over another end.
     *
     * @param real owned by this one
     * @param scheme of the address that this one tells
     */
    public ForwardingAcceptor(Acceptor real, String scheme) {
        super(real);
        this.scheme = scheme;
    }

    @Override
    public Address address() {
        return new Address(scheme, real.address().target());
    }

    @Override
    public Channel accept() throws IOException {
        return wrap(real.accept());
    }

    @Override
    public Optional<Channel> acceptNow() throws IOException {
        Optional<Channel> next = real.acceptNow();
        return next.isPresent() ? Optional.of(wrap(next.get())) : next;
    }
}
