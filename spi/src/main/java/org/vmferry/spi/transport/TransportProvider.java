package org.vmferry.spi.transport;

import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Provider;
import org.vmferry.spi.Status;
import org.vmferry.spi.option.Options;

import java.io.IOException;
import java.util.Optional;
import java.util.Set;

/**
 * A transport; its {@link #id()} is the scheme of its addresses.
 *
 * <p>One with {@link Feature#SEEKABLE} is used through {@code file}, any other through channels.
 */
@Status(Status.Level.STABLE)
public interface TransportProvider extends Provider {
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
    Outgoing outgoing(Address address, Options options) throws MigrationException;

    /**
     * The destination's end, ready for a source when this returns.
     *
     * @param address of this scheme
     * @param options the migration's
     * @return owned by the caller
     * @throws IOException if it can't listen there, or the file can't be read
     */
    Incoming incoming(Address address, Options options) throws IOException;

    /** What both ends have: files, and letting go. */
    @Status(Status.Level.STABLE)
    interface End extends AutoCloseable {
        /**
         * The file, of a transport that is seekable. The same object at every call with the same
         * argument.
         *
         * @param direct around the page cache; needs aligned transfers
         * @return owned by this end
         * @throws IOException if it can't be opened so
         */
        default PositionedFile file(boolean direct) throws IOException {
            throw new UnsupportedOperationException("no seekable transport");
        }

        /**
         * Lets go, within a second, whoever hangs in opening, accepting, or in one of this end's
         * channels. Any thread, any time. A file's transfer that the system does not interrupt is
         * not waited for.
         */
        void release();

        /**
         * Frees everything; what was written and not completed is taken back. Called once, after
         * nobody uses this end any more.
         */
        @Override
        void close();
    }

    /** The source's end. */
    @Status(Status.Level.STABLE)
    interface Outgoing extends End {
        /**
         * Opens a channel. The first is the main one and is alone; later ones go to the very
         * address that it reached, and may be opened by several threads at once. Blocks.
         *
         * @return owned by the caller
         * @throws IOException if the peer can't be reached
         */
        default Channel open() throws IOException {
            throw new UnsupportedOperationException("no transport with channels");
        }

        /**
         * Says how much will be written at the most, before the guest is disturbed.
         *
         * @param bytes of data; holes don't count
         * @throws IOException if there is no room for it
         */
        default void expect(long bytes) throws IOException {}

        /**
         * Makes as sure as the system lets it that so many bytes can be written and completed:
         * tries all that {@link #complete} needs, and holds room for them until {@link #close}. For
         * who has to know before there is anything to write; what stands under the name stays. May
         * be called again, with more.
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
        default void complete() throws IOException {}
    }

    /** The destination's end. */
    @Status(Status.Level.STABLE)
    interface Incoming extends End {
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
        default Channel accept() throws IOException {
            throw new UnsupportedOperationException("no transport with channels");
        }

        /**
         * Takes a connection that has come already, also while another thread waits in {@link
         * #accept}. Does not wait.
         *
         * @return owned by the caller; empty if none has come, or if it can't be told
         * @throws IOException if there will be none
         */
        default Optional<Channel> acceptNow() throws IOException {
            return Optional.empty();
        }
    }
}
