package org.vmferry.testkit.fault;

import org.vmferry.spi.Status;
import org.vmferry.spi.transport.IncomingFile;

/** A destination's end that hands every call to another one. */
@Status(Status.Level.EXPERIMENTAL)
public class ForwardingIncomingFile extends ForwardingFileEnd<IncomingFile>
        implements IncomingFile {
    /**
     * Over another end.
     *
     * @param real owned by this one
     */
    public ForwardingIncomingFile(IncomingFile real) {
        super(real);
    }
}
