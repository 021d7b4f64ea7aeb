package org.vmferry.spi.transport;

import org.vmferry.spi.Status;

import java.io.IOException;

/** The source's end of a transport with channels. */
@Status(Status.Level.STABLE)
public interface Opener extends TransportEnd {
    /**
     * Opens a channel. The first is the main one and is alone; later ones go to the very address
     * that it reached, and may be opened by several threads at once. Blocks.
     *
     * @return owned by the caller
     * @throws IOException if the peer can't be reached
     */
    Channel open() throws IOException;

    /**
     * Everything was written, and the channels are closed: makes sure, as far as it can, that who
     * took it has done so.
     *
     * @throws IOException if that is known to have failed
     */
    default void complete() throws IOException {}
}
