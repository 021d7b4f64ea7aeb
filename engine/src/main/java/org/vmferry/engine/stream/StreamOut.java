package org.vmferry.engine.stream;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.layout.MainOut;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.OutgoingFile;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.Checksum;

/** The main stream over a channel or into a file, through one buffer. */
public final class StreamOut implements MainOut, AutoCloseable {
    private static final int BUFFER = 1 << 18;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory = arena.allocate(BUFFER, 4096);
    private final ByteBuffer buffer = memory.asByteBuffer();
    private final ByteBuffer[] gathered = new ByteBuffer[2];
    private final OutgoingFile end;
    private final Channel channel;
    private final PositionedFile file;
    private Checksum sum; // of all that passes, once it is asked for
    private long position; // of the buffer's first byte
    private volatile long sent;

    /** A stream over a connection, which stays its owner's. */
    public StreamOut(Channel channel) {
        this(null, channel, null);
    }

    /** A stream into the file of a seekable transport, from its start. */
    public StreamOut(OutgoingFile end) throws IOException {
        this(end, null, end.file(false)); // which may fail: before the arena is made
    }

    private StreamOut(OutgoingFile end, Channel channel, PositionedFile file) {
        this.end = end;
        this.channel = channel;
        this.file = file;
        if (file != null) position = file.start();
    }

    /** How many bytes have left the buffer; any thread may ask. */
    public long sent() {
        return sent;
    }

    /** From here on whatever is written goes into a checksum too, when it leaves the buffer. */
    public void sum(Checksum checksum) throws IOException {
        flush();
        sum = checksum;
    }

    @Override
    public void u8(int value) throws IOException {
        room(1).put((byte) value);
    }

    @Override
    public void u16(int value) throws IOException {
        room(2).putShort((short) value);
    }

    @Override
    public void u32(int value) throws IOException {
        room(4).putInt(value);
    }

    @Override
    public void u64(long value) throws IOException {
        room(8).putLong(value);
    }

    @Override
    public void str8(String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > 255) {
            throw MigrationException.host(
                    "the name '%s' has %d bytes of UTF-8, allowed are 255", text, bytes.length);
        }
        u8(bytes.length);
        room(bytes.length).put(bytes);
    }

    @Override
    public void bytes(MemorySegment bytes) throws IOException {
        long length = bytes.byteSize();
        if (length <= BUFFER / 2) {
            room((int) length);
            MemorySegment.copy(bytes, 0, memory, buffer.position(), length);
            buffer.position(buffer.position() + (int) length);
            return;
        }
        for (long done = 0; done < length; ) {
            long step = Math.min(1 << 30, length - done);
            send(bytes.asSlice(done, step).asByteBuffer());
            done += step;
        }
    }

    private ByteBuffer room(int bytes) throws IOException {
        if (buffer.remaining() < bytes) flush();
        return buffer;
    }

    @Override
    public void flush() throws IOException {
        send(null);
    }

    /** Sends what is buffered, and then more. */
    private void send(ByteBuffer more) throws IOException {
        buffer.flip();
        long length = buffer.remaining() + (more == null ? 0 : more.remaining());
        if (sum != null) {
            sum.update(buffer.duplicate());
            if (more != null) sum.update(more.duplicate());
        }
        if (file != null) {
            long next = position + buffer.remaining();
            if (buffer.hasRemaining()) file.write(buffer, position);
            if (more != null) file.write(more, next);
        } else if (more == null) {
            while (buffer.hasRemaining()) channel.write(buffer);
        } else {
            gathered[0] = buffer;
            gathered[1] = more;
            while (more.hasRemaining()) channel.write(gathered, 0, 2);
            gathered[1] = null;
        }
        buffer.clear();
        position += length;
        sent += length; // one writer
    }

    @Override
    public long position() {
        return position + buffer.position();
    }

    @Override
    public void seek(long position) throws IOException {
        if (file == null) throw new UnsupportedOperationException("a channel can't seek");
        flush();
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
