package org.vmferry.engine.ram;

import static org.vmferry.engine.stream.Wire.*;

import org.vmferry.engine.stream.StreamIn;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.ram.Staging;
import org.vmferry.spi.ram.ZeroPages;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** RAM as records in the main stream (rules RAM-3 to RAM-9). */
public sealed class InlineIn implements RamIn permits CarrierIn {
    /** The bits of a record that may be flags; with a smaller page those below it (rule RAM-3). */
    static final int FLAGS = 0x3ff;

    private final StreamIn in;
    private final Session session;
    private final Map<String, BlockHeader> headers = new LinkedHashMap<>();
    private final Map<String, RamBlock> blocks = new HashMap<>();
    private final Staging staging = new Staging();
    private RamBlock last; // of the record before, also across sections (rule RAM-4)
    private int flagBits = FLAGS;

    /** Out of a stream, which stays its owner's. */
    public InlineIn(StreamIn in, Session session) {
        this.in = in;
        this.session = session;
    }

    @Override
    public void block(BlockHeader header) {
        headers.put(header.id(), header);
        flagBits = Math.min(FLAGS, header.pageSize() - 1); // all have one page size
    }

    @Override
    public void open(RamTarget target) throws IOException {
        for (BlockHeader header : headers.values()) blocks.put(header.id(), target.open(header));
    }

    @Override
    public void pages() throws IOException {
        section(false);
    }

    /** The stream asks to wait for channels. */
    void flush() throws IOException {}

    /** The section's end mark was read. */
    void endSection() throws IOException {}

    /** END begins. */
    void ending() throws IOException {}

    /**
     * END's mark was read.
     *
     * @param flush whether a flush stands right before it, which was not told
     */
    void ended(boolean flush) throws IOException {}

    @Override
    public void section(boolean last) throws IOException {
        if (last) ending();
        while (true) {
            long at = in.position();
            long word = in.u64();
            int flags = (int) (word & flagBits);
            long offset = word - flags;
            boolean bare = offset == 0 && (flags & CONTINUE) == 0;
            if (!bare && (flags & (EOS | MULTIFD_FLUSH)) != 0) {
                throw MigrationException.peer(
                        "RAM record 0x%x at %d: an end mark or flush has no other bits", word, at);
            }
            switch (flags & ~CONTINUE) {
                case EOS -> {
                    if (last) ended(false);
                    else endSection();
                    return;
                }
                case MULTIFD_FLUSH -> {
                    // No channel is read beyond a sync that is known to be the last (rule MFD-24).
                    if (last && in.takes(EOS)) {
                        ended(true);
                        return;
                    }
                    flush();
                }
                case ZERO -> zero(page(flags, offset, at), at);
                case PAGE -> content(page(flags, offset, at));
                case XBZRLE -> changes(page(flags, offset, at), at);
                default ->
                        throw MigrationException.peer(
                                "unknown RAM record at %d: flags 0x%x", at, flags);
            }
        }
    }

    /** Of the block that the record names, or the one before. */
    private Run page(int flags, long offset, long at) throws IOException {
        if ((flags & CONTINUE) == 0) {
            String id = in.str8();
            last = blocks.get(id);
            if (last == null) {
                throw MigrationException.peer("a page of unknown block '%s' at %d", id, at);
            }
            session.came(last);
        } else if (last == null) {
            throw MigrationException.peer("the RAM record at %d continues no block", at);
        }
        int size = last.pageSize();
        if (offset < 0 || offset > last.usedLength() - size || offset % size != 0) {
            throw MigrationException.peer(
                    "page offset 0x%x at %d: block '%s' has 0x%x bytes in pages of %d",
                    offset, at, last.id(), last.usedLength(), size);
        }
        return new Run(last, offset / size, 1);
    }

    private void zero(Run page, long at) throws IOException {
        int fill = in.u8();
        if (fill != 0) {
            throw MigrationException.peer("a page filled with 0x%02x at %d, must be 0", fill, at);
        }
        ZeroPages.clear(page, staging);
        session.counters().zeroPages(1);
    }

    private void content(Run page) throws IOException {
        session.arrives(page);
        Optional<MemorySegment> memory = page.block().memory();
        if (memory.isPresent()) {
            in.bytes(memory.get().asSlice(page.offset(), page.bytes()));
        } else {
            MemorySegment copy = staging.buffer(page.bytes());
            in.bytes(copy);
            page.block().write(page.offset(), copy);
        }
        session.counters().normalPages(1);
    }

    /** Rule RAM-11. */
    private void changes(Run page, long at) throws IOException {
        int encoding = in.u8();
        int length = in.u16();
        if (encoding != 1 || length > page.bytes()) {
            throw MigrationException.peer(
                    "the XBZRLE page at %d has encoding %d and %d bytes, must be 1, and at"
                            + " most %d",
                    at, encoding, length, page.bytes());
        }
        byte[] delta = new byte[length];
        in.bytes(MemorySegment.ofArray(delta));
        session.arrives(page);
        MemorySegment copy = staging.buffer(page.bytes());
        page.block().read(page.offset(), copy);
        Xbzrle.apply(delta, copy, at);
        page.block().write(page.offset(), copy);
        session.counters().normalPages(1);
    }

    @Override
    public void close() {
        staging.close();
    }
}
