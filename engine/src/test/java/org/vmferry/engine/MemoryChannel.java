package org.vmferry.engine;

import org.vmferry.spi.transport.Channel;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;

/** A connection that gives bytes from memory, and takes them, no more than so many at a time. */
public class MemoryChannel implements Channel {
    private final ByteBuffer incoming;
    private final int most;
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private boolean open = true;

    public MemoryChannel(byte[] incoming, int most) {
        this.incoming = ByteBuffer.wrap(incoming);
        this.most = most;
    }

    public byte[] written() {
        return written.toByteArray();
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        if (!open) throw new ClosedChannelException();
        if (!incoming.hasRemaining()) return -1;
        int count = Math.min(most, Math.min(target.remaining(), incoming.remaining()));
        target.put(incoming.slice(incoming.position(), count));
        incoming.position(incoming.position() + count);
        return count;
    }

    @Override
    public int write(ByteBuffer source) {
        int count = Math.min(most, source.remaining());
        for (int i = 0; i < count; i++) written.write(source.get());
        return count;
    }

    @Override
    public void shutdownOutput() {}

    @Override
    public String peer() {
        return "memory";
    }

    @Override
    public boolean isOpen() {
        return open;
    }

    @Override
    public void close() {
        open = false;
    }
}
