package org.vmferry.multifd;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.ram.RamBlock;

import java.util.List;

/** The page size that all blocks share: packets have no field for it. */
final class PageSize {
    private static final int USUAL = 4096;

    /** With AVR's 256 bytes, whose offsets have bits that are flags, QEMU itself fails. */
    private static final int SMALLEST = 1 << 10;

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
}
