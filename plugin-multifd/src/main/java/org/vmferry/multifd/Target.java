package org.vmferry.multifd;

import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.ZeroPages;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * A block that pages arrive for, and in a fresh one which have: the others are zero without a look
 * at them (rule MFD-13). All channels.
 */
final class Target {
    private final RamBlock block;
    private final PageBitmap arrived; // null unless the block is fresh

    Target(RamBlock block) {
        this.block = block;
        arrived = block.isFresh() ? PageBitmap.sparse(block.pages()) : null;
    }

    RamBlock block() {
        return block;
    }

    /** Pages are about to be written to: to be called before the first of their bytes is. */
    void arrive(long offset, int pages) {
        if (arrived != null) arrived.fill(offset / block.pageSize(), pages, true);
    }

    /**
     * Makes a page zero unless it is: one that was never touched stays so.
     *
     * @param offset its first byte
     * @param copy room for a page of a block that has no memory to offer
     */
    void zero(long offset, MemorySegment copy) {
        int pageSize = block.pageSize();
        if (arrived != null && !arrived.get(offset / pageSize)) return;
        Optional<MemorySegment> memory = block.memory();
        if (memory.isPresent()) {
            if (!ZeroPages.isZero(memory.get(), offset, pageSize))
                memory.get().asSlice(offset, pageSize).fill((byte) 0);
            return;
        }
        block.read(offset, copy);
        if (!ZeroPages.isZero(copy, 0, pageSize)) block.write(offset, copy.fill((byte) 0));
    }
}
