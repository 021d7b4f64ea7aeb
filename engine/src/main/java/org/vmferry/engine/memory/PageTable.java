package org.vmferry.engine.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What this process's page table says of private memory: a page that is neither there nor swapped
 * out was never touched, or was given back, and reads as zero. The kernel keeps a word for each
 * page in /proc/self/pagemap, since long; no rights are needed for the two bits that count.
 */
final class PageTable implements Untouched {
    static final String FILE = "/proc/self/pagemap";

    private static final long PRESENT_OR_SWAPPED = 3L << 62;
    private static final long AT_ONCE = 4096; // pages

    private final Descriptor table;
    private final long start;
    private final long pageSize;

    /**
     * Of memory.
     *
     * @param table {@link #FILE}
     * @param start its address
     * @param pageSize the system's
     */
    PageTable(Descriptor table, long start, long pageSize) {
        this.table = table;
        this.start = start;
        this.pageSize = pageSize;
    }

    /** Looks at one page first: in memory that is in use that is all. */
    @Override
    public boolean isKnown(long offset, long bytes) {
        long page = (start + offset) / pageSize;
        long end = (start + offset + bytes + pageSize - 1) / pageSize;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment words = arena.allocate(Math.min(AT_ONCE, end - page) * 8, 8);
            for (long count = 1; page < end; page += count, count = AT_ONCE) {
                count = Math.min(count, end - page);
                MemorySegment some = words.asSlice(0, count * 8);
                if (table.read(some, page * 8) != some.byteSize()) return false;
                for (long i = 0; i < count; i++)
                    if ((some.getAtIndex(ValueLayout.JAVA_LONG, i) & PRESENT_OR_SWAPPED) != 0)
                        return false;
            }
            return true;
        }
    }
}
