package org.vmferry.mappedram;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Which of a block's pages are in its file.
 *
 * @param present a set bit is a page that is in the file; every other is zero (rule MAP-9)
 * @param clearMeansHole whether the file promises that pages whose bit is clear read as zeros: one
 *     of ours (rules MAP-10, MAP-11); if not, there may be stale bytes
 */
@Status(Status.Level.STABLE)
public record BlockContents(PageBitmap present, boolean clearMeansHole) {
    private static final int PIECE = 1 << 20;

    /** Reads bitmap and mark; the bitmap's length was checked against the file's size. */
    static BlockContents read(PositionedFile file, MappedRamBlock block) throws IOException {
        PageBitmap present = PageBitmap.sparse(block.pages());
        HoleMark mark = new HoleMark(block.header());
        try (Arena arena = Arena.ofConfined()) {
            ByteBuffer piece = piece(arena, block);
            ByteBuffer hole = piece(arena, block);
            long at = block.header().bitmapOffset();
            boolean asks = 8L * present.words() > PIECE; // else one read tells as soon
            long data = at; // before this there is nothing but a hole
            for (int word = 0; word < present.words(); ) {
                piece.clear().limit((int) Math.min(PIECE, 8L * (present.words() - word)));
                if (asks && data <= at) data = file.nextData(at);
                if (data - at >= piece.limit()) {
                    mark.bitmap(hole.clear().limit(piece.limit()));
                    at += piece.limit();
                    word += piece.limit() / 8;
                    continue;
                }
                int length = file.read(piece, at);
                if (piece.hasRemaining()) {
                    throw MigrationException.peer(
                            "RAM block '%s': the file ends at %d, within its bitmap of %d bytes"
                                    + " at %d",
                            block.block().id(),
                            at + Math.max(0, length),
                            block.bitmapBytes(),
                            block.header().bitmapOffset());
                }
                at += length;
                mark.bitmap(piece.flip());
                piece.rewind();
                while (piece.hasRemaining()) present.word(word++, piece.getLong());
            }
            return new BlockContents(present, marked(file, block, at, mark.encode()));
        }
    }

    private static boolean marked(
            PositionedFile file, MappedRamBlock block, long at, ByteBuffer mark)
            throws IOException {
        if (block.header().pagesOffset() - at < HoleMark.BYTES) return false;
        ByteBuffer found = ByteBuffer.allocate(HoleMark.BYTES);
        return file.read(found, at) == HoleMark.BYTES && found.flip().equals(mark);
    }

    /** Writes bitmap and, if clear bits are holes, the mark. On holes no zeros are written. */
    void write(PositionedFile file, MappedRamBlock block) throws IOException {
        HoleMark mark = new HoleMark(block.header());
        try (Arena arena = Arena.ofConfined()) {
            ByteBuffer piece = piece(arena, block);
            long at = block.header().bitmapOffset();
            for (int word = 0; word < present.words(); ) {
                piece.clear();
                long set = 0;
                while (piece.hasRemaining() && word < present.words()) {
                    long bits = present.word(word++);
                    set |= bits;
                    piece.putLong(bits);
                }
                mark.bitmap(piece.flip());
                int length = piece.rewind().remaining();
                if (set != 0 || !clearMeansHole) file.write(piece, at);
                at += length;
            }
            if (clearMeansHole) file.write(mark.encode(), at);
        }
    }

    /** Little-endian, unlike all else in the stream (rule MAP-4). */
    private static ByteBuffer piece(Arena arena, MappedRamBlock block) {
        return arena.allocate(Math.min(PIECE, block.bitmapBytes()), 8)
                .asByteBuffer()
                .order(ByteOrder.LITTLE_ENDIAN);
    }
}
