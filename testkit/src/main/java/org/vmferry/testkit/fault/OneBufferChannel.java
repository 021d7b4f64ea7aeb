package org.vmferry.testkit.fault;

import org.vmferry.spi.Status;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ForwardingChannel;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A channel over another one. What gathers and scatters goes through the {@code read} and {@code
 * write} of one buffer, so these two are all that moves bytes.
 */
@Status(Status.Level.EXPERIMENTAL)
public class OneBufferChannel extends ForwardingChannel {
    /**
     * Over another channel.
     *
     * @param real owned by this one
     */
    public OneBufferChannel(Channel real) {
        super(real);
    }

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        for (int i = offset; i < offset + length; i++) {
            if (targets[i].hasRemaining()) return read(targets[i]);
        }
        return 0;
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        for (int i = offset; i < offset + length; i++) {
            if (sources[i].hasRemaining()) return write(sources[i]);
        }
        return 0;
    }
}
