package org.vmferry.multifd;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A channel whose peer says what was written down, in two pieces, and then ends, in order or not,
 * stalls, or says a zero now and then.
 */
final class Scripted implements Channel {
    private final byte[] script;
    private final int split;
    private final boolean stalls;
    private boolean drips;
    private boolean cut;
    private final CountDownLatch released = new CountDownLatch(1);
    private volatile int position; // one writer
    private volatile int reads; // as position

    Scripted(byte[] script, int split, boolean stalls) {
        this.script = script;
        this.split = split;
        this.stalls = stalls;
    }

    /** How many bytes were read. */
    int position() {
        return position;
    }

    /** How often it was asked for some. */
    int reads() {
        return reads;
    }

    Scripted dripping() {
        drips = true;
        return this;
    }

    /** Its end is that of a TLS channel without close_notify. */
    Scripted cut() {
        cut = true;
        return this;
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        reads = reads + 1;
        if (position == script.length) {
            if (cut) throw new MigrationException(Blame.TRANSPORT, "it was cut", null);
            if (!stalls) return -1;
            try {
                if (drips && !released.await(20, TimeUnit.MILLISECONDS)) {
                    target.put((byte) 0);
                    return 1;
                }
                released.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            throw new IOException("released");
        }
        int end = position < split ? split : script.length;
        int bytes = Math.min(target.remaining(), end - position);
        target.put(script, position, bytes);
        position += bytes;
        return bytes;
    }

    /** As a socket does: what is there goes into as many as it fills. */
    @Override
    public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        long all = 0;
        for (int i = offset; i < offset + length; i++) {
            if (!targets[i].hasRemaining()) continue;
            boolean more = position != script.length && (all == 0 || position != split);
            if (all > 0 && !more) break;
            int read = read(targets[i]);
            if (read < 0) return -1;
            if (all > 0) reads = reads - 1; // it is one
            all += read;
            if (targets[i].hasRemaining()) break;
        }
        return all;
    }

    @Override
    public int write(ByteBuffer source) {
        throw new AssertionError("a receiver says nothing");
    }

    @Override
    public void shutdownOutput() {}

    @Override
    public boolean isOpen() {
        return released.getCount() > 0;
    }

    @Override
    public void close() {
        released.countDown();
    }

    @Override
    public String peer() {
        return "script";
    }
}
