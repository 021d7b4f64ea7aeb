package org.vmferry.testkit.fault;

import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.TransportEnd;

import java.io.IOException;

/** An end with channels. */
abstract class ForwardingChannelEnd<E extends TransportEnd> extends ForwardingEnd<E> {
    ForwardingChannelEnd(E real) {
        super(real);
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

    final Channel wrap(Channel channel) throws IOException {
        try {
            return over(channel);
        } catch (IOException e) {
            channel.release();
            throw e;
        }
    }
}
