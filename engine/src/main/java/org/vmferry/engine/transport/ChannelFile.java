package org.vmferry.engine.transport;

import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.util.Optional;

/** One descriptor of an {@link OpenFile}. */
final class ChannelFile implements PositionedFile, AutoCloseable {
    private final OpenFile file;
    private final FileChannel channel;
    private final int alignment;

    ChannelFile(OpenFile file, FileChannel channel, int alignment) {
        this.file = file;
        this.channel = channel;
        this.alignment = alignment;
    }

    @Override
    public long start() {
        return file.start();
    }

    @Override
    public int alignment() {
        return alignment;
    }

    @Override
    public void write(ByteBuffer source, long position) throws IOException {
        align(source, position);
        try {
            while (source.hasRemaining()) {
                file.check();
                file.claimUpTo(position + source.remaining());
                int written = channel.write(source, position);
                if (written <= 0 || source.hasRemaining() && written % alignment != 0) {
                    throw new IOException("only " + written + " bytes were taken");
                }
                position += written;
            }
        } catch (IOException e) {
            if (Trouble.full(e) && Files.isRegularFile(file.path())) {
                throw Trouble.noRoom(
                        file.named(),
                        source.remaining() + " more bytes at " + position,
                        file.folder(),
                        e);
            }
            throw trouble("write " + source.remaining() + " bytes at " + position + " of", e);
        }
    }

    @Override
    public int read(ByteBuffer target, long position) throws IOException {
        align(target, position);
        int before = target.position();
        try {
            while (target.hasRemaining()) {
                file.check();
                int read = channel.read(target, position);
                // Less than a whole block comes at the file's end only.
                if (read < 0 || read % alignment != 0) break;
                position += read;
            }
        } catch (IOException e) {
            throw trouble("read " + target.remaining() + " bytes at " + position + " of", e);
        }
        return target.position() - before;
    }

    private void align(ByteBuffer buffer, long position) {
        if (alignment == 1) return;
        if (!buffer.isDirect()
                || buffer.alignmentOffset(buffer.position(), alignment) != 0
                || buffer.remaining() % alignment != 0
                || position % alignment != 0) {
            throw new IllegalArgumentException(
                    "direct-io on '%s' needs buffer address, length and position in multiples of %d: %s at %d"
                            .formatted(file.named(), alignment, buffer, position));
        }
    }

    private IOException trouble(String what, IOException e) {
        if (e instanceof ClosedChannelException) {
            return Trouble.transport("can't " + what + " '" + file.named() + "': it is closed", e);
        }
        return Trouble.explain(what, file.named(), e);
    }

    @Override
    public long size() throws IOException {
        return file.size();
    }

    @Override
    public void resize(long size) throws IOException {
        file.check();
        try {
            long now = channel.size();
            if (size == now) return;
            if (!Files.isRegularFile(file.path())) {
                // A device has the size that it has.
                if (size < now || now == 0) return;
                throw new IOException("the device has " + now + " bytes only");
            }
            if (size < now) channel.truncate(size);
            else file.extend(size);
        } catch (IOException e) {
            throw trouble("resize to " + size + " bytes", e);
        }
    }

    @Override
    public Optional<MemorySegment> map(long position, long length, Arena arena) throws IOException {
        return file.map(position, length, arena);
    }

    @Override
    public long nextData(long position) throws IOException {
        return file.nextData(position);
    }

    void force() throws IOException {
        channel.force(true);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
