package org.vmferry.spi.carrier;

import org.vmferry.spi.Status;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.option.Provider;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.session.Session;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.util.List;

/**
 * Moves pages over channels of its own, beside the main stream. It is chosen by the capability
 * whose name is its {@link #id()}, and needs a transport with {@link
 * org.vmferry.spi.Feature#MANY_CHANNELS}.
 *
 * <p>Into a file it moves nothing: there it says how many workers the engine runs.
 *
 * <p>All methods are called on the migration thread.
 */
@Status(Status.Level.EXPERIMENTAL)
public interface PageCarrier extends Provider {
    /**
     * The first four bytes of its channels, by which a receiver tells them from the main one.
     *
     * @return a big-endian number, neither 0 nor the main stream's "QEVM"
     */
    int channelMagic();

    /**
     * How many workers the engine runs where every page has a place of its own in a file. Without a
     * carrier it runs as many as suit the processor.
     *
     * @param options of the migration
     * @return at least 1, which is the migration thread itself
     */
    default int fileWorkers(Options options) {
        return 1;
    }

    /**
     * Begins to send.
     *
     * @param channels where to get channels from
     * @param session the migration
     * @return owned by the caller
     */
    Sender sender(Channels channels, Session session);

    /**
     * Begins to receive.
     *
     * @param session the migration
     * @return owned by the caller
     */
    Receiver receiver(Session session);

    /** Where a sender gets its channels from. Any thread. */
    @Status(Status.Level.EXPERIMENTAL)
    interface Channels {
        /**
         * Opens one more channel to the address that the main one reached, its TLS handshake done.
         * Blocks.
         *
         * @return owned by the caller
         * @throws IOException if it can't be had
         */
        Channel open() throws IOException;
    }

    /** One save, in the order of its methods. */
    @Status(Status.Level.EXPERIMENTAL)
    interface Sender extends AutoCloseable {
        /**
         * The main channel stands: opens and greets the others. The main stream begins after this.
         *
         * @throws IOException if one fails
         */
        void connect() throws IOException;

        /**
         * The block list was written: pages may follow.
         *
         * @param blocks all that are sent, in the list's order
         * @throws IOException if the carrier can't serve them
         */
        void start(List<RamBlock> blocks) throws IOException;

        /**
         * Whether the engine finds the zero pages and says them in the main stream, so that {@link
         * #send} is given only others.
         *
         * @return the same at every call; by default false
         */
        default boolean leavesZeroPages() {
            return false;
        }

        /**
         * Sends a run, or hands it to a worker. The guest may still write to it; it is marked dirty
         * then. Asks {@link Session#permit} and counts in {@link Session#counters} what it sends.
         *
         * @param run which pages
         * @throws IOException if the migration has failed
         */
        void send(Run run) throws IOException;

        /**
         * A round over all blocks ends here, and the START section's block list is one: pages sent
         * before must not arrive after pages sent later.
         *
         * @return whether the main stream is to have the record that lets the receiver wait for its
         *     channels (rule RAM-9)
         * @throws IOException if the migration has failed
         */
        boolean endRound() throws IOException;

        /**
         * The section's end mark is written next.
         *
         * @throws IOException if the migration has failed
         */
        default void endSection() throws IOException {}

        /**
         * Everything was sent, the main stream's end too: ends the channels in order.
         *
         * @throws IOException if one was lost before
         */
        void finish() throws IOException;

        /** Frees everything, also after a failure; every thread is gone when this returns. */
        @Override
        void close();
    }

    /** One load, in the order of its methods; {@link #arrived} alone may come at any time. */
    @Status(Status.Level.EXPERIMENTAL)
    interface Receiver extends AutoCloseable {
        /**
         * A channel came that begins with the carrier's magic, from where the main one came: reads
         * what else it says of itself. Called for each such channel, on a thread of its own, from
         * just before {@link #connect} to just after {@link #close}. The caller releases a channel
         * that takes longer than connect-timeout.
         *
         * <p>One that belongs to the migration and is one too many fails it ({@link Session#fail}).
         * One that doesn't belong must not: whoever can connect can open such channels.
         *
         * @param channel the magic was read; owned by the carrier if it belongs
         * @return whether it belongs; the caller closes and counts one that doesn't
         * @throws IOException if it says something wrong, or ends first: it doesn't belong either
         */
        boolean arrived(Channel channel) throws IOException;

        /**
         * The RAM section begins: waits for the channels, for connect-timeout at the most.
         *
         * @param machine the machine's type, as the stream has it; empty if it has none
         * @throws IOException if one is missing, or fails
         */
        void connect(String machine) throws IOException;

        /**
         * The block list was read and the blocks are open.
         *
         * @param blocks all that were announced and opened: channels call them by name
         * @throws IOException if the carrier can't serve them
         */
        void start(List<RamBlock> blocks) throws IOException;

        /**
         * The main stream asks to wait for the channels (rule RAM-9).
         *
         * @throws IOException if the migration has failed
         */
        void sync() throws IOException;

        /**
         * The section's end mark was read.
         *
         * @throws IOException if the migration has failed
         */
        default void endSection() throws IOException {}

        /**
         * The RAM section's END begins, its last part.
         *
         * @throws IOException if the migration has failed
         */
        default void ending() throws IOException {}

        /**
         * END's mark was read; in place of the last {@link #endSection}. What the channels still
         * hold is no part of the migration.
         *
         * @param sync whether the main stream asks to wait for the channels just before it, in
         *     place of the last {@link #sync}; the engine may have called that instead
         * @throws IOException if the migration has failed
         */
        default void ended(boolean sync) throws IOException {
            if (sync) sync();
            endSection();
        }

        /**
         * The whole stream was read: ends the channels in order.
         *
         * @throws IOException if one was lost before
         */
        void finish() throws IOException;

        /** Frees everything, also after a failure; every thread is gone when this returns. */
        @Override
        void close();
    }
}
