package org.vmferry.engine.transport;

import org.jspecify.annotations.Nullable;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file without a name, for what is too much for the heap. Nobody else can open it, so nobody can
 * cut what is mapped of it; it is gone when it is closed, or its process is. Safe for one thread at
 * a time.
 */
@Status(Status.Level.INTERNAL)
public final class ScratchFile implements AutoCloseable {
    private final Path folder;
    private final FileChannel channel;
    private final Arena arena = Arena.ofShared();
    private @Nullable MemorySegment mapped;

    private ScratchFile(Path folder, FileChannel channel) {
        this.folder = folder;
        this.channel = channel;
    }

    /**
     * An empty one.
     *
     * @param folder where there is room for it
     * @return owned by the caller
     * @throws MigrationException if it can't be made there
     */
    public static ScratchFile in(Path folder) throws MigrationException {
        try {
            Path own = ScratchFolder.in(folder);
            try {
                Path file = own.resolve("scratch");
                FileChannel channel =
                        FileChannel.open(
                                file,
                                StandardOpenOption.CREATE_NEW,
                                StandardOpenOption.READ,
                                StandardOpenOption.WRITE);
                Files.delete(file);
                return new ScratchFile(folder, channel);
            } finally {
                Files.delete(own);
            }
        } catch (IOException e) {
            throw wrong("nothing can be kept", folder, e);
        }
    }

    /**
     * Writes all of a buffer.
     *
     * @param source is emptied
     * @param position of its first byte
     * @throws MigrationException if not all could be written: there may be no room
     */
    public void write(ByteBuffer source, long position) throws MigrationException {
        try {
            while (source.hasRemaining()) position += channel.write(source, position);
        } catch (IOException e) {
            String what = "only %d bytes could be kept";
            throw wrong(what.formatted(position), folder, e);
        }
    }

    /**
     * Fills a buffer.
     *
     * @param target with bytes that were written
     * @param position of the first
     * @throws MigrationException if reading failed
     */
    public void read(ByteBuffer target, long position) throws MigrationException {
        try {
            while (target.hasRemaining()) {
                int count = channel.read(target, position);
                if (count < 0) throw new EOFException("it ends at " + position);
                position += count;
            }
        } catch (IOException e) {
            throw wrong("what was kept can't be read", folder, e);
        }
    }

    /**
     * Bytes that were written and won't be again.
     *
     * @return read-only, and valid until this is closed
     * @throws MigrationException if they can't be mapped
     */
    public ByteBuffer view(long position, int length) throws MigrationException {
        try {
            if (mapped == null || mapped.byteSize() < position + length) {
                mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            }
        } catch (IOException e) {
            throw wrong("what was kept can't be mapped", folder, e);
        }
        return mapped.asSlice(position, length).asByteBuffer().asReadOnlyBuffer();
    }

    private static MigrationException wrong(String what, Path folder, IOException why) {
        return new MigrationException(
                Blame.HOST,
                "%s in folder '%s': %s; make room there, or name another folder (--scratch DIR,"
                                .formatted(what, folder, why.getMessage())
                        + " or JAVA_TOOL_OPTIONS=-Djava.io.tmpdir=DIR where a command has no such"
                        + " option)",
                why);
    }

    @Override
    public void close() throws MigrationException {
        arena.close();
        try {
            channel.close();
        } catch (IOException e) {
            throw wrong("what was kept can't be closed", folder, e);
        }
    }
}
