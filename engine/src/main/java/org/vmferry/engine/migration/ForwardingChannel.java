package org.vmferry.engine.migration;

import org.vmferry.engine.transport.Lifeline;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.ByteBuffer;

/** A channel that passes everything on: to be extended where something is added. */
class ForwardingChannel implements Channel, Lifeline {
    protected final Channel channel;

    ForwardingChannel(Channel channel) {
        this.channel = channel;
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        return channel.read(target);
    }

    @Override
    public long read(ByteBuffer[] targets) throws IOException {
        return channel.read(targets);
    }

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        return channel.read(targets, offset, length);
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        return channel.write(source);
    }

    @Override
    public long write(ByteBuffer[] sources) throws IOException {
        return channel.write(sources);
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        return channel.write(sources, offset, length);
    }

    @Override
    public void shutdownOutput() throws IOException {
        channel.shutdownOutput();
    }

    @Override
    public void release() {
        channel.release();
    }

    @Override
    public boolean notice(long ms) throws IOException {
        return channel instanceof Lifeline lifeline && lifeline.notice(ms);
    }

    @Override
    public String peer() {
        return channel.peer();
    }

    @Override
    public String origin() {
        return channel.origin();
    }

    @Override
    public boolean isOpen() {
        return channel.isOpen();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
