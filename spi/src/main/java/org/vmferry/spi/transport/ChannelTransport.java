package org.vmferry.spi.transport;

import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.option.Options;

import java.io.IOException;
import java.util.Set;

/** Channels to a peer, who is there at the same time. */
@Status(Status.Level.STABLE)
public non-sealed interface ChannelTransport extends TransportProvider {
    /**
     * What it offers. What is not claimed here is refused before anything is opened.
     *
     * @return the same at every call
     */
    Set<Feature> features();

    /**
     * The source's end. Opens nothing yet and does not block.
     *
     * @param address of this scheme
     * @param options the migration's
     * @return owned by the caller
     * @throws MigrationException if the address makes no sense
     */
    Opener opener(Address address, Options options) throws MigrationException;

    /**
     * The destination's end, ready for a source when this returns.
     *
     * @param address of this scheme
     * @param options the migration's
     * @return owned by the caller
     * @throws IOException if it can't listen there
     */
    Acceptor acceptor(Address address, Options options) throws IOException;
}
