package org.vmferry.testkit.fault;

import org.vmferry.spi.transport.OutgoingFile;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;

/** A source's end that hands every call to another one. */
public class ForwardingOutgoingFile implements OutgoingFile {
    /** The end underneath. */
    protected final OutgoingFile real;

    private final PositionedFile[] files = new PositionedFile[2];

    /**
     * Over another end.
     *
     * @param real owned by this one
     */
    public ForwardingOutgoingFile(OutgoingFile real) {
        this.real = real;
    }

    /**
     * Puts something over a file; called once for each.
     *
     * @param file the transport's
     * @param direct around the page cache
     * @return by default the same
     */
    protected PositionedFile over(PositionedFile file, boolean direct) {
        return file;
    }

    @Override
    public PositionedFile file(boolean direct) throws IOException {
        PositionedFile file = real.file(direct);
        int index = direct ? 1 : 0;
        synchronized (files) {
            if (files[index] == null) files[index] = over(file, direct);
            return files[index];
        }
    }

    @Override
    public void expect(long bytes) throws IOException {
        real.expect(bytes);
    }

    @Override
    public void reserve(long bytes) throws IOException {
        real.reserve(bytes);
    }

    @Override
    public void complete() throws IOException {
        real.complete();
    }

    @Override
    public void release() {
        real.release();
    }

    @Override
    public void close() {
        real.close();
    }
}
