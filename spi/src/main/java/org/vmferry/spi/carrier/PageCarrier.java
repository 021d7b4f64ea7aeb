package org.vmferry.spi.carrier;

import org.vmferry.spi.Feature;
import org.vmferry.spi.Status;
import org.vmferry.spi.layout.Placement;
import org.vmferry.spi.layout.SyncMark;
import org.vmferry.spi.option.Provider;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.session.Session;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.util.List;
import java.util.Set;

/**
 * Who moves the pages: the migration thread itself, or workers with channels of their own. It is
 * chosen by the capability whose name is its {@link #id()}.
 *
 * <p>All methods are called on the migration thread.
 */
@Status(Status.Level.EXPERIMENTAL)
public interface PageCarrier extends Provider {
    /**
     * What the transport must offer.
     *
     * @param placed whether the layout gives pages a place of their own, so that no channel is
     *     needed
     * @return never null
     */
    Set<Feature> needs(boolean placed);

    /**
     * The first four bytes of its channels, by which a receiver tells them from the main one.
     *
     * @return a big-endian number; 0 if it has no channels
     */
    default int channelMagic() {
        return 0;
    }

    /**
     * Begins to send.
     *
     * @param placed whether the layout gives pages a place of their own, so that no channel is
     *     needed
     * @param channels where to get channels from
     * @param session the migration
     * @return owned by the caller
     */
    Sender sender(boolean placed, Channels channels, Session session);

    /**
     * Begins to receive.
     *
     * @param placed whether the layout gives pages a place of their own, so that no channel is
     *     needed
     * @param session the migration
     * @return owned by the caller
     */
    Receiver receiver(boolean placed, Session session);

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
        default void connect() throws IOException {}

        /**
         * The block list was written: pages may follow.
         *
         * @param placement where they go
         * @param blocks all that are sent, in the list's order
         * @throws IOException if the carrier can't serve it
         */
        void start(Placement placement, List<RamBlock> blocks) throws IOException;

        /**
         * Sends a run, or hands it to a worker. The guest may still write to it; it is marked dirty
         * then.
         *
         * @param run which pages
         * @throws IOException if the migration has failed
         */
        void send(Run run) throws IOException;

        /**
         * A round over all blocks ends here, and the START section's block list is one: pages sent
         * before must not arrive after pages sent later.
         *
         * @return what is to be written into the main stream
         * @throws IOException if the migration has failed
         */
        SyncMark endRound() throws IOException;

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
        default void finish() throws IOException {}

        /** Frees everything, also after a failure; every thread is gone when this returns. */
        @Override
        void close();
    }

    /** One load, in the order of its methods; {@link #arrived} alone may come at any time. */
    @Status(Status.Level.EXPERIMENTAL)
    interface Receiver extends AutoCloseable {
        /**
         * A channel came that begins with the carrier's magic, from where the main one came: reads
         * what it says of itself. Called for each such channel, on a thread of its own, from just
         * before {@link #connect} to just after {@link #close}. The caller releases a channel that
         * takes longer than connect-timeout.
         *
         * <p>One that belongs to the migration and is one too many fails it ({@link Session#fail}).
         * One that doesn't belong must not: whoever can connect can open such channels.
         *
         * @param channel the magic is still to be read; owned by the carrier if it belongs
         * @return whether it belongs; the caller closes and counts one that doesn't
         * @throws IOException if it says something wrong, or ends first: it doesn't belong either
         */
        default boolean arrived(Channel channel) throws IOException {
            return false;
        }

        /**
         * The RAM section begins: waits for the channels, if it has any, for connect-timeout at the
         * most.
         *
         * @param machine the machine's type, as the stream has it; empty if it has none
         * @throws IOException if one is missing, or fails
         */
        default void connect(String machine) throws IOException {}

        /**
         * The block list was read and the blocks are open.
         *
         * @param placement where pages come from
         * @param blocks all that were announced and opened: channels call them by name
         * @throws IOException if the carrier can't serve it
         */
        void start(Placement placement, List<RamBlock> blocks) throws IOException;

        /**
         * Fetches a run from its place; only with {@link Placement.Placed}.
         *
         * @param run which pages; the first and the last are there, gaps between are the mover's to
         *     know
         * @throws IOException if the migration has failed
         */
        void fetch(Run run) throws IOException;

        /**
         * The main stream brings a page itself: its bytes come next.
         *
         * @param block one of those that were given to {@link #start}
         * @param offset the page's first byte
         */
        default void beforePage(RamBlock block, long offset) {}

        /**
         * The main stream asks to wait for the channels (rule RAM-9); with {@link
         * Placement.Placed}, everything was fetched: waits until it is in RAM.
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
         * The whole stream was read: ends the channels in order.
         *
         * @throws IOException if one was lost before
         */
        default void finish() throws IOException {}

        /** Frees everything, also after a failure; every thread is gone when this returns. */
        @Override
        void close();
    }
}
