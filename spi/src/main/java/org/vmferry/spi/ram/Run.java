package org.vmferry.spi.ram;

import org.vmferry.spi.Status;

/**
 * Neighbouring pages of one block: the unit of work. Carriers get runs, split them and find the
 * zero pages in them.
 *
 * @param block whose pages
 * @param firstPage the first one's number in the block
 * @param pages how many, at least 1
 */
@Status(Status.Level.STABLE)
public record Run(RamBlock block, long firstPage, int pages) {
    /** Checks that the run lies in its block. */
    public Run {
        if (pages < 1 || firstPage < 0 || firstPage > block.pages() - pages) {
            throw new IllegalArgumentException(
                    "pages %d+%d do not lie in block '%s' of %d pages"
                            .formatted(firstPage, pages, block.id(), block.pages()));
        }
    }

    /**
     * Where the run begins.
     *
     * @return the first byte's offset in the block
     */
    public long offset() {
        return firstPage * block.pageSize();
    }

    /**
     * How long it is.
     *
     * @return bytes
     */
    public long bytes() {
        return (long) pages * block.pageSize();
    }

    /**
     * A part of this run.
     *
     * @param from pages to leave out at its beginning
     * @param count pages to take
     * @return the part
     */
    public Run part(int from, int count) {
        return from == 0 && count == pages ? this : new Run(block, firstPage + from, count);
    }
}
