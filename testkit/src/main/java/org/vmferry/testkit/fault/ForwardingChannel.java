package org.vmferry.testkit.fault;

import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A channel that hands every call to another one. What gathers and scatters goes through the {@code
 * read} and {@code write} of one buffer, so these two are all that moves bytes.
 */
public class ForwardingChannel implements Channel {
    /** The channel underneath. */
    protected final Channel real;

    /**
     * Over another channel.
     *
     * @param real owned by this one
     */
    public ForwardingChannel(Channel real) {
        this.real = real;
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        return real.read(target);
    }

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        for (int i = offset; i < offset + length; i++) {
            if (targets[i].hasRemaining()) return read(targets[i]);
        }
        return 0;
    }

    @Override
    public final long read(ByteBuffer[] targets) throws IOException {
        return read(targets, 0, targets.length);
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        return real.write(source);
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        for (int i = offset; i < offset + length; i++) {
            if (sources[i].hasRemaining()) return write(sources[i]);
        }
        return 0;
    }

    @Override
    public final long write(ByteBuffer[] sources) throws IOException {
        return write(sources, 0, sources.length);
    }

    @Override
    public void shutdownOutput() throws IOException {
        real.shutdownOutput();
    }

    @Override
    public boolean isOpen() {
        return real.isOpen();
    }

    @Override
    public void close() throws IOException {
        real.close();
    }

    @Override
    public void release() {
        real.release();
    }

    @Override
    public String peer() {
        return real.peer();
    }

    @Override
    public String origin() {
        return real.origin();
    }
}
