package org.vmferry.spi.doubles;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.layout.FileIn;
import org.vmferry.spi.layout.FileOut;
import org.vmferry.spi.transport.PositionedFile;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A main stream, unbuffered, both ways, over a file. */
public final class TestMain implements FileOut, FileIn, AutoCloseable {
    public final TestFile buffered;
    public final TestFile direct;
    private final FileChannel channel;
    private long position;

    public TestMain(Path path, long start) throws IOException {
        channel =
                FileChannel.open(
                        path,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE);
        buffered = new TestFile(channel, start, 1);
        direct = new TestFile(channel, start, 4096);
        position = start;
    }

    private void put(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) position += channel.write(bytes, position);
    }

    private ByteBuffer get(int count) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(count);
        while (bytes.hasRemaining()) {
            int read = channel.read(bytes, position);
            if (read < 0) throw new EOFException("the stream ends at " + position);
            position += read;
        }
        return bytes.flip();
    }

    @Override
    public void u8(int value) throws IOException {
        put(ByteBuffer.allocate(1).put((byte) value).flip());
    }

    @Override
    public void u16(int value) throws IOException {
        put(ByteBuffer.allocate(2).putShort((short) value).flip());
    }

    @Override
    public void u32(int value) throws IOException {
        put(ByteBuffer.allocate(4).putInt(value).flip());
    }

    @Override
    public void u64(long value) throws IOException {
        put(ByteBuffer.allocate(8).putLong(value).flip());
    }

    @Override
    public int u8() throws IOException {
        return get(1).get() & 0xff;
    }

    @Override
    public int u16() throws IOException {
        return get(2).getShort() & 0xffff;
    }

    @Override
    public int u32() throws IOException {
        return get(4).getInt();
    }

    @Override
    public long u64() throws IOException {
        return get(8).getLong();
    }

    /** Reads into, or writes from, a segment: the two interfaces share the signature. */
    @Override
    public void bytes(MemorySegment segment) throws IOException {
        if (writing) put(segment.asByteBuffer());
        else segment.copyFrom(MemorySegment.ofBuffer(get((int) segment.byteSize())));
    }

    public boolean writing;

    @Override
    public void str8(String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        u8(bytes.length);
        put(ByteBuffer.wrap(bytes));
    }

    @Override
    public String str8() throws IOException {
        return StandardCharsets.UTF_8.decode(get(u8())).toString();
    }

    @Override
    public void flush() {}

    @Override
    public long position() {
        return position;
    }

    @Override
    public void seek(long to) {
        position = to;
    }

    /** Whether its file system does direct-io. */
    public boolean takesDirect = true;

    @Override
    public PositionedFile file(boolean around) throws MigrationException {
        if (around && !takesDirect) throw MigrationException.user("no direct-io here");
        return around ? direct : buffered;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
