package org.vmferry.spi.layout;

import org.vmferry.spi.Feature;
import org.vmferry.spi.Status;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.option.Provider;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.OptionalLong;
import java.util.Set;

/**
 * How RAM lies in the stream. It is chosen by the capability whose name is its {@link #id()}.
 *
 * <p>The engine writes and reads what all layouts share: section headers and footers, the block
 * list's names and lengths, and the end of each section. All methods are called on the migration
 * thread.
 */
@Status(Status.Level.EXPERIMENTAL)
public interface RamLayout extends Provider {
    /**
     * What the transport must offer.
     *
     * @return never null
     */
    Set<Feature> needs();

    /**
     * Whether its placement is {@link Placement.Placed}: then a carrier needs no channels.
     *
     * @return the same at every call
     */
    boolean placed();

    /**
     * Begins a save.
     *
     * @param session the migration
     * @return owned by the caller
     */
    Saver saver(Session session);

    /**
     * Begins a load.
     *
     * @param session the migration
     * @return owned by the caller
     */
    Loader loader(Session session);

    /** One save, in the order of its methods. */
    @Status(Status.Level.EXPERIMENTAL)
    interface Saver extends AutoCloseable {
        /**
         * The block's name and used length were just written into the START section: adds what the
         * layout needs there.
         *
         * @param out the main stream
         * @param block the block
         * @throws IOException if the stream is lost
         */
        default void block(MainOut out, RamBlock block) throws IOException {}

        /**
         * The block list is complete: where pages go.
         *
         * @param out the main stream
         * @return for the carrier
         * @throws IOException if the stream is lost
         */
        Placement placement(MainOut out) throws IOException;

        /**
         * The carrier has synchronised its channels.
         *
         * @param out the main stream
         * @param mark what it wants written
         * @throws IOException if the stream is lost
         */
        void sync(MainOut out, SyncMark mark) throws IOException;

        /**
         * The last page was sent and the carrier is synchronised; the END section is open.
         *
         * @param out the main stream
         * @throws IOException if the stream is lost
         */
        default void end(MainOut out) throws IOException {}

        @Override
        default void close() {}
    }

    /** One load, in the order of its methods. */
    @Status(Status.Level.EXPERIMENTAL)
    interface Loader extends AutoCloseable {
        /**
         * The block's name and used length were just read from the START section and checked: reads
         * what the layout added there. Nothing is allocated yet.
         *
         * @param in the main stream
         * @param header the block
         * @throws IOException if what it says makes no sense
         */
        default void block(MainIn in, BlockHeader header) throws IOException {}

        /**
         * The first block's name and used length come before what can be looked at: what the layout
         * added there says of the page size.
         *
         * @param ahead what is still to be read; its beginning, at least what the stream still has
         *     of 64 bytes
         * @return bytes, not checked; empty if it says nothing
         */
        default OptionalLong pageSize(ByteBuffer ahead) {
            return OptionalLong.empty();
        }

        /**
         * The block list is complete and checked: opens the blocks, and says where pages come from.
         *
         * @param in the main stream
         * @param target where RAM is
         * @return for the carrier
         * @throws IOException if the layout makes no sense, or the target refuses
         */
        Placement placement(MainIn in, RamTarget target) throws IOException;

        /**
         * Reads the rest of a section, its end mark included; the START section's first.
         *
         * @param in the main stream
         * @param receiver fetches pages, and is told of syncs
         * @throws IOException if what it holds makes no sense
         */
        void section(MainIn in, PageCarrier.Receiver receiver) throws IOException;

        @Override
        default void close() {}
    }
}
