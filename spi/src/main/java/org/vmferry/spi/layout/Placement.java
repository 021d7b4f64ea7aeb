package org.vmferry.spi.layout;

import org.vmferry.spi.Status;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;

import java.io.IOException;
import java.util.Optional;

/**
 * Where pages go to or come from, as a layout tells a carrier: into the stream as records, or each
 * to its own place.
 */
@Status(Status.Level.STABLE)
public sealed interface Placement {
    /** Pages go one after another: into the main stream, or into a carrier's own channels. */
    @Status(Status.Level.STABLE)
    non-sealed interface Framed extends Placement {
        /**
         * The main stream's records; only on save. On load the layout itself reads them.
         *
         * @return used by the migration thread only
         */
        MainRecords records();
    }

    /**
     * Every page has its own place in the file, so that any worker can move any run at any time.
     */
    @Status(Status.Level.STABLE)
    non-sealed interface Placed extends Placement {
        /**
         * A mover for one worker.
         *
         * @return owned by the caller, who closes it
         * @throws IOException if the file can't be opened
         */
        RunMover mover() throws IOException;

        /**
         * Where a block lies, for who looks into a snapshot; only on load.
         *
         * @param block one that the layout opened
         * @return its place in the file; empty if it can't be told
         */
        default Optional<Place> place(RamBlock block) {
            return Optional.empty();
        }
    }

    /**
     * Where a block lies in a file.
     *
     * @param bitmapPosition of its bitmap's first byte
     * @param pagesPosition of its first page's first byte
     * @param present which pages are in the file with their content
     */
    @Status(Status.Level.STABLE)
    record Place(long bitmapPosition, long pagesPosition, PageBitmap present) {}

    /** Records in the main stream. */
    @Status(Status.Level.STABLE)
    interface MainRecords {
        /**
         * Writes pages with their content.
         *
         * @param run none of it is looked at
         * @throws IOException if the stream is lost
         */
        void pages(Run run) throws IOException;

        /**
         * Writes that pages are zero.
         *
         * @param run all zero
         * @throws IOException if the stream is lost
         */
        void zeros(Run run) throws IOException;
    }

    /**
     * Moves runs between a block and their place: into the file on save, out of it on load. For one
     * thread; has its own buffers.
     */
    @Status(Status.Level.STABLE)
    interface RunMover extends AutoCloseable {
        /**
         * Moves a run. On save it finds the zero pages, asks {@link
         * org.vmferry.spi.session.Session#permit} for what it writes, and keeps the file's bitmap;
         * on load the run is one that the layout gave to {@link
         * org.vmferry.spi.carrier.PageCarrier.Receiver#fetch}. Counts what it did.
         *
         * @param run which pages
         * @throws IOException if the file is lost or too short
         */
        void move(Run run) throws IOException;

        @Override
        void close();
    }
}
