package org.vmferry.mappedram;

import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.ZeroPages;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Makes pages zero that are not yet: a target's RAM may hold anything, and one that is a sparse
 * file, or memory never touched, stays so (rule MAP-9).
 */
final class ZeroFill {
    private ZeroFill() {}

    static void fill(RamBlock block, long first, int pages, Staging staging) {
        // A page whose bit is clear was not written to by this load either.
        if (block.isFresh()) return;
        int pageSize = block.pageSize();
        long offset = first * pageSize;
        Optional<MemorySegment> memory = block.memory();
        MemorySegment view;
        if (memory.isPresent()) {
            view = memory.get().asSlice(offset, (long) pages * pageSize);
        } else {
            view = staging.buffer((long) pages * pageSize);
            block.read(offset, view);
        }
        for (long at = 0; at < view.byteSize(); at += pageSize) {
            if (ZeroPages.isZero(view, at, pageSize)) continue;
            MemorySegment page = view.asSlice(at, pageSize).fill((byte) 0);
            if (memory.isEmpty()) block.write(offset + at, page);
        }
    }
}
