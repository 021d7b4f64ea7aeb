package org.vmferry.engine.stream;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.Checksum;

/** The main stream over a channel, through one buffer. Integers are big-endian. */
public sealed class StreamOut implements AutoCloseable permits FileStreamOut {
    private static final int BUFFER = 1 << 18;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory = arena.allocate(BUFFER, 4096);
    private final ByteBuffer buffer = memory.asByteBuffer();
    private final ByteBuffer[] gathered = new ByteBuffer[2];
    private final Channel channel;
    private Checksum sum; // of all that passes, once it is asked for
    private long position; // of the buffer's first byte
    private volatile long sent;

    /** A stream over a connection, which stays its owner's. */
    public StreamOut(Channel channel) {
        this.channel = channel;
    }

    /** A stream that goes elsewhere. */
    StreamOut(long start) {
        channel = null;
        position = start;
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

    /** Writes a byte. */
    public void u8(int value) throws IOException {
        room(1).put((byte) value);
    }

    /** Writes 2 bytes. */
    public void u16(int value) throws IOException {
        room(2).putShort((short) value);
    }

    /** Writes 4 bytes. */
    public void u32(int value) throws IOException {
        room(4).putInt(value);
    }

    /** Writes 8 bytes. */
    public void u64(long value) throws IOException {
        room(8).putLong(value);
    }

    /** Writes a length byte and a string of at most 255 bytes of UTF-8. */
    public void str8(String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > 255) {
            throw MigrationException.host(
                    "the name '%s' has %d bytes of UTF-8, allowed are 255", text, bytes.length);
        }
        u8(bytes.length);
        room(bytes.length).put(bytes);
    }

    /** Writes bytes. Large ones are not copied: they are on their way when this returns. */
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

    /** Sends what is still in the buffer on its way. */
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
        write(buffer, more, position);
        buffer.clear();
        position += length;
        sent += length; // one writer
    }

    /** Writes both, the second unless it is null, from a place on. */
    void write(ByteBuffer first, ByteBuffer more, long position) throws IOException {
        if (more == null) {
            while (first.hasRemaining()) channel.write(first);
            return;
        }
        gathered[0] = first;
        gathered[1] = more;
        while (more.hasRemaining()) channel.write(gathered, 0, 2);
        gathered[1] = null;
    }

    /** Where the next byte goes: bytes since the stream's beginning; in a file, its position. */
    public long position() {
        return position + buffer.position();
    }

    /** Goes on at another place. */
    final void goTo(long place) throws IOException {
        flush();
        position = place;
    }

    @Override
    public void close() {
        arena.close();
    }
}
