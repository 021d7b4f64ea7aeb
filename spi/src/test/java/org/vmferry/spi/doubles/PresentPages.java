package org.vmferry.spi.doubles;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** What this process's page table says; Linux alone has it as a file. */
public final class PresentPages {
    private static final int SIZE = 4096;
    private static final int AT_ONCE = 8192;

    private PresentPages() {}

    /** How many pages of memory are there, touching none. */
    public static long in(MemorySegment memory) throws IOException {
        long found = 0;
        long pages = memory.byteSize() / SIZE;
        byte[] words = new byte[AT_ONCE * Long.BYTES];
        try (var table = new RandomAccessFile("/proc/self/pagemap", "r")) {
            table.seek(memory.address() / SIZE * Long.BYTES);
            for (long page = 0; page < pages; page += AT_ONCE) {
                int some = (int) Math.min(AT_ONCE, pages - page);
                table.readFully(words, 0, some * Long.BYTES);
                ByteBuffer view = ByteBuffer.wrap(words).order(ByteOrder.nativeOrder());
                for (int i = 0; i < some; i++) if (view.getLong(i * Long.BYTES) < 0) found++;
            }
        }
        return found;
    }
}
