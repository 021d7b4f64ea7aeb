package org.vmferry.spi.transport;

import org.vmferry.spi.Status;

import java.io.IOException;

/** An end of a transport that is a file. */
@Status(Status.Level.STABLE)
public sealed interface FileEnd extends TransportEnd permits OutgoingFile, IncomingFile {
    /**
     * The file. The same object at every call with the same argument.
     *
     * @param direct around the page cache; needs aligned transfers
     * @return owned by this end
     * @throws IOException if it can't be opened so
     */
    PositionedFile file(boolean direct) throws IOException;
}
