package org.vmferry.spi.layout;

import org.vmferry.spi.Status;
import org.vmferry.spi.option.Provider;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.ram.Staging;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * How RAM lies in a file: every page has its own place there, so that any worker can move any page
 * at any time. It is chosen by the capability whose name is its {@link #id()}.
 *
 * <p>The engine writes and reads what all RAM sections share: their headers and footers, the block
 * list's names and lengths, and each end mark that is written. It runs the workers, too: a layout
 * starts no thread. All methods are called on the migration thread, but for {@link Saver#move} and
 * {@link Loader#move}.
 */
@Status(Status.Level.EXPERIMENTAL)
public interface FileLayout extends Provider {
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

    /**
     * Where a block lies in a file.
     *
     * @param bitmapPosition of its bitmap's first byte
     * @param pagesPosition of its first page's first byte
     * @param present which pages are in the file with their content
     */
    @Status(Status.Level.STABLE)
    record Place(long bitmapPosition, long pagesPosition, PageBitmap present) {
        /** Refuses null. */
        public Place {
            Objects.requireNonNull(present, "present");
        }
    }

    /** One save, in the order of its methods. */
    @Status(Status.Level.EXPERIMENTAL)
    interface Saver extends AutoCloseable {
        /**
         * The block's name and used length were just written into the START section: adds what the
         * layout needs there.
         *
         * @param out the main stream
         * @param block the block
         * @throws IOException if the file is lost
         */
        void block(FileOut out, RamBlock block) throws IOException;

        /**
         * The block list is complete: pages are moved from now on.
         *
         * @param out the main stream
         * @throws IOException if the file can't be opened as the options ask
         */
        void begin(FileOut out) throws IOException;

        /**
         * Whether pages go around the page cache, for the statistics; asked after {@link #begin},
         * and once more after {@link #end}.
         *
         * @return by default false
         */
        default boolean direct() {
            return false;
        }

        /**
         * Writes pages to their place. Finds the zero pages, asks {@link Session#permit} for what
         * it writes, keeps the file's bitmap, and counts pages and bytes in {@link
         * Session#counters}. The guest may write to them meanwhile; they are marked dirty then, and
         * come again in a later round.
         *
         * <p>Called by several workers at once, but never for one page by two.
         *
         * @param run at most 1 MiB of pages, or one page
         * @param staging the worker's own
         * @throws IOException if the file is lost
         */
        void move(Run run, Staging staging) throws IOException;

        /**
         * The last page was written; the END section is open.
         *
         * @param out the main stream
         * @throws IOException if the file is lost
         */
        default void end(FileOut out) throws IOException {}

        @Override
        default void close() {}
    }

    /** One load, in the order of its methods. */
    @Status(Status.Level.EXPERIMENTAL)
    interface Loader extends AutoCloseable {
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
         * The block's name and used length were just read from the START section and checked: reads
         * what the layout added there. Nothing is allocated yet.
         *
         * @param in the main stream
         * @param header the block
         * @throws IOException if what it says makes no sense
         */
        void block(FileIn in, BlockHeader header) throws IOException;

        /**
         * The block list is complete and checked: reads the rest of START, its end mark included,
         * and opens the blocks.
         *
         * @param in the main stream
         * @param target where RAM is
         * @throws IOException if the layout makes no sense, or the target refuses
         */
        void open(FileIn in, RamTarget target) throws IOException;

        /**
         * Where a block lies; from {@link #open} on.
         *
         * @param block one that was opened
         * @return empty if the file has no place for it: its source left it out as shared memory
         */
        Optional<Place> place(RamBlock block);

        /**
         * Has all pages moved that the file has, and makes the others zero ({@link
         * org.vmferry.spi.ram.ZeroPages#clear}) and counts them.
         *
         * @param fetch has a run moved, perhaps by another thread, and perhaps later
         * @throws IOException if the migration has failed
         */
        void pages(Fetch fetch) throws IOException;

        /**
         * Reads pages from their place. Counts pages and bytes in {@link Session#counters}.
         *
         * <p>Called by several workers at once, but never for one page by two.
         *
         * @param run of those that were fetched, a part: at most 1 MiB of pages, or one page
         * @param staging the worker's own
         * @throws IOException if the file is lost or too short
         */
        void move(Run run, Staging staging) throws IOException;

        /**
         * Reads the rest of a PART or END section, its end mark included.
         *
         * @param in the main stream
         * @throws IOException if what it holds makes no sense
         */
        void section(FileIn in) throws IOException;

        @Override
        default void close() {}

        /** Who has pages moved. */
        @FunctionalInterface
        @Status(Status.Level.EXPERIMENTAL)
        interface Fetch {
            /**
             * Has a run moved.
             *
             * @param run the first page and the last are there; gaps between are {@link #move}'s to
             *     know
             * @throws IOException if the migration has failed
             */
            void fetch(Run run) throws IOException;
        }
    }
}
