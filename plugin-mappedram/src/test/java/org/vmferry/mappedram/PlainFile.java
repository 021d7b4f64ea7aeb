package org.vmferry.mappedram;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads and writes mapped-ram files from the rules of docs/wire alone: shares no line with what is
 * tested, and takes a RandomAccessFile and byte arithmetic where that has segments and layouts.
 */
final class PlainFile {
    /** A block as it lies in a file. */
    static final class Block {
        String id;
        long used;
        long headerAt;
        long bitmapAt;
        long pagesAt;
        byte[] bitmap;

        boolean present(long page) {
            return (bitmap[(int) (page / 8)] >> (page % 8) & 1) != 0;
        }
    }

    private PlainFile() {}

    static List<Block> read(Path path, long start) throws IOException {
        List<Block> blocks = new ArrayList<>();
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "r")) {
            file.seek(start);
            long total = file.readLong();
            if ((total & 0xfff) != 4) throw new IOException("no MEM_SIZE: " + total);
            for (long left = total - 4; left > 0; ) {
                Block block = new Block();
                byte[] name = new byte[file.readUnsignedByte()];
                file.readFully(name);
                block.id = new String(name, StandardCharsets.UTF_8);
                block.used = file.readLong();
                block.headerAt = file.getFilePointer();
                if (file.readInt() != 1) throw new IOException("version");
                if (file.readLong() != 4096) throw new IOException("page size");
                block.bitmapAt = file.readLong();
                block.pagesAt = file.readLong();
                long longs = (block.used / 4096 + 63) / 64;
                block.bitmap = new byte[(int) (longs * 8)];
                file.seek(block.bitmapAt);
                file.readFully(block.bitmap);
                file.seek(block.pagesAt + block.used);
                left -= block.used;
                blocks.add(block);
            }
            for (int section = 0; section < 2; section++)
                if (file.readLong() != 0x10) throw new IOException("no end mark");
        }
        return blocks;
    }

    /** The RAM that a destination gets which starts with zeros. */
    static byte[] content(Path path, Block block) throws IOException {
        byte[] content = new byte[(int) block.used];
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "r")) {
            for (int page = 0; page < block.used / 4096; page++) {
                if (!block.present(page)) continue;
                file.seek(block.pagesAt + page * 4096L);
                file.readFully(content, page * 4096, 4096);
            }
        }
        return content;
    }

    /** What the file holds at a block's page area, whatever the bitmap says. */
    static byte[] area(Path path, Block block) throws IOException {
        byte[] content = new byte[(int) block.used];
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "r")) {
            file.seek(block.pagesAt);
            file.readFully(content);
        }
        return content;
    }

    /**
     * Writes a file as a QEMU does.
     *
     * @param ids the blocks' names
     * @param areas for each block what is to stand in its page area
     * @param present for each block which pages have bit 1
     */
    static List<Block> write(
            Path path, long start, List<String> ids, List<byte[]> areas, List<boolean[]> present)
            throws IOException {
        List<Block> blocks = new ArrayList<>();
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.seek(start);
            file.writeLong(areas.stream().mapToLong(a -> a.length).sum() + 4);
            for (int i = 0; i < ids.size(); i++) {
                Block block = new Block();
                block.id = ids.get(i);
                block.used = areas.get(i).length;
                file.writeByte(block.id.length());
                file.write(block.id.getBytes(StandardCharsets.UTF_8));
                file.writeLong(block.used);
                block.headerAt = file.getFilePointer();
                block.bitmapAt = block.headerAt + 28;
                long pages = block.used / 4096;
                block.bitmap = new byte[(int) ((pages + 63) / 64 * 8)];
                for (int page = 0; page < pages; page++)
                    if (present.get(i)[page]) block.bitmap[page / 8] |= (byte) (1 << page % 8);
                long free = block.bitmapAt + block.bitmap.length;
                block.pagesAt = (free + 1048575) / 1048576 * 1048576;
                file.writeInt(1);
                file.writeLong(4096);
                file.writeLong(block.bitmapAt);
                file.writeLong(block.pagesAt);
                file.write(block.bitmap);
                // Bits past the last page mean nothing.
                if (pages % 64 != 0) {
                    file.seek(block.bitmapAt + block.bitmap.length - 1);
                    file.writeByte(block.bitmap[block.bitmap.length - 1] | 0x80);
                }
                for (int page = 0; page < pages; page++) {
                    boolean data = present.get(i)[page];
                    for (int b = page * 4096; b < (page + 1) * 4096 && !data; b++)
                        data = areas.get(i)[b] != 0;
                    if (!data) continue;
                    file.seek(block.pagesAt + page * 4096L);
                    file.write(areas.get(i), page * 4096, 4096);
                }
                file.seek(block.pagesAt + block.used);
                blocks.add(block);
            }
            file.writeLong(0x10);
            file.writeLong(0x10);
            file.writeInt(0x7e000000);
        }
        return blocks;
    }
}
