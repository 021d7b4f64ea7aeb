package org.vmferry.spi.layout;

import org.vmferry.spi.Handed;
import org.vmferry.spi.Status;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * The main stream, being read from a file. Integers are big-endian. Its end in the middle of
 * something is an error that names the position. Used by the migration thread only.
 */
@Handed
@Status(Status.Level.STABLE)
public interface FileIn {
    /**
     * Reads a byte.
     *
     * @return 0 to 255
     * @throws IOException if the stream ends or is lost
     */
    int u8() throws IOException;

    /**
     * Reads 2 bytes.
     *
     * @return 0 to 65535
     * @throws IOException if the stream ends or is lost
     */
    int u16() throws IOException;

    /**
     * Reads 4 bytes.
     *
     * @return all 32 bits
     * @throws IOException if the stream ends or is lost
     */
    int u32() throws IOException;

    /**
     * Reads 8 bytes.
     *
     * @return all 64 bits
     * @throws IOException if the stream ends or is lost
     */
    long u64() throws IOException;

    /**
     * Fills a segment.
     *
     * @param target all of it
     * @throws IOException if the stream ends or is lost
     */
    void bytes(MemorySegment target) throws IOException;

    /**
     * Reads a length byte and a string of so many bytes.
     *
     * @return the string
     * @throws IOException if the stream ends, is lost, or the bytes are no UTF-8
     */
    String str8() throws IOException;

    /**
     * Where the next byte comes from.
     *
     * @return its position in the file
     */
    long position();

    /**
     * Goes on at another place.
     *
     * @param position in the file
     * @throws IOException if the stream is lost
     */
    void seek(long position) throws IOException;

    /**
     * The file under the stream.
     *
     * @param direct around the page cache
     * @return never null
     * @throws IOException if it can't be opened so
     */
    PositionedFile file(boolean direct) throws IOException;
}
