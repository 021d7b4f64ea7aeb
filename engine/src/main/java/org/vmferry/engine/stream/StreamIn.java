package org.vmferry.engine.stream;

import org.vmferry.spi.Joined;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Printable;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * The main stream from a channel, through one buffer. Integers are big-endian. Its end in the
 * middle of something is an error that names the position.
 */
public sealed class StreamIn implements AutoCloseable permits FileStreamIn {
    private static final int BUFFER = 1 << 18;
    private static final int ROOM = 1 << 16;

    private Arena arena = Arena.ofShared(); // the buffer's
    private MemorySegment memory = arena.allocate(BUFFER, 4096);
    private ByteBuffer buffer = memory.asByteBuffer().limit(0);
    private final Channel channel;
    private long position; // of the byte after the buffer's last
    private volatile long received;
    private Ahead ahead; // nobody else reads from the channel while it is there

    /** A stream over a connection, which stays its owner's. */
    public StreamIn(Channel channel) {
        this.channel = channel;
    }

    /** A stream that comes from elsewhere. */
    StreamIn(long start) {
        channel = null;
        position = start;
    }

    /** How many bytes have come in; any thread may ask. */
    public long received() {
        return received;
    }

    /** Reads a byte. */
    public int u8() throws IOException {
        return need(1).get() & 0xff;
    }

    /**
     * Passes 8 bytes if they are such and have come already; waits for nothing.
     *
     * @param word what may stand there
     * @return whether it did
     */
    public boolean takes(long word) {
        boolean there =
                buffer.remaining() >= Long.BYTES && buffer.getLong(buffer.position()) == word;
        if (there) buffer.position(buffer.position() + Long.BYTES);
        return there;
    }

    /** Reads 2 bytes, unsigned. */
    public int u16() throws IOException {
        return need(2).getShort() & 0xffff;
    }

    /** Reads 4 bytes. */
    public int u32() throws IOException {
        return need(4).getInt();
    }

    /** Reads 8 bytes. */
    public long u64() throws IOException {
        return need(8).getLong();
    }

    /** Reads a length byte and so many bytes of UTF-8. */
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

    /**
     * A byte that is to come, which stays to be read; waits for it.
     *
     * @param ahead how many stand before it
     */
    int peek(int ahead) throws IOException {
        need(ahead + 1);
        return buffer.get(buffer.position() + ahead) & 0xff;
    }

    /** The 4 bytes that are to come, which stay to be read; waits for them one after another. */
    int peekInt() throws IOException {
        int value = 0;
        for (int i = 0; i < Integer.BYTES; i++) value = value << 8 | peek(i);
        return value;
    }

    /** Drops what has come and was not read. */
    public void drop() {
        buffer.position(buffer.limit());
    }

    /** Whether the stream ends here; reads ahead, and so may block. */
    public boolean atEnd() throws IOException {
        return isDry() && !fill();
    }

    /** Whether all that has come was read: the next byte may have to be waited for. */
    public boolean isDry() {
        return !buffer.hasRemaining();
    }

    /**
     * Waits for a byte, or the stream's end. What comes later than that is not lost: it is read as
     * ever.
     *
     * @param ms for how long
     * @return false if neither came
     */
    public boolean comes(long ms) throws IOException {
        return !isDry() || moreComes(ms);
    }

    /**
     * As {@link #comes}, but waits for a byte behind those that have come.
     *
     * @param ms for how long
     * @return false if neither came
     */
    public boolean moreComes(long ms) throws IOException {
        if (ahead == null) ahead = new Ahead();
        if (!ahead.isDone(ms)) return false;
        fill();
        return true;
    }

    /**
     * Looks at what comes next and leaves it to be read.
     *
     * @param count bytes that are waited for
     * @return at least as many, or all that the stream still has; valid until this is asked again,
     *     or something is read
     */
    public ByteBuffer ahead(int count) throws IOException {
        if (count > buffer.capacity()) grow(count);
        while (buffer.remaining() < count && fill()) {}
        return buffer.slice().asReadOnlyBuffer();
    }

    private void grow(int count) {
        Arena wider = Arena.ofShared();
        MemorySegment larger = wider.allocate(Math.max(count, 2L * buffer.capacity()), 4096);
        ByteBuffer next = larger.asByteBuffer();
        next.put(buffer).flip();
        arena.close();
        arena = wider;
        memory = larger;
        buffer = next;
    }

