package org.vmferry.engine.stream;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.layout.MainIn;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.PositionedFile;
import org.vmferry.spi.transport.TransportProvider.Incoming;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** The main stream from a channel or out of a file, through one buffer. */
public final class StreamIn implements MainIn, AutoCloseable {
    private static final int BUFFER = 1 << 18;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory = arena.allocate(BUFFER, 4096);
    private final ByteBuffer buffer = memory.asByteBuffer().limit(0);
    private final Incoming end;
    private final Channel channel;
    private final PositionedFile file;
    private long position; // of the byte after the buffer's last
    private volatile long received;

    /** A stream over a connection, which stays its owner's. */
    public StreamIn(Channel channel) {
        this(null, channel, null);
    }

    /** A stream out of the file of a seekable transport, from its start. */
    public StreamIn(Incoming end) throws IOException {
        this(end, null, end.file(false)); // which may fail: before the arena is made
    }

    private StreamIn(Incoming end, Channel channel, PositionedFile file) {
        this.end = end;
        this.channel = channel;
        this.file = file;
        if (file != null) position = file.start();
    }

    /** How many bytes have come in; any thread may ask. */
    public long received() {
        return received;
    }

    @Override
    public int u8() throws IOException {
        return need(1).get() & 0xff;
    }

    @Override
    public int u16() throws IOException {
        return need(2).getShort() & 0xffff;
    }

    @Override
    public int u32() throws IOException {
        return need(4).getInt();
    }

    @Override
    public long u64() throws IOException {
        return need(8).getLong();
    }

    @Override
    public String str8() throws IOException {
        long at = position();
        int length = u8();
        need(length);
        ByteBuffer text = buffer.slice(buffer.position(), length);
        buffer.position(buffer.position() + length);
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(text).toString();
        } catch (CharacterCodingException e) {
            throw MigrationException.peer("the name at %d is no UTF-8", at);
        }
    }

    /** Whether the stream ends here; reads ahead, and so may block. */
    public boolean atEnd() throws IOException {
        return !buffer.hasRemaining() && !fill();
    }

    @Override
    public void bytes(MemorySegment target) throws IOException {
        long length = target.byteSize();
        long done = Math.min(buffer.remaining(), length);
        MemorySegment.copy(memory, buffer.position(), target, 0, done);
        buffer.position(buffer.position() + (int) done);
        while (done < length) {
            if (length - done < BUFFER / 2 || !target.isNative()) {
                int step = (int) Math.min(length - done, BUFFER / 2);
                need(step);
                MemorySegment.copy(memory, buffer.position(), target, done, step);
                buffer.position(buffer.position() + step);
                done += step;
            } else {
                ByteBuffer rest =
                        target.asSlice(done, Math.min(1 << 30, length - done)).asByteBuffer();
                int count = read(rest);
                if (count < 0) throw ended(length - done);
                done += count;
            }
        }
    }

    private ByteBuffer need(int bytes) throws IOException {
        while (buffer.remaining() < bytes) if (!fill()) throw ended(bytes - buffer.remaining());
        return buffer;
    }

    /** Reads at least a byte behind those in the buffer; false at the stream's end. */
    private boolean fill() throws IOException {
        // Moved to the front only for want of room: small reads would move all of it each time.
        if (!buffer.hasRemaining()) buffer.position(0).limit(0);
        else if (buffer.limit() == BUFFER) buffer.compact().flip();
        int from = buffer.position();
        buffer.position(buffer.limit()).limit(BUFFER);
        try {
            return read(buffer) > 0;
        } finally {
            buffer.limit(buffer.position()).position(from);
        }
    }

    private int read(ByteBuffer target) throws IOException {
        int count = file != null ? file.read(target, position) : channel.read(target);
        if (count <= 0) return -1;
        position += count;
        received += count; // one reader
        return count;
    }

    private MigrationException ended(long missing) {
        return MigrationException.peer(
                "the stream ends at %d, %d bytes short of what was announced: it was cut short, or"
                        + " its source was cancelled or ended",
                position, missing);
    }

    @Override
    public long position() {
        return position - buffer.remaining();
    }

    @Override
    public void seek(long position) throws IOException {
        if (file == null) throw new UnsupportedOperationException("a channel can't seek");
        buffer.position(0).limit(0);
        this.position = position;
    }

    @Override
    public PositionedFile file(boolean direct) throws IOException {
        if (end == null) throw new UnsupportedOperationException("a channel is no file");
        return end.file(direct);
    }

    @Override
    public void close() {
        arena.close();
    }
}
