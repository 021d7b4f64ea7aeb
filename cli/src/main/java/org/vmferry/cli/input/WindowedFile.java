package org.vmferry.cli.input;

import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * What comes from front to back, for who reads a file: the last bytes that came can be read again,
 * all before them have gone.
 *
 * <p>Safe for many threads, of which one waits for bytes at a time.
 */
public abstract class WindowedFile implements PositionedFile, IncomingFile {
    /**
     * How much is kept: the devices that stand before the text behind a stream, many times over.
     */
    public static final int WINDOW = 16 << 20;

    private static final int STEP = 1 << 18;

    private final String name;
    private byte[] window = new byte[STEP]; // a byte lies at its position modulo its length
    private long end; // of what has come
    private volatile long size = Long.MAX_VALUE;

    /**
     * Nothing has come yet.
     *
     * @param name for messages
     */
    protected WindowedFile(String name) {
        this.name = name;
    }

    /**
     * Waits for what comes next.
     *
     * @param target takes some of it
     * @return how many bytes came, at least one; -1 if none will
     * @throws IOException if they can't be had; asked again, it throws again
     */
    protected abstract int more(ByteBuffer target) throws IOException;

    /**
     * Begins anew, for a byte that has gone.
     *
     * @param position of the byte
     * @param come how many have come
     * @throws IOException if that can't be
     */
    protected abstract void again(long position, long come) throws IOException;

    @Override
    public final synchronized int read(ByteBuffer target, long position) throws IOException {
        if (position < end - WINDOW) {
            again(position, end);
            end = 0;
        }
        int before = target.position();
        while (target.hasRemaining()) {
            try {
                while (position >= end) if (!comes()) return target.position() - before;
            } catch (IOException e) {
                // First what came before that, which may be all that is asked for.
                if (target.position() == before) throw e;
                return target.position() - before;
            }
            int at = (int) (position % window.length);
            int there = (int) Math.min(end - position, window.length - at);
            int step = Math.min(target.remaining(), there);
            target.put(window, at, step);
            position += step;
        }
        return target.position() - before;
    }

    private boolean comes() throws IOException {
        if (end == window.length && end < WINDOW) window = Arrays.copyOf(window, 2 * (int) end);
        int at = (int) (end % window.length);
        int came = more(ByteBuffer.wrap(window, at, Math.min(STEP, window.length - at)));
        if (came < 0) size = end;
        end += Math.max(0, came);
        return came >= 0;
    }

    @Override
    public final long start() {
        return 0;
    }

    @Override
    public final int alignment() {
        return 1;
    }

    /** Nobody knows how much is to come, until all has. */
    @Override
    public final long size() {
        return size;
    }

    @Override
    public final void write(ByteBuffer bytes, long position) throws IOException {
        throw onlyRead();
    }

    @Override
    public final void resize(long size) throws IOException {
        throw onlyRead();
    }

    private IOException onlyRead() {
        return new IOException(name + " is only read");
    }

    @Override
    public final PositionedFile file(boolean direct) {
        return this;
    }
}
