package org.vmferry.it.fuzz;

import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.ByteBuffer;

/** A connection in memory, whose other end is in here. */
abstract class MemoryChannel implements Channel {
    private boolean open = true; // guarded by this
    private Runnable ended = () -> {};

    /** Who is told when it is closed; before it is used. */
    final void whenClosed(Runnable told) {
        ended = told;
    }

    final synchronized void check() throws IOException {
        if (!open) throw new IOException("the connection is closed");
    }

    /** Moves what there is room for; the count, or -1 if there was nothing. */
    static int give(ByteBuffer from, ByteBuffer target) {
        if (!target.hasRemaining()) return 0;
        if (!from.hasRemaining()) return -1;
        int count = Math.min(target.remaining(), from.remaining());
        target.put(from.slice().limit(count));
        from.position(from.position() + count);
        return count;
    }

    static byte[] taken(ByteBuffer source) {
        byte[] bytes = new byte[source.remaining()];
        source.get(bytes);
        return bytes;
    }

    @Override
    public void shutdownOutput() throws IOException {
        check();
    }

    @Override
    public final String peer() {
        return "memory";
    }

    @Override
    public final synchronized boolean isOpen() {
        return open;
    }

    @Override
    public final void close() {
        synchronized (this) {
            open = false;
            notifyAll();
        }
        ended.run();
    }
}
