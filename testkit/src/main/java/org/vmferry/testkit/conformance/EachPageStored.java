package org.vmferry.testkit.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Function;

/** Stores to each page of a block once between two harvests: each must leave its mark. */
final class EachPageStored {
    private EachPageStored() {}

    /** A guest's way to store a byte. */
    interface Store {
        /** Whether it could. */
        boolean store(long offset, byte value) throws Exception;
    }

    /** How many it could make. */
    static long check(RamBlock block, DirtyLog log, Store store) throws Exception {
        log.harvest(block, new PageBitmap(block.pages()));
        PageBitmap stored = new PageBitmap(block.pages());
        byte[] there = new byte[1];
        for (long page = 0; page < block.pages(); page++) {
            long offset = page * block.pageSize() + page * 7 % block.pageSize();
            if (offset >= block.usedLength()) break;
            block.read(offset, MemorySegment.ofArray(there));
            if (store.store(offset, (byte) (there[0] + 1))) stored.set(page);
        }
        long stores = stored.cardinality();
        PageBitmap dirty = new PageBitmap(block.pages());
        log.harvest(block, dirty);
        for (long page = 0; page < block.pages(); page++) if (dirty.get(page)) stored.clear(page);
        assertEquals(
                0,
                stored.cardinality(),
                "store(), dirtyLog(): of %d stores to '%s', one to each page, so many left no mark;"
                                .formatted(stores, block.id())
                        + " the first was to page "
                        + stored.nextSet(0));
        return stores;
    }

    /** The same to all blocks, as often as it takes for so many; false if none can be made. */
    static boolean check(
            List<RamBlock> blocks, DirtyLog log, long least, Function<RamBlock, Store> stores)
            throws Exception {
        for (long made = 0; made < least; ) {
            for (RamBlock block : blocks) made += check(block, log, stores.apply(block));
            if (made == 0) return false;
        }
        return true;
    }
}
