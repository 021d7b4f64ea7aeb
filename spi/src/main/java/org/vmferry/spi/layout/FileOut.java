package org.vmferry.spi.layout;

import org.vmferry.spi.Handed;
import org.vmferry.spi.Status;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * The main stream, being written into a file. Integers are big-endian. Used by the migration thread
 * only.
 */
@Handed
@Status(Status.Level.STABLE)
public interface FileOut {
    /**
     * Writes a byte.
     *
     * @param value its low 8 bits
     * @throws IOException if the stream is lost
     */
    void u8(int value) throws IOException;

    /**
     * Writes 2 bytes.
     *
     * @param value its low 16 bits
     * @throws IOException if the stream is lost
     */
    void u16(int value) throws IOException;

    /**
     * Writes 4 bytes.
     *
     * @param value all 32 bits
     * @throws IOException if the stream is lost
     */
    void u32(int value) throws IOException;

    /**
     * Writes 8 bytes.
     *
     * @param value all 64 bits
     * @throws IOException if the stream is lost
     */
    void u64(long value) throws IOException;

    /**
     * Writes bytes. Large ones are not copied; they are on their way, or copied, when this returns.
     *
     * @param bytes all of it
     * @throws IOException if the stream is lost
     */
    void bytes(MemorySegment bytes) throws IOException;

    /**
     * Writes a length byte and the bytes of a string.
     *
     * @param text at most 255 bytes of UTF-8
     * @throws IOException if the stream is lost
     */
    void str8(String text) throws IOException;

    /**
     * Sends what is still in a buffer on its way.
     *
     * @throws IOException if the stream is lost
     */
    void flush() throws IOException;

    /**
     * Where the next byte goes.
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
