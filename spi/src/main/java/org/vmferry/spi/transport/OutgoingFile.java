package org.vmferry.spi.transport;

import org.vmferry.spi.Status;

import java.io.IOException;

/** The source's end of a transport with files. */
@Status(Status.Level.STABLE)
public non-sealed interface OutgoingFile extends FileEnd {
    /**
     * Says how much will be written at the most, before the guest is disturbed.
     *
     * @param bytes of data; holes don't count
     * @throws IOException if there is no room for it
     */
    default void expect(long bytes) throws IOException {}

    /**
     * Makes as sure as the system lets it that so many bytes can be written and completed: tries
     * all that {@link #complete} needs, and holds room for them until {@link #close}. For who has
     * to know before there is anything to write; what stands under the name stays. May be called
     * again, with more.
     *
     * @param bytes of data; 0 only tries
     * @throws IOException if it can't be, and why
     */
    default void reserve(long bytes) throws IOException {
        expect(bytes);
    }

    /**
     * Everything was written: makes it durable and lets it appear under its name.
     *
     * @throws IOException if that failed; what stood under the name before is still there
     */
    void complete() throws IOException;
}