    /** Fills a segment. */
    public void bytes(MemorySegment target) throws IOException {
        long length = target.byteSize();
        long done = Math.min(buffer.remaining(), length);
        MemorySegment.copy(memory, buffer.position(), target, 0, done);
        buffer.position(buffer.position() + (int) done);
        while (done < length) {
            if (ahead != null || length - done < BUFFER / 2 || !target.isNative()) {
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
        while (buffer.remaining() < bytes) {
            if (!fill()) throw ended(bytes - buffer.remaining());
        }
        return buffer;
    }

    /** Reads at least a byte behind those in the buffer; false at the stream's end. */
    final boolean fill() throws IOException {
        // Moved to the front only for want of room: small reads would move all of it each time.
        if (!buffer.hasRemaining()) buffer.position(0).limit(0);
        else if (buffer.limit() == buffer.capacity()) buffer.compact().flip();
        if (ahead != null) return absorb();
        int from = buffer.position();
        buffer.position(buffer.limit()).limit(buffer.capacity());
        try {
            return read(buffer) > 0;
        } finally {
            buffer.limit(buffer.position()).position(from);
        }
    }

    /** Takes what was read ahead. */
    private boolean absorb() throws IOException {
        Ahead reading = ahead;
        int count = reading.result();
        ahead = null;
        if (count > buffer.capacity() - buffer.limit()) {
            if (count > buffer.capacity() - buffer.remaining()) grow(buffer.remaining() + count);
            else buffer.compact().flip();
        }
        int from = buffer.position();
        buffer.position(buffer.limit()).limit(buffer.capacity());
        buffer.put(reading.room.flip());
        buffer.limit(buffer.position()).position(from);
        came(count);
        reading.close();
        return count > 0;
    }

    private int read(ByteBuffer target) throws IOException {
        int count = read(target, position);
        if (count <= 0) return -1;
        came(count);
        return count;
    }

    /** How many of the bytes that have come are holes in a file. */
    long holes() {
        return 0;
    }

    /** Reads what comes from a place on; 0 or less at the end. */
    int read(ByteBuffer target, long position) throws IOException {
        return channel.read(target);
    }

    /** Reads on from another place. */
    final void goTo(long place) {
        drop();
        position = place;
    }

    private void came(int count) {
        position += count;
        received += count; // one thread
    }

    private MigrationException ended(long missing) {
        return MigrationException.peer(
                "the stream ends at %d, %d bytes short of what was announced: it was cut short, or"
                        + " its source was cancelled or ended",
                position, missing);
    }

    /**
     * Where the next byte comes from: bytes since the stream's beginning; in a file, its position.
     */
    public long position() {
        return position - buffer.remaining();
    }

    @Override
    public void close() {
        if (ahead != null) {
            channel.release();
            ahead.end();
            ahead.close();
        }
        arena.close();
    }

    /**
     * A thread that reads once, for who can't wait for it as long as it takes. What came before can
     * be read meanwhile.
     */
    private final class Ahead implements AutoCloseable {
        private final Arena own = Arena.ofShared();
        private final ByteBuffer room = own.allocate(ROOM).asByteBuffer();
        private final FutureTask<Integer> reading =
                new FutureTask<>(() -> Math.max(0, channel.read(room)));
        private final Thread thread =
                new Thread(reading, Printable.line("vmferry-ahead-" + channel.peer()));

        Ahead() {
            thread.setDaemon(true);
            thread.start();
        }

        boolean isDone(long ms) throws IOException {
            try {
                thread.join(Duration.ofMillis(ms));
            } catch (InterruptedException e) {
                throw interrupted(e);
            }
            return reading.isDone();
        }

        int result() throws IOException {
            try {
                return reading.get();
            } catch (InterruptedException e) {
                throw interrupted(e);
            } catch (ExecutionException e) {
                if (e.getCause() instanceof IOException io) throw io;
                throw MigrationException.of(e.getCause());
            }
        }

        private IOException interrupted(InterruptedException e) {
            Thread.currentThread().interrupt();
            return new IOException("interrupted while reading from " + channel.peer(), e);
        }

        /** When it has ended. */
        @Override
        public void close() {
            own.close();
        }

        /** The channel was let go: it ends at once. */
        void end() {
            Joined.all(List.of(thread));
        }
    }
}
