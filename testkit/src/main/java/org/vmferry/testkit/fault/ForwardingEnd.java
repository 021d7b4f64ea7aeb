package org.vmferry.testkit.fault;

import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.PositionedFile;
import org.vmferry.spi.transport.TransportProvider.End;

import java.io.IOException;

/** One end of a transport that hands every call to another one's. */
public abstract sealed class ForwardingEnd implements End
        permits ForwardingOutgoing, ForwardingIncoming {
    private final End real;
    private final PositionedFile[] files = new PositionedFile[2];

    ForwardingEnd(End real) {
        this.real = real;
    }

    /**
     * Puts something over a channel that was opened or accepted.
     *
     * @param channel the transport's
     * @return by default the same
     * @throws IOException to refuse it; it is closed then
     */
    protected Channel over(Channel channel) throws IOException {
        return channel;
    }

    /**
     * Puts something over a file; called once for each.
     *
     * @param file the transport's
     * @param direct around the page cache
     * @return by default the same
     */
    protected PositionedFile over(PositionedFile file, boolean direct) {
        return file;
    }

    final Channel wrap(Channel channel) throws IOException {
        try {
            return over(channel);
        } catch (IOException e) {
            channel.release();
            throw e;
        }
    }

    @Override
    public PositionedFile file(boolean direct) throws IOException {
        PositionedFile file = real.file(direct);
        int index = direct ? 1 : 0;
        synchronized (files) {
            if (files[index] == null) files[index] = over(file, direct);
            return files[index];
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
