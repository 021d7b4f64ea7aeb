package org.vmferry.multifd;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.ByteBuffer;

/** A channel's incoming bytes, counted. Read by one thread. */
final class CountedInput {
    private final Channel channel;
    private final ByteBuffer first = ByteBuffer.allocate(1).limit(0); // read, but not taken
    private volatile String name;
    // Written by the reading thread, watched by the migration thread: is it still moving?
    private volatile long bytes;

    CountedInput(Channel channel) {
        this.channel = channel;
        name = "multifd hello from " + channel.peer();
    }

    /** From the hello on, messages call it by its number. */
    void name(int id) {
        name = "multifd channel " + id + " from " + channel.peer();
    }

    /** What messages call it. */
    String name() {
        return name;
    }

    /** How many bytes came. Any thread. */
    long bytes() {
        return bytes;
    }

    String peer() {
        return channel.peer();
    }

    /**
     * Waits for its next byte, and keeps it.
     *
     * @return false if it ended, in order or not
     */
    boolean begins() {
        try {
            if (channel.read(first.clear()) < 0) first.position(0);
        } catch (IOException e) {
            first.position(0);
        }
        return first.flip().hasRemaining();
    }

    /**
     * Fills a buffer.
     *
     * @return false if the channel ended before the first byte
     * @throws IOException if it ends later, or is lost
     */
    boolean fill(ByteBuffer target) throws IOException {
        int wanted = target.remaining();
        if (first.hasRemaining()) {
            target.put(first);
            count(wanted - target.remaining());
        }
        while (target.hasRemaining()) {
            int read = channel.read(target);
            if (read < 0) {
                if (target.remaining() == wanted) return false;
                throw cut(target.remaining());
            }
            count(read);
        }
        return true;
    }

    /** Fills neighbouring buffers of an array. */
    void fill(ByteBuffer[] targets, int count) throws IOException {
        for (int first = 0; first < count; ) {
            if (!targets[first].hasRemaining()) {
                first++;
                continue;
            }
            long read = channel.read(targets, first, count - first);
            if (read < 0) throw cut(targets[first].remaining());
            count(read);
        }
    }

    private void count(long read) {
        bytes = bytes + read; // one writer
    }

    private MigrationException cut(int missing) {
        return MigrationException.peer(
                "%s: ends %d bytes before the end of what it began, after %d bytes",
                name, missing, bytes);
    }
}
