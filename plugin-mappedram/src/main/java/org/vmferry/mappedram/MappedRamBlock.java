package org.vmferry.mappedram;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.layout.FileIn;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * A block as it lies in a file: header, then bitmap, then pages, none reaching into the next (rule
 * MAP-8). Of blocks that were read, everything here was checked against the file's size.
 *
 * @param block name, used length and page size
 * @param position where its mapped-ram header begins, in the file
 * @param header where bitmap and pages lie
 */
@Status(Status.Level.STABLE)
public record MappedRamBlock(BlockHeader block, long position, MappedRamHeader header) {
    /** More bits than this are not kept in memory: 2^36 pages, 256 TiB of 4 KiB pages. */
    private static final long MOST_PAGES = 1L << 36;

    /**
     * Reads and checks what follows a block's used length, and leaves the stream behind the block's
     * pages, where the next block's name stands.
     *
     * @param in stands behind the used length
     * @param block what was read so far: a used length above 0 that is a multiple of the page size
     * @return the block
     * @throws MigrationException if a field makes no sense: names it, its value, limit and position
     * @throws IOException if the stream ends or is lost
     */
    public static MappedRamBlock read(FileIn in, BlockHeader block) throws IOException {
        long position = in.position();
        byte[] bytes = new byte[(int) MappedRamHeader.BYTES];
        in.bytes(MemorySegment.ofArray(bytes));
        MappedRamHeader header = MappedRamHeader.decode(MemorySegment.ofArray(bytes));
        MappedRamBlock read = new MappedRamBlock(block, position, header);
        if (!read.absent()) read.check(in.file(false).size());
        in.seek(read.end());
        return read;
    }

    /** Each comparison stays within what those before it have shown to be possible. */
    private void check(long fileSize) throws MigrationException {
        long used = block.usedLength();
        int pageSize = block.pageSize();
        if (header.version() != 0 && header.version() != MappedRamHeader.VERSION) {
            throw wrong("version", header.version() & 0xffffffffL, "0 or 1");
        }
        if (header.pageSize() != pageSize) throw wrong("page size", header.pageSize(), pageSize);
        if (used <= 0 || used % pageSize != 0) {
            throw wrong("used length", used, "a multiple of " + pageSize + " above 0");
        }
        if (pages() > MOST_PAGES) throw wrong("used length", used, MOST_PAGES + " pages at most");
        long headerEnd = position + MappedRamHeader.BYTES;
        if (used > fileSize - headerEnd || bitmapBytes() > fileSize - headerEnd - used) {
            throw wrong("used length", used, "what fits into this file of " + fileSize);
        }
        long lastBitmap = fileSize - used - bitmapBytes();
        if (header.bitmapOffset() < headerEnd || header.bitmapOffset() > lastBitmap) {
            throw wrong("bitmap offset", header.bitmapOffset(), headerEnd + " to " + lastBitmap);
        }
        long bitmapEnd = header.bitmapOffset() + bitmapBytes();
        if (header.pagesOffset() < bitmapEnd || header.pagesOffset() > fileSize - used) {
            throw wrong(
                    "pages offset",
                    header.pagesOffset(),
                    bitmapEnd + " to " + (fileSize - used) + ", in a file of " + fileSize);
        }
        if (header.pagesOffset() % pageSize != 0) {
            throw wrong("pages offset", header.pagesOffset(), "a multiple of " + pageSize);
        }
    }

    private MigrationException wrong(String field, long value, Object allowed) {
        return MigrationException.peer(
                "RAM block '%s': the %s in its mapped-ram header at %d is %s, allowed is %s",
                block.id(), field, position, Long.toUnsignedString(value), allowed);
    }

    /**
     * Whether the file has no place for its pages: shared memory that its source left out (rule
     * MAP-18).
     *
     * @return true only where the stream says guest addresses, as with x-ignore-shared
     */
    public boolean absent() {
        return block.guestAddress().isPresent()
                && header.bitmapOffset() == 0
                && header.pagesOffset() == 0;
    }

    /**
     * How many pages it has.
     *
     * @return pages
     */
    public long pages() {
        return block.usedLength() / block.pageSize();
    }

    /**
     * How long its bitmap is in the file.
     *
     * @return bytes
     */
    public long bitmapBytes() {
        return MappedRamHeader.bitmapBytes(pages());
    }

    /**
     * Where a page lies (rule MAP-5).
     *
     * @param page its number in the block
     * @return in the file
     */
    public long position(long page) {
        return header.pagesOffset() + page * block.pageSize();
    }

    /**
     * Where the next block's name, or the end of the block list, stands.
     *
     * @return in the file
     */
    public long end() {
        if (absent()) return position + MappedRamHeader.BYTES;
        return header.pagesOffset() + block.usedLength();
    }

    /**
     * Reads the block's bitmap, and whether clear bits can be trusted to be holes.
     *
     * @param file the one that the header was checked against, not direct
     * @return what it says
     * @throws MigrationException if the file has become shorter
     * @throws IOException if reading failed
     */
    public BlockContents contents(PositionedFile file) throws IOException {
        return BlockContents.read(file, this);
    }
}
