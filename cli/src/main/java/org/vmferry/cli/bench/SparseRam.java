package org.vmferry.cli.bench;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import java.util.zip.CRC32C;

/**
 * Where a guest that uses a part of its RAM uses it: runs of 4 MiB, as far apart as they can be.
 * All have the same random bytes; nothing else was ever touched.
 *
 * @param size of RAM in bytes
 * @param percent of it that are in use, 1 to 50
 */
record SparseRam(long size, int percent) {
    private static final long MIB = 1 << 20;
    private static final long RUN = 4 * MIB;

    /** Bytes of a run: less than 4 MiB only where all that is used is less. */
    long run() {
        return Math.min(RUN, size * percent / 100 & -4096);
    }

    /** Where the runs begin, at multiples of 4 MiB: a huge page is in one run alone. */
    List<Long> offsets() {
        long runs = size * percent / 100 / run();
        long apart = size / runs;
        return LongStream.range(0, runs).map(i -> i * apart + apart / 2 & -RUN).boxed().toList();
    }

    /** Bytes in use. */
    long used() {
        return offsets().size() * run();
    }

    /** What stands in each run; no page of it is zero. */
    byte[] content() {
        byte[] content = new byte[(int) run()];
        new SplittableRandom(1).nextBytes(content);
        return content;
    }

    /** Writes the runs into RAM that was not touched. */
    void fill(MemorySegment memory) {
        byte[] content = content();
        for (long offset : offsets())
            MemorySegment.copy(content, 0, memory, ValueLayout.JAVA_BYTE, offset, content.length);
    }

    /** A checksum of all runs. */
    long checksum(MemorySegment memory) {
        CRC32C crc = new CRC32C();
        for (long offset : offsets()) crc.update(memory.asSlice(offset, run()).asByteBuffer());
        return crc.getValue();
    }
}
