package org.vmferry.spi.transport;

import org.vmferry.spi.Status;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * A file whose bytes are written and read at positions, by many threads at once through one
 * descriptor. Positions count from the file's beginning, in bytes. Its maker closes it.
 */
@Status(Status.Level.STABLE)
public interface PositionedFile {
    /**
     * Where the migration's stream begins.
     *
     * @return 0, or the address's offset
     */
    long start();

    /**
     * What buffer address, position and length of every transfer must be a multiple of.
     *
     * @return 1 for any; more for direct-io
     */
    int alignment();

    /**
     * Writes all of a buffer.
     *
     * @param source is emptied
     * @param position of its first byte
     * @throws IOException if not all could be written
     */
    void write(ByteBuffer source, long position) throws IOException;

    /**
     * Reads until the buffer is full or the file ends.
     *
     * @param target is filled
     * @param position of its first byte
     * @return how many bytes were read; fewer than there was room for only at the file's end
     * @throws IOException if reading failed
     */
    int read(ByteBuffer target, long position) throws IOException;

    /**
     * How long the file is now.
     *
     * @return bytes
     * @throws IOException if it cannot be told
     */
    long size() throws IOException;

    /**
     * Cuts or extends the file; an extension is a hole.
     *
     * @param size bytes
     * @throws IOException if that failed
     */
    void resize(long size) throws IOException;

    /**
     * Maps a part of the file copy-on-write. Pages that nobody has written to yet are the file's,
     * so the transport refuses to write over them or cut them off as long as the mapping lives; to
     * replace the file is no harm.
     *
     * @param position a multiple of the system's page size
     * @param length bytes; lies within the file
     * @param arena who owns the mapping
     * @return the memory; empty if this file can't be mapped
     * @throws IOException if the system refused, or these bytes are being written
     */
    default Optional<MemorySegment> map(long position, long length, Arena arena)
            throws IOException {
        return Optional.empty();
    }

    /**
     * Where the next bytes stand that may be other than zero: holes before it are known to read as
     * zeros.
     *
     * @param position where to look from
     * @return at least {@code position}, which is also the answer if nothing is known; the file's
     *     size if only holes follow
     * @throws IOException if it cannot be told
     */
    default long nextData(long position) throws IOException {
        return position;
    }
}
