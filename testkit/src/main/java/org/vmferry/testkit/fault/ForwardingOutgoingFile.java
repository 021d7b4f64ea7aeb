package org.vmferry.testkit.fault;

import org.vmferry.spi.Status;
import org.vmferry.spi.transport.OutgoingFile;

import java.io.IOException;

/** A source's end that hands every call to another one. */
@Status(Status.Level.EXPERIMENTAL)
public class ForwardingOutgoingFile extends ForwardingFileEnd<OutgoingFile>
        implements OutgoingFile {
    /**
     * Over another end.
     *
     * @param real owned by this one
     */
    public ForwardingOutgoingFile(OutgoingFile real) {
        super(real);
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
}
