package org.vmferry.cli.archive;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.OptionalLong;

/**
 * A block's RAM in a sparse file, from a position on, or missing. Not mapped: where the disk is
 * full, touching a mapping ends the process if native code does it, while a write says so.
 */
final class RamFile implements RamBlock {
    private static final long MOST_PAGES = 1L << 36; // a bitmap's

    private static final int STEP = 1 << 30; // a byte buffer's length is an int

    private final BlockHeader header;
    private final PositionedFile file;
    private final long start;
    private final PageBitmap written;
    private final Growth growth;
    private volatile OptionalLong guestAddress;
    private volatile boolean missing;

    /** Is told before pages are written that take room. */
    interface Growth {
        void by(long bytes) throws IOException;
    }

    /**
     * A block of zeros, which others may stand before; the file ends where it ends.
     *
     * @param start the block's first byte in the file
     */
    RamFile(BlockHeader header, PositionedFile file, long start, Growth growth) throws IOException {
        this.header = header;
        this.file = file;
        this.start = start;
        this.growth = growth;
        guestAddress = header.guestAddress();
        if (pages() > MOST_PAGES)
            throw MigrationException.peer("%d pages are more than are kept", pages());
        file.resize(start + header.usedLength());
        written = PageBitmap.sparse(pages());
    }

    @Override
    public String id() {
        return header.id();
    }

    @Override
    public long usedLength() {
        return header.usedLength();
    }

    @Override
    public int pageSize() {
        return header.pageSize();
    }

    /** Its content did not come. */
    void missing(OptionalLong address) {
        guestAddress = address;
        missing = true;
    }

    @Override
    public boolean missing() {
        return missing;
    }

    @Override
    public OptionalLong guestAddress() {
        return guestAddress;
    }

    @Override
    public boolean isFresh() {
        return true;
    }

    /** Where nothing was written the file has a hole. */
    @Override
    public boolean isKnownZero(long offset, long bytes) {
        long first = offset / pageSize();
        return written.isClear(first, (offset + bytes - 1) / pageSize() + 1 - first);
    }

    @Override
    public void read(long offset, MemorySegment target) {
        long from = start + Objects.checkFromIndexSize(offset, target.byteSize(), usedLength());
        try {
            for (long done = 0, step; done < target.byteSize(); done += step) {
                step = Math.min(STEP, target.byteSize() - done);
                if (file.read(target.asSlice(done, step).asByteBuffer(), from + done) < step)
                    throw new IOException("its file was cut short underneath");
            }
        } catch (IOException e) {
            throw failed("read", e);
        }
    }

    @Override
    public void write(long offset, MemorySegment source) {
        long bytes = source.byteSize();
        long end = offset + bytes;
        long to = start + Objects.checkFromIndexSize(offset, bytes, usedLength());
        try {
            long fresh = 0;
            for (long page = offset / pageSize(); page * pageSize() < end; page++)
                if (written.set(page)) fresh += pageSize();
            if (fresh > 0) growth.by(fresh);
            for (long done = 0, step; done < bytes; done += step) {
                step = Math.min(STEP, bytes - done);
                file.write(source.asSlice(done, step).asByteBuffer(), to + done);
            }
        } catch (IOException e) {
            throw failed("kept", e);
        }
    }

    private UncheckedIOException failed(String what, IOException e) {
        return new UncheckedIOException(
                new MigrationException(
                        MigrationException.of(e).blame(),
                        "RAM block '%s' can't be %s: %s".formatted(id(), what, e.getMessage()),
                        e));
    }
}
