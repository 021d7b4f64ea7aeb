package org.vmferry.testkit.fault;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.FileTransport;
import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.OutgoingFile;

import java.io.IOException;

/**
 * A transport with files that hands every call to another one; the base of those which change
 * something on the way. Under an id of its own it can stand beside the other in one engine.
 */
@Status(Status.Level.EXPERIMENTAL)
public class ForwardingFileTransport extends ForwardingTransport<FileTransport>
        implements FileTransport {
    /**
     * Over another transport.
     *
     * @param real the transport underneath
     * @param id the scheme of this one's addresses; their targets are the other's
     */
    public ForwardingFileTransport(FileTransport real, String id) {
        super(real, id);
    }

    @Override
    public OutgoingFile outgoing(Address address, Options options) throws MigrationException {
        return over(real.outgoing(underneath(address), options));
    }

    @Override
    public IncomingFile incoming(Address address, Options options) throws IOException {
        return over(real.incoming(underneath(address), options));
    }

    /**
     * Puts something over a source's end.
     *
     * @param end the other transport's
     * @return by default one that changes nothing
     */
    protected OutgoingFile over(OutgoingFile end) {
        return new ForwardingOutgoingFile(end);
    }

    /**
     * Puts something over a destination's end.
     *
     * @param end the other transport's
     * @return by default one that changes nothing
     */
    protected IncomingFile over(IncomingFile end) {
        return new ForwardingIncomingFile(end);
    }
}
