package org.vmferry.spi.transport;

import org.vmferry.spi.Status;

/** An end of a transport, at the source or at the destination. */
@Status(Status.Level.STABLE)
public interface TransportEnd extends AutoCloseable {
    /**
     * Lets go, within a second, whoever hangs in opening, accepting, or in one of this end's
     * channels. Any thread, any time. A file's transfer that the system does not interrupt is not
     * waited for.
     */
    void release();

    /**
     * Frees everything, channels that nobody closed too; what was written and not completed is
     * taken back. Called once, after nobody uses this end any more, and with or without {@link
     * #release} before.
     */
    @Override
    void close();
}
