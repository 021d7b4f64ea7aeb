package org.vmferry.testkit.fault;

import org.vmferry.spi.transport.FileEnd;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;

/** An end with files. */
abstract class ForwardingFileEnd<E extends FileEnd> extends ForwardingEnd<E> {
    private final PositionedFile[] files = new PositionedFile[2];

    ForwardingFileEnd(E real) {
        super(real);
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

    /** As {@link FileEnd#file}. */
    public PositionedFile file(boolean direct) throws IOException {
        PositionedFile file = real.file(direct);
        int index = direct ? 1 : 0;
        synchronized (files) {
            if (files[index] == null) files[index] = over(file, direct);
            return files[index];
        }
    }
}
