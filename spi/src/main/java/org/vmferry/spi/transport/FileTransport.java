package org.vmferry.spi.transport;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.option.Options;

import java.io.IOException;

/** Files, whose bytes have positions: a source writes one, and a destination reads it some day. */
@Status(Status.Level.STABLE)
public non-sealed interface FileTransport extends TransportProvider {
    /**
     * The source's end. Opens nothing yet and does not block.
     *
     * @param address of this scheme
     * @param options the migration's
     * @return owned by the caller
     * @throws MigrationException if the address makes no sense
     */
    OutgoingFile outgoing(Address address, Options options) throws MigrationException;

    /**
     * The destination's end, with the file open.
     *
     * @param address of this scheme
     * @param options the migration's
     * @return owned by the caller
     * @throws IOException if the file can't be read
     */
    IncomingFile incoming(Address address, Options options) throws IOException;
}
