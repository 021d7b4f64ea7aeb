package org.vmferry.mappedram;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A buffer on the way between a block and the file, for one thread at a time: for blocks that are
 * no native memory, and for direct-io with memory that is not aligned. Taken when first needed.
 */
final class Staging implements AutoCloseable {
    /** Transfers are at most this long, unless one page is longer. */
    static final int TRANSFER = 1 << 20;

    /** At least a page of the system, so that direct-io takes it anywhere. */
    private static final int ALIGNMENT = 4096;

    // Shared, because a mover may be made by one thread and used and closed by another.
    private Arena arena;
    private MemorySegment buffer = MemorySegment.NULL;
    private final int alignment;

    Staging(int alignment) {
        this.alignment = Math.max(ALIGNMENT, alignment);
    }

    /** How many pages of a size go into one transfer. */
    static int pages(int pageSize) {
        return Math.max(1, TRANSFER / pageSize);
    }

    /** The buffer; its content is lost when it grows. */
    MemorySegment buffer(long bytes) {
        if (buffer.byteSize() < bytes) {
            close();
            arena = Arena.ofShared();
            buffer = arena.allocate(Math.max(bytes, TRANSFER), alignment);
        }
        return buffer.asSlice(0, bytes);
    }

    @Override
    public void close() {
        if (arena == null) return;
        buffer = MemorySegment.NULL;
        arena.close();
        arena = null;
    }
}
