package org.vmferry.cli.input;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.IncomingFile;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What packed data unpack to, as if it were a file: unpacked anew from the beginning for who asks
 * for what has gone from the window.
 */
public final class UnpackedFile extends WindowedFile {
    /** Who reads a snapshot goes back a few times; who made one may want more for ever. */
    private static final int PASSES = 16;

    private final Packed packed;
    private final IncomingFile source;
    private final ReentrantLock unpacks = new ReentrantLock();
    private Unpacking unpacking;
    private int passes = 1;
    private volatile Optional<String> rest = Optional.empty();
    private volatile boolean released;
    private volatile boolean closed;

    /**
     * Over a file.
     *
     * @param packed what is packed in it, with something that is read here
     * @param source this object's from now on
     * @throws IOException if it can't be read
     */
    public UnpackedFile(Packed packed, IncomingFile source) throws IOException {
        super(packed.name().toString());
        this.packed = packed;
        this.source = source;
        unpacking = new Unpacking(packed, source.file(false));
    }

    /**
     * What stands behind the packed data, if they were read to their end and it is something else.
     *
     * @return a sentence
     */
    public Optional<String> rest() {
        return rest;
    }

    @Override
    protected int more(ByteBuffer target) throws IOException {
        return locked(
                () -> {
                    int count =
                            unpacking.read(
                                    target.array(),
                                    target.arrayOffset() + target.position(),
                                    target.remaining());
                    if (count < 0) rest = unpacking.rest();
                    return count;
                });
    }

    @Override
    protected void again(long position, long come) throws IOException {
        if (++passes > PASSES) {
            throw MigrationException.user(
                    "%s is packed with %s, and what is in it is asked for in no order: %s",
                    packed.name(), packed.by().id(), packed.instead());
        }
        locked(
                () -> {
                    unpacking.close();
                    unpacking = new Unpacking(packed, source.file(false));
                    return 0;
                });
    }

    private interface Step {
        int take() throws IOException;
    }

    /** Who closes meanwhile does not wait for a disk: what there is to free is freed here then. */
    private int locked(Step step) throws IOException {
        unpacks.lock();
        try {
            if (released) {
                throw new MigrationException(Blame.USER, "'" + packed.name() + "' was given up");
            }
            return step.take();
        } finally {
            unpacks.unlock();
            if (closed) free();
        }
    }

    private void free() {
        if (!unpacks.tryLock()) return;
        try {
            unpacking.close();
        } finally {
            unpacks.unlock();
        }
    }

    @Override
    public void release() {
        released = true;
        source.release();
    }

    @Override
    public void close() {
        release();
        closed = true;
        free();
        source.close();
    }
}
