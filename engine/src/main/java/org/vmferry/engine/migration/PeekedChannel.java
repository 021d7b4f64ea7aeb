package org.vmferry.engine.migration;

import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A connection of which bytes are read ahead, to tell what it is, or that it has ended. Its reader
 * is given them all the same.
 *
 * <p>With TLS there is one beneath it, so that who says nothing costs no handshake, and one above,
 * for what the peer says inside. No byte passes through both push-backs: the lower one gives back
 * the first record's, as they came, the upper one what was decrypted. Once these are given a read
 * costs a look under a lock that nobody else wants, beside a system call or a decryption.
 */
final class PeekedChannel extends PassingChannel {
    private static final int MOST_AHEAD = 1 << 12; // bytes

    private final ByteBuffer ahead = ByteBuffer.allocate(MOST_AHEAD).limit(0); // guarded by this
    private boolean watched; // guarded by this, as the three below
    private boolean watchEnds;
    private boolean ended;
    private IOException lost;
    private volatile long lastByte = System.nanoTime();

    PeekedChannel(Channel channel) {
        super(channel);
    }

    /** When its last byte came, or it was made: {@link System#nanoTime}. */
    long lastByte() {
        return lastByte;
    }

    /**
     * Waits for its first bytes.
     *
     * @return false if it ends before
     */
    boolean says(int bytes) throws IOException {
        while (ahead.remaining() < bytes) if (!readAhead()) return false;
        return true;
    }

    /** Its first four bytes, which {@link #says} has waited for. */
    int magic() {
        return ahead.getInt(ahead.position());
    }

    /** Gives its reader what follows those four bytes. */
    synchronized PeekedChannel behindMagic() {
        ahead.getInt();
        return this;
    }

    /**
     * Reads ahead on this thread until {@link #endWatch}, so that the connection's end is noticed
     * while nobody reads.
     *
     * @return false if it ended before
     */
    boolean watch() {
        synchronized (this) {
            if (watchEnds) return true;
            watched = true;
        }
        try {
            while (goesOn()) if (!readAhead()) return !goesOn();
            return true;
        } catch (IOException e) {
            synchronized (this) {
                lost = e;
            }
            return !goesOn();
        } finally {
            synchronized (this) {
                watched = false;
                notifyAll();
            }
        }
    }

    private synchronized boolean goesOn() {
        return !watchEnds && ahead.remaining() < MOST_AHEAD;
    }

    /** From here on its reader gets its bytes; the watch ends with those that come next. */
    synchronized void endWatch() {
        watchEnds = true;
    }

    private boolean readAhead() throws IOException {
        ByteBuffer next = ByteBuffer.allocate(MOST_AHEAD - remainingAhead());
        int count = real.read(next);
        synchronized (this) {
            if (count < 0) {
                ended = true;
                return false;
            }
            lastByte = System.nanoTime();
            ahead.compact().put(next.flip()).flip();
            notifyAll();
            return true;
        }
    }

    private synchronized int remainingAhead() {
        return ahead.remaining();
    }

    /** Gives what was read ahead, and waits for it as long as somebody reads ahead. */
    private synchronized int give(ByteBuffer target) throws IOException {
        boolean interrupted = false;
        while (watched && !ahead.hasRemaining()) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
        int count = Math.min(ahead.remaining(), target.remaining());
        target.put(ahead.slice(ahead.position(), count));
        ahead.position(ahead.position() + count);
        if (count > 0) return count;
        if (lost != null) throw lost;
        return ended ? -1 : 0;
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        if (!target.hasRemaining()) return 0;
        int given = give(target);
        if (given != 0) return given;
        int count = real.read(target);
        lastByte = System.nanoTime();
        return count;
    }

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        for (int i = offset; i < offset + length; i++) {
            if (!targets[i].hasRemaining()) continue;
            int given = give(targets[i]);
            return given != 0 ? given : real.read(targets, i, offset + length - i);
        }
        return 0;
    }

    @Override
    public long read(ByteBuffer[] targets) throws IOException {
        return read(targets, 0, targets.length);
    }
}
