package org.vmferry.testkit.fault;

import org.vmferry.spi.Status;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.Opener;

import java.io.IOException;

/** A source's end that hands every call to another one. */
@Status(Status.Level.EXPERIMENTAL)
public class ForwardingOpener extends ForwardingChannelEnd<Opener> implements Opener {
    /**
     * Over another end.
     *
     * @param real owned by this one
     */
    public ForwardingOpener(Opener real) {
        super(real);
    }

    @Override
    public Channel open() throws IOException {
        return wrap(real.open());
    }

    @Override
    public void complete() throws IOException {
        real.complete();
    }
}
