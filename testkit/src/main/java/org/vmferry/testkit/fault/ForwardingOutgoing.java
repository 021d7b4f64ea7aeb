package org.vmferry.testkit.fault;

import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.TransportProvider.Outgoing;

import java.io.IOException;

/** A source's end that hands every call to another one. */
public non-sealed class ForwardingOutgoing extends ForwardingEnd implements Outgoing {
    /** The end underneath. */
    protected final Outgoing real;

    /**
     * Over another end.
     *
     * @param real owned by this one
     */
    public ForwardingOutgoing(Outgoing real) {
        super(real);
        this.real = real;
    }

    @Override
    public Channel open() throws IOException {
        return wrap(real.open());
    }

    @Override
    public void expect(long bytes) throws IOException {
        real.expect(bytes);
    }

    @Override
    public void reserve(long bytes) throws IOException {
        real.reserve(bytes);
    }

    @Override
    public void complete() throws IOException {
        real.complete();
    }
}
