package org.vmferry.engine.stream;

import org.vmferry.spi.layout.FileIn;
import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.nio.ByteBuffer;

/** The main stream out of a file, from its start. */
public final class FileStreamIn extends StreamIn implements FileIn {
    private final IncomingFile end;
    private final PositionedFile file;
    private boolean isDirect;
    private long holes; // bytes

    /** A stream out of a file, which stays its owner's. */
    public FileStreamIn(IncomingFile end) throws IOException {
        this(end, end.file(false)); // which may fail: before the buffer is made
    }

    private FileStreamIn(IncomingFile end, PositionedFile file) {
        super(file.start());
        this.end = end;
        this.file = file;
    }

    /** Another reader of the same file, from its start; the caller's. */
    FileStreamIn again() throws IOException {
        return new FileStreamIn(end);
    }

    /** Never waits. */
    @Override
    public boolean moreComes(long ms) throws IOException {
        fill();
        return true;
    }

    @Override
    long holes() {
        return holes;
    }

    @Override
    int read(ByteBuffer target, long position) throws IOException {
        int count = file.read(target, position);
        if (count > 0) holes += Math.clamp(file.nextData(position) - position, 0, count);
        return count;
    }

    @Override
    public void seek(long position) {
        goTo(position);
    }

    @Override
    public PositionedFile file(boolean direct) throws IOException {
        PositionedFile opened = end.file(direct);
        isDirect |= direct;
        return opened;
    }

    /** Whether somebody has opened it around the page cache. */
    public boolean isDirect() {
        return isDirect;
    }
}
