package org.vmferry.cli;

import org.vmferry.engine.transport.ScratchFile;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** What a pipe brought, kept in a file without a name, for who has to read it more than once. */
final class Spool implements IncomingFile, PositionedFile {
    private static final int STEP = 1 << 20;

    /** Is asked between two steps. */
    interface Watcher {
        void kept(long bytes) throws IOException;
    }

    private final ScratchFile kept;
    private long size;

    /**
     * Keeps all that comes, to its end.
     *
     * @param from read from its beginning on; stays the caller's
     * @param folder where there is room for it
     */
    Spool(PositionedFile from, Path folder, Watcher watcher) throws IOException {
        kept = ScratchFile.in(folder);
        try {
            ByteBuffer step = ByteBuffer.allocate(STEP);
            while (from.read(step.clear(), size) > 0) {
                int came = step.flip().remaining();
                kept.write(step, size);
                size += came;
                watcher.kept(size);
            }
        } catch (IOException | RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    @Override
    public PositionedFile file(boolean direct) {
        return this;
    }

    @Override
    public int read(ByteBuffer target, long position) throws IOException {
        int length = Math.clamp(size - position, 0, target.remaining());
        if (length == 0) return 0;
        int limit = target.limit();
        kept.read(target.limit(target.position() + length), position);
        target.limit(limit);
        return length;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public long start() {
        return 0;
    }

    @Override
    public int alignment() {
        return 1;
    }

    @Override
    public void write(ByteBuffer source, long position) throws IOException {
        throw onlyRead();
    }

    @Override
    public void resize(long size) throws IOException {
        throw onlyRead();
    }

    private static IOException onlyRead() {
        return new IOException("what a pipe brought is only read");
    }

    /** Nothing waits in here. */
    @Override
    public void release() {}

    @Override
    public void close() {
        try {
            kept.close();
        } catch (MigrationException e) {
            // It has no name: it goes with the process at the latest.
        }
    }
}
