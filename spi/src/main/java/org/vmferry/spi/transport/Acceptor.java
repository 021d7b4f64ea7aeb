package org.vmferry.spi.transport;

import org.vmferry.spi.Status;

import java.io.IOException;
import java.util.Optional;

/** The destination's end of a transport with channels. */
@Status(Status.Level.STABLE)
public interface Acceptor extends TransportEnd {
    /**
     * Where it listens: with the port that the system chose.
     *
     * @return an address that a source can use
     */
    Address address();

    /**
     * Waits for the next connection.
     *
     * @return owned by the caller
     * @throws IOException if there will be none
     */
    Channel accept() throws IOException;

    /**
     * Takes a connection that has come already, also while another thread waits in {@link #accept}.
     * Does not wait.
     *
     * @return owned by the caller; empty if none has come, or if it can't be told
     * @throws IOException if there will be none
     */
    default Optional<Channel> acceptNow() throws IOException {
        return Optional.empty();
    }
}
