package org.vmferry.spi.doubles;

import static org.assertj.core.api.Assertions.assertThat;

import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** A real file; refuses what O_DIRECT with this alignment would refuse, and counts. */
public final class TestFile implements PositionedFile {
    public final AtomicInteger writes = new AtomicInteger();
    public final AtomicInteger reads = new AtomicInteger();
    public final AtomicInteger holeQuestions = new AtomicInteger();
    public boolean mappable = true;

    /** After so many writes it refuses them: a part of one is done. */
    public int takes = Integer.MAX_VALUE;

    private final FileChannel channel;
    private final long start;
    private final int alignment;

    public TestFile(FileChannel channel, long start, int alignment) {
        this.channel = channel;
        this.start = start;
        this.alignment = alignment;
    }

    @Override
    public long start() {
        return start;
    }

    @Override
    public int alignment() {
        return alignment;
    }

    private void check(ByteBuffer buffer, long position) {
        assertThat(buffer.remaining()).isBetween(1, 1 << 20);
        if (alignment == 1) return;
        assertThat(buffer.isDirect()).isTrue();
        assertThat(MemorySegment.ofBuffer(buffer).address() % alignment).isZero();
        assertThat(buffer.remaining() % alignment).isZero();
        assertThat(position % alignment).isZero();
    }

    @Override
    public void write(ByteBuffer source, long position) throws IOException {
        check(source, position);
        if (writes.incrementAndGet() > takes) {
            channel.write(source.limit(source.limit() / 2), position);
            throw new IOException("Invalid argument");
        }
        while (source.hasRemaining()) position += channel.write(source, position);
    }

    @Override
    public int read(ByteBuffer target, long position) throws IOException {
        check(target, position);
        reads.incrementAndGet();
        int total = 0;
        while (target.hasRemaining()) {
            int count = channel.read(target, position + total);
            if (count < 0) break;
            total += count;
        }
        return total;
    }

    @Override
    public long size() throws IOException {
        return channel.size();
    }

    @Override
    public void resize(long size) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Optional<MemorySegment> map(long position, long length, Arena arena) throws IOException {
        assertThat(position % 4096).isZero();
        assertThat(length).isLessThanOrEqualTo(size() - position);
        if (!mappable) return Optional.empty();
        return Optional.of(channel.map(MapMode.PRIVATE, position, length, arena));
    }

    /** As a file system with blocks of 4 KiB answers, of which those with only zeros are holes. */
    @Override
    public long nextData(long position) throws IOException {
        holeQuestions.incrementAndGet();
        ByteBuffer block = ByteBuffer.allocate(4096);
        for (long at = position; at < channel.size(); at = (at | 4095) + 1) {
            block.clear().limit((int) (4096 - (at & 4095)));
            channel.read(block, at);
            for (int i = 0; i < block.position(); i++) if (block.get(i) != 0) return at;
        }
        return channel.size();
    }
}
