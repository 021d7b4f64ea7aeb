package org.vmferry.testkit.fault;

import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.Opener;

import java.io.IOException;

/** A source's end that hands every call to another one. */
public class ForwardingOpener implements Opener {
    /** The end underneath. */
    protected final Opener real;

    /**
     * Over another end.
     *
     * @param real owned by this one
     */
    public ForwardingOpener(Opener real) {
        this.real = real;
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
    public Channel open() throws IOException {
        Channel channel = real.open();
        try {
            return over(channel);
        } catch (IOException e) {
            channel.release();
            throw e;
        }
    }

    @Override
    public void complete() throws IOException {
        real.complete();
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
