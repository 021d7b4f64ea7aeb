package org.vmferry.spi.transport;

import org.vmferry.spi.Status;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * A channel that hands every call to another one; the base of those which do something more. One
 * that looks at bytes overrides both ways to read, or both to write.
 */
@Status(Status.Level.EXPERIMENTAL)
public class ForwardingChannel implements Channel {
    /** The channel underneath. */
    protected final Channel real;

    /**
     * Over another channel.
     *
     * @param real owned by this one
     */
    public ForwardingChannel(Channel real) {
        this.real = Objects.requireNonNull(real, "real");
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        return real.read(target);
    }

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        return real.read(targets, offset, length);
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        return real.write(source);
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        return real.write(sources, offset, length);
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
