package org.vmferry.testkit.fault;

import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;

/** A destination's end that hands every call to another one. */
public class ForwardingIncomingFile implements IncomingFile {
    /** The end underneath. */
    protected final IncomingFile real;

    private final PositionedFile[] files = new PositionedFile[2];

    /**
     * Over another end.
     *
     * @param real owned by this one
     */
    public ForwardingIncomingFile(IncomingFile real) {
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
    public void release() {
        real.release();
    }

    @Override
    public void close() {
        real.close();
    }
}
