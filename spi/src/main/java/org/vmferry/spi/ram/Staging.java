package org.vmferry.spi.ram;

import org.jspecify.annotations.Nullable;
import org.vmferry.spi.Status;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * A buffer on the way between a block and a file or channel: for blocks that are no native memory,
 * and for direct-io with memory that is not aligned. For one thread at a time. Its memory is taken
 * when it is first needed, and freed by {@link #close}.
 */
@Status(Status.Level.STABLE)
public final class Staging implements AutoCloseable {
    /** Transfers are at most this long, in bytes, unless one page is longer. */
    public static final int TRANSFER = 1 << 20;

    /** At least a page of the system, so that direct-io takes it anywhere. */
    private static final int ALIGNMENT = 4096;

    // Shared, because it may be made by one thread and used and closed by another.
    private @Nullable Arena arena;
    private MemorySegment buffer = MemorySegment.NULL;

    /** Holds no memory yet. */
    public Staging() {}

    /**
     * How many pages go into one transfer.
     *
     * @param pageSize bytes in a page
     * @return at least 1
     */
    public static int pages(int pageSize) {
        return Math.max(1, TRANSFER / pageSize);
    }

    /**
     * The buffer.
     *
     * @param bytes how many are needed
     * @return as many, valid until this is asked again; they hold anything
     */
    public MemorySegment buffer(long bytes) {
        return buffer(bytes, 1);
    }

    /**
     * The buffer, aligned.
     *
     * @param bytes how many are needed
     * @param alignment of its first byte, a power of two
     * @return as many, valid until this is asked again; they hold anything
     */
    public MemorySegment buffer(long bytes, int alignment) {
        if (buffer.byteSize() < bytes || buffer.address() % alignment != 0) {
            close();
            arena = Arena.ofShared();
            buffer = arena.allocate(Math.max(bytes, TRANSFER), Math.max(ALIGNMENT, alignment));
        }
        return buffer.asSlice(0, bytes);
    }

    /**
     * A run's bytes: the block's own memory, in which the guest may write meanwhile, or a copy
     * here.
     *
     * @param run which pages
     * @return all of them, valid until the buffer is asked for again
     */
    public MemorySegment bytes(Run run) {
        Optional<MemorySegment> memory = run.block().memory();
        if (memory.isPresent()) return memory.get().asSlice(run.offset(), run.bytes());
        MemorySegment copy = buffer(run.bytes());
        run.block().read(run.offset(), copy);
        return copy;
    }

    @Override
    public void close() {
        if (arena == null) return;
        buffer = MemorySegment.NULL;
        arena.close();
        arena = null;
    }
}
