package org.vmferry.cli;

import org.vmferry.engine.system.Inode;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.PositionedFile;
import org.vmferry.spi.transport.TransportProvider.Incoming;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What comes through standard input, a pipe as a rule, for who reads a file from front to back: the
 * last bytes that came can be read again, all before them have gone.
 *
 * <p>Safe for many threads; who waits for bytes is let go by {@link #release}.
 */
final class StandardInput implements PositionedFile, Incoming {
    /** What was typed for it. */
    static final Path TYPED = Path.of("-");

    /** Its name in messages. */
    static final Path NAME = Path.of("standard input");

    /** A file's own name for itself, where it is one. */
    private static final Path NODE = Path.of("/dev/stdin");

    /**
     * How much is kept: the devices that stand before the text behind a stream, many times over.
     */
    static final int WINDOW = 16 << 20;

    private static final int STEP = 1 << 18;

    private final ReadableByteChannel source;
    private final byte[] window = new byte[WINDOW]; // a byte lies at its position modulo its length
    private long end; // of what has come

    /** Over what is open; it is this object's from now on. */
    StandardInput(ReadableByteChannel source) {
        this.source = source;
    }

    /**
     * Recognises what standard input brings.
     *
     * @param offset where to look for a stream, from where it stands
     * @param release is told what ends the waiting for bytes
     * @return owned by the caller
     */
    static Snapshot open(long offset, Consumer<Runnable> release) throws IOException {
        FileChannel channel = new FileInputStream(FileDescriptor.in).getChannel();
        Optional<Path> file = file();
        if (file.isPresent()) return Snapshot.open(file.get(), channel.position() + offset);
        StandardInput input = new StandardInput(channel);
        release.accept(input::release);
        return Snapshot.once(NAME, input, offset);
    }

    /** Under which name it can be opened anew, and read at any place; empty if it is a pipe. */
    private static Optional<Path> file() {
        try {
            Path real = NODE.toRealPath();
            boolean placed = Files.isRegularFile(real) || Inode.device(real).isPresent();
            return placed && Files.isReadable(real) ? Optional.of(real) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty(); // a pipe has no name
        }
    }

    @Override
    public synchronized int read(ByteBuffer target, long position) throws IOException {
        if (position < end - WINDOW) {
            throw MigrationException.user(
                    "%s is read once, and byte %d is asked for again when %d have come: write it to"
                            + " a file first",
                    NAME, position, end);
        }
        int before = target.position();
        while (target.hasRemaining()) {
            while (position >= end) if (!more()) return target.position() - before;
            int at = (int) (position % WINDOW);
            int step = (int) Math.min(target.remaining(), Math.min(end - position, WINDOW - at));
            target.put(window, at, step);
            position += step;
        }
        return target.position() - before;
    }

    private boolean more() throws IOException {
        int at = (int) (end % WINDOW);
        int came = source.read(ByteBuffer.wrap(window, at, Math.min(STEP, WINDOW - at)));
        end += Math.max(0, came);
        return came >= 0;
    }

    @Override
    public long start() {
        return 0;
    }

    @Override
    public int alignment() {
        return 1;
    }

    /** Nobody knows how much is to come. */
    @Override
    public long size() {
        return Long.MAX_VALUE;
    }

    @Override
    public void write(ByteBuffer bytes, long position) throws IOException {
        throw new IOException(NAME + " is only read");
    }

    @Override
    public void resize(long size) throws IOException {
        throw new IOException(NAME + " is only read");
    }

    @Override
    public Address address() {
        throw new UnsupportedOperationException("nobody connects to it");
    }

    @Override
    public PositionedFile file(boolean direct) {
        return this;
    }

    /** Not under this object's lock: who holds it may wait for bytes. */
    @Override
    public void release() {
        try {
            source.close();
        } catch (IOException e) {
            // It is read no more.
        }
    }

    @Override
    public void close() {
        release();
    }
}
