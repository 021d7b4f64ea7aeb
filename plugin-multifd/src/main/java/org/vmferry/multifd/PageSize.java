package org.vmferry.multifd;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.ram.RamBlock;

import java.util.List;

/** The page size that all blocks share: packets have no field for it. */
final class PageSize {
    private static final int USUAL = 4096;

    /** AVR's, whose records have no bit for a flush: {@link #FLUSHED} is the smallest that has. */
    private static final int SMALLEST = 1 << 8;

    private static final int FLUSHED = 1 << 10;

    private PageSize() {}

    static int of(List<RamBlock> blocks) throws MigrationException {
        int size = blocks.isEmpty() ? USUAL : blocks.getFirst().pageSize();
        for (RamBlock block : blocks) {
            if (block.pageSize() != size || size < SMALLEST || size > Packet.DATA) {
                throw MigrationException.host(
                        "multifd needs one page size from %d to %d bytes, block '%s' has pages of"
                                + " %d and '%s' of %d",
                        SMALLEST,
                        Packet.DATA,
                        blocks.getFirst().id(),
                        size,
                        block.id(),
                        block.pageSize());
            }
        }
        return size;
    }

    /** As above, where the main stream is to have flush records. */
    static int ofFlushed(List<RamBlock> blocks) throws MigrationException {
        int size = of(blocks);
        if (size >= FLUSHED) return size;
        throw MigrationException.user(
                "block '%s' has pages of %d bytes, whose records have no bit for multifd's flush:"
                    + " set %s=on, and the destination must be a QEMU of before 8.1, or vmferry",
                blocks.getFirst().id(), size, MultifdOptions.FLUSH_EACH_SECTION.name());
    }
}
