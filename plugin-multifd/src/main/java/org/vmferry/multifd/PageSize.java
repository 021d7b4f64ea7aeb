package org.vmferry.multifd;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.ram.RamBlock;

import java.util.List;

/** The page size that all blocks share: packets have no field for it. */
final class PageSize {
    private static final int USUAL = 4096;

    private PageSize() {}

    static int of(List<RamBlock> blocks) throws MigrationException {
        int size = blocks.isEmpty() ? USUAL : blocks.getFirst().pageSize();
        for (RamBlock block : blocks) {
            if (block.pageSize() != size || size > Packet.DATA) {
                throw MigrationException.host(
                        "multifd needs one page size of up to %d bytes, block '%s' has pages of %d"
                                + " and '%s' of %d",
                        Packet.DATA, blocks.getFirst().id(), size, block.id(), block.pageSize());
            }
        }
        return size;
    }
}
