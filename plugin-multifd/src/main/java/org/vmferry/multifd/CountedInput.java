package org.vmferry.multifd;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.ByteBuffer;

/** A channel's incoming bytes, counted. Read by one thread. */
final class CountedInput {
    private final Channel channel;
    private ByteBuffer ahead = ByteBuffer.allocate(1).limit(0); // read, but not taken
    private final ByteBuffer[] both = new ByteBuffer[2];
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
            int read = channel.read(ahead.clear().limit(1));
            if (read > 0) count(read);
        } catch (IOException e) {
            ahead.position(0);
        }
        return ahead.flip().hasRemaining();
    }

    /**
     * Fills a buffer.
     *
     * @return false if the channel ended before the first byte
     * @throws IOException if it ends later, or is lost
     */
    boolean fill(ByteBuffer target) throws IOException {
        return fill(target, false);
    }

    /** From now on up to so much may be read ahead; the buffer outlives the last read. */
    void mayReadAhead(ByteBuffer buffer) {
        ahead = buffer.put(ahead).flip();
    }

    /**
     * Fills a buffer, and keeps what comes with it for those who ask next.
     *
     * @return false if the channel ended before the first byte
     * @throws IOException if it ends later, or is lost
     */
    boolean fillAhead(ByteBuffer target) throws IOException {
        return fill(target, true);
    }

    private boolean fill(ByteBuffer target, boolean more) throws IOException {
        int wanted = target.remaining();
        take(target);
        while (target.hasRemaining()) {
            long read = more ? readAhead(target) : channel.read(target);
            if (read < 0) {
                if (target.remaining() == wanted) return false;
                throw cut(target.remaining());
            }
            count(read);
        }
        return true;
    }

    private long readAhead(ByteBuffer target) throws IOException {
        both[0] = target;
        both[1] = ahead.clear();
        try {
            return channel.read(both, 0, both.length);
        } finally {
            ahead.flip();
        }
    }

    private void take(ByteBuffer target) {
        int bytes = Math.min(ahead.remaining(), target.remaining());
        target.put(target.position(), ahead, ahead.position(), bytes);
        target.position(target.position() + bytes);
        ahead.position(ahead.position() + bytes);
    }

    /** Fills neighbouring buffers of an array. */
    void fill(ByteBuffer[] targets, int count) throws IOException {
        for (int first = 0; first < count; ) {
            take(targets[first]);
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
