package org.vmferry.testkit.fault;

import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.util.Optional;

/** A destination's end that hands every call to another one. */
public class ForwardingAcceptor implements Acceptor {
    /** The end underneath. */
    protected final Acceptor real;

    private final String scheme;

    /**
     * Over another end.
     *
     * @param real owned by this one
     * @param scheme of the address that this one tells
     */
    public ForwardingAcceptor(Acceptor real, String scheme) {
        this.real = real;
        this.scheme = scheme;
    }

    /**
     * Puts something over a channel.
     *
     * @param channel the transport's
     * @return by default the same
     * @throws IOException to refuse it; it is closed then
     */
    protected Channel over(Channel channel) throws IOException {
        return channel;
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

    private Channel wrap(Channel channel) throws IOException {
        try {
            return over(channel);
        } catch (IOException e) {
            channel.release();
            throw e;
        }
    }

    @Override
    public void release() {
        real.release();
    }

    @Override
    public void close() {
        real.close();
    }
}
