package org.vmferry.testkit.machine;

import org.vmferry.spi.Status;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;

/** What a host may keep its guest's RAM in. */
@Status(Status.Level.EXPERIMENTAL)
public enum HostMemory {
    /** Native memory, which the engine reads and writes directly. */
    NATIVE,
    /** A {@code byte[]}: pages are copied. */
    BYTES,
    /** An {@code int[]}, little-endian inside and out: pages are copied. */
    INTS;

    MemorySegment allocate(Arena arena, long bytes) {
        return switch (this) {
            case NATIVE -> arena.allocate(bytes, Region.PAGE_SIZE);
            case BYTES -> MemorySegment.ofArray(new byte[Math.toIntExact(bytes)]);
            case INTS -> {
                if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
                    throw new UnsupportedOperationException(
                            "an int[] is seen in this processor's byte order, the guest's is"
                                    + " little-endian");
                }
                yield MemorySegment.ofArray(new int[Math.toIntExact(bytes / 4)]);
            }
        };
    }
}
