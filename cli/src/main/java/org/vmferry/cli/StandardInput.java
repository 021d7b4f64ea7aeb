package org.vmferry.cli;

import org.vmferry.cli.input.WindowedFile;
import org.vmferry.engine.system.Inode;
import org.vmferry.spi.MigrationException;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What comes through standard input, a pipe as a rule, and is read once. Who waits for bytes is let
 * go by {@link #release}.
 */
final class StandardInput extends WindowedFile {
    /** What was typed for it. */
    static final Path TYPED = Path.of("-");

    /** Its name in messages. */
    static final Path NAME = Path.of("standard input");

    /** A file's own name for itself, where it is one. */
    private static final Path NODE = Path.of("/dev/stdin");

    private final ReadableByteChannel source;

    /** Over what is open; it is this object's from now on. */
    StandardInput(ReadableByteChannel source) {
        super(NAME.toString());
        this.source = source;
    }

    /**
     * Recognises what standard input brings.
     *
     * @param offset where to look for a stream, from where it stands
     * @param release is told what ends the waiting for bytes
     * @return owned by the caller
     */
    static Snapshot open(long offset, Consumer<Runnable> release) throws IOException {
        FileChannel channel = new FileInputStream(FileDescriptor.in).getChannel();
        Optional<Path> file = file();
        if (file.isPresent()) return Snapshot.open(file.get(), channel.position() + offset);
        StandardInput input = new StandardInput(channel);
        release.accept(input::release);
        return Snapshot.once(NAME, input, offset);
    }

    /** Under which name it can be opened anew, and read at any place; empty if it is a pipe. */
    private static Optional<Path> file() {
        try {
            Path real = NODE.toRealPath();
            boolean placed = Files.isRegularFile(real) || Inode.device(real).isPresent();
            return placed && Files.isReadable(real) ? Optional.of(real) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty(); // a pipe has no name
        }
    }

    @Override
    protected int more(ByteBuffer target) throws IOException {
        return source.read(target);
    }

    @Override
    protected void again(long position, long come) throws IOException {
        throw MigrationException.user(
                "%s is read once, and byte %d is asked for again when %d have come: write it to a"
                        + " file first",
                NAME, position, come);
    }

    /** Not under this object's lock: who holds it may wait for bytes. */
    @Override
    public void release() {
        try {
            source.close();
        } catch (IOException e) {
            // It is read no more.
        }
    }

    @Override
    public void close() {
        release();
    }
}
