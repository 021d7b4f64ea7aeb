package org.vmferry.mappedram;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.transport.PositionedFile;

/**
 * A block of this machine and its place in the file.
 *
 * @param ram the block
 * @param place where it lies
 * @param present which of its pages are in the file
 */
record Area(RamBlock ram, MappedRamBlock place, PageBitmap present) {
    /** As others may know it. */
    FileLayout.Place told() {
        return new FileLayout.Place(
                place.header().bitmapOffset(), place.header().pagesOffset(), present);
    }

    /** Direct-io moves whole pages, so each must be a whole number of the file's units. */
    static void checkAlignment(RamBlock block, PositionedFile file) throws MigrationException {
        if (block.pageSize() % file.alignment() == 0) return;
        throw MigrationException.user(
                "direct-io=on: this file takes transfers in multiples of %d bytes, and the pages of"
                        + " RAM block '%s' have %d; set direct-io=off",
                file.alignment(), block.id(), block.pageSize());
    }
}
