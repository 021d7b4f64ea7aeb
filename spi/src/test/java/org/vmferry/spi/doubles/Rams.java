package org.vmferry.spi.doubles;

import org.vmferry.spi.ram.RamBlock;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/** Blocks of RAM for tests. */
public final class Rams {
    public static final int PAGE = 4096;

    private Rams() {}

    public static RamBlock block(String id, int pages, boolean nativeMemory) {
        return block(id, pages, PAGE, nativeMemory);
    }

    public static RamBlock block(String id, int pages, int pageSize, boolean nativeMemory) {
        long bytes = (long) pages * pageSize;
        MemorySegment memory =
                nativeMemory
                        ? Arena.ofAuto().allocate(bytes, pageSize)
                        : MemorySegment.ofArray(new byte[Math.toIntExact(bytes)]);
        return RamBlock.of(id, memory, pageSize);
    }

    /** Changes a share of the pages: a quarter of these to zero, the rest to something. */
    public static void change(RamBlock block, Random random, int percent) {
        byte[] page = new byte[block.pageSize()];
        for (long i = 0; i < block.pages(); i++) {
            if (random.nextInt(100) >= percent) continue;
            java.util.Arrays.fill(page, (byte) 0);
            if (random.nextInt(4) > 0) {
                // Half of it random, half of it one byte: a codec has something to do.
                byte[] half = new byte[page.length / 2];
                random.nextBytes(half);
                java.util.Arrays.fill(page, (byte) (1 + random.nextInt(255)));
                System.arraycopy(half, 0, page, 0, half.length);
            }
            write(block, i, page);
        }
    }

    public static void write(RamBlock block, long page, byte[] content) {
        block.write(page * block.pageSize(), MemorySegment.ofArray(content));
    }

    /** Fills a page with one byte. */
    public static void fill(RamBlock block, long page, int value) {
        byte[] content = new byte[block.pageSize()];
        java.util.Arrays.fill(content, (byte) value);
        write(block, page, content);
    }

    public static byte[] content(RamBlock block) {
        byte[] bytes = new byte[Math.toIntExact(block.usedLength())];
        block.read(0, MemorySegment.ofArray(bytes));
        return bytes;
    }

    public static byte[] page(RamBlock block, long page) {
        MemorySegment bytes = MemorySegment.ofArray(new byte[block.pageSize()]);
        block.read(page * block.pageSize(), bytes);
        return bytes.toArray(ValueLayout.JAVA_BYTE);
    }
}
