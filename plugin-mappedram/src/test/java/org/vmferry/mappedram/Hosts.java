package org.vmferry.mappedram;

import org.vmferry.spi.ram.RamBlock;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** RAM as emulators have it. */
enum Hosts {
    /** Native, aligned to a page. */
    SEGMENT,
    /** Native, at an odd address. */
    UNALIGNED,
    BYTES,
    INTS;

    RamBlock block(String id, int pages, Arena arena) {
        int bytes = pages * MiniEngine.PAGE;
        MemorySegment memory =
                switch (this) {
                    case SEGMENT -> arena.allocate(bytes, MiniEngine.PAGE);
                    case UNALIGNED ->
                            arena.allocate(bytes + 64L, MiniEngine.PAGE).asSlice(16, bytes);
                    case BYTES -> MemorySegment.ofArray(new byte[bytes]);
                    case INTS -> MemorySegment.ofArray(new int[bytes / 4]);
                };
        return RamBlock.of(id, memory, MiniEngine.PAGE);
    }
}
