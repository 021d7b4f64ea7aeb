package org.vmferry.engine.stream;

import org.vmferry.spi.layout.FileOut;
import org.vmferry.spi.transport.OutgoingFile;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.nio.ByteBuffer;

/** The main stream into a file, from its start. */
public final class FileStreamOut extends StreamOut implements FileOut {
    private final OutgoingFile end;
    private final PositionedFile file;

    /** A stream into a file, which stays its owner's. */
    public FileStreamOut(OutgoingFile end) throws IOException {
        this(end, end.file(false)); // which may fail: before the buffer is made
    }

    private FileStreamOut(OutgoingFile end, PositionedFile file) {
        super(file.start());
        this.end = end;
        this.file = file;
    }

    @Override
    void write(ByteBuffer first, ByteBuffer more, long position) throws IOException {
        long next = position + first.remaining();
        if (first.hasRemaining()) file.write(first, position);
        if (more != null) file.write(more, next);
    }

    @Override
    public void seek(long position) throws IOException {
        goTo(position);
    }

    @Override
    public PositionedFile file(boolean direct) throws IOException {
        return end.file(direct);
    }
}
