package org.vmferry.engine.ram;

import static org.vmferry.engine.stream.Wire.*;

import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.layout.MainIn;
import org.vmferry.spi.layout.MainOut;
import org.vmferry.spi.layout.Placement;
import org.vmferry.spi.layout.RamLayout;
import org.vmferry.spi.layout.SyncMark;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.ram.ZeroPages;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * RAM as records in the main stream (rules RAM-3 to RAM-9): the layout where no capability asks for
 * another.
 */
public final class InlineLayout implements RamLayout {
    /** The layout's id. */
    public static final String ID = "inline";

    /** The bits of a record that may be flags; with a smaller page those below it (rule RAM-3). */
    static final int FLAGS = 0x3ff;

    /** One of the engine's own, that {@code Plugins} makes. */
    public InlineLayout() {}

    @Override
    public String id() {
        return ID;
    }

    @Override
    public Set<Feature> needs() {
        return Set.of();
    }

    @Override
    public boolean placed() {
        return false;
    }

    @Override
    public Saver saver(Session session) {
        return new InlineSaver(session);
    }

    @Override
    public Loader loader(Session session) {
        return new InlineLoader(session);
    }

    private static final class InlineSaver implements Saver, Placement.MainRecords {
        private final Session session;
        private final Arena arena = Arena.ofShared();
        private MemorySegment page = MemorySegment.NULL; // for blocks without a segment
        private MainOut out;
        private RamBlock last; // of the record before, also across sections (rule RAM-4)

        InlineSaver(Session session) {
            this.session = session;
        }

        @Override
        public Placement placement(MainOut out) {
            this.out = out;
            return (Placement.Framed) () -> this;
        }

        @Override
        public void pages(Run run) throws IOException {
            RamBlock block = run.block();
            int size = block.pageSize();
            MemorySegment memory = block.memory().orElse(null);
            if (memory == null && page.byteSize() < size) page = arena.allocate(size);
            for (long offset = run.offset(), end = offset + run.bytes();
                    offset < end;
                    offset += size) {
                record(block, offset | PAGE);
                if (memory != null) {
                    out.bytes(memory.asSlice(offset, size));
                } else {
                    block.read(offset, page.asSlice(0, size));
                    out.bytes(page.asSlice(0, size));
                }
            }
            session.counters().normalPages(run.pages());
        }

        @Override
        public void zeros(Run run) throws IOException {
            int size = run.block().pageSize();
            for (long offset = run.offset(), end = offset + run.bytes();
                    offset < end;
                    offset += size) {
                record(run.block(), offset | ZERO);
                out.u8(0);
            }
            session.counters().zeroPages(run.pages());
        }

        private void record(RamBlock block, long offsetAndFlags) throws IOException {
            if (block == last) {
                out.u64(offsetAndFlags | CONTINUE);
            } else {
                out.u64(offsetAndFlags);
                out.str8(block.id());
                last = block;
            }
        }

        @Override
        public void sync(MainOut out, SyncMark mark) throws IOException {
            if (mark == SyncMark.FLUSH) out.u64(MULTIFD_FLUSH);
        }

        @Override
        public void close() {
            arena.close();
        }
    }

    private static final class InlineLoader implements Loader {
        private final Session session;
        private final Map<String, BlockHeader> headers = new LinkedHashMap<>();
        private final Map<String, RamBlock> blocks = new HashMap<>();
        private final Arena arena = Arena.ofShared();
        private MemorySegment page = MemorySegment.NULL;
        private RamBlock last;
        private int flagBits = FLAGS;

        InlineLoader(Session session) {
            this.session = session;
        }

        @Override
        public void block(MainIn in, BlockHeader header) {
            headers.put(header.id(), header);
            flagBits = Math.min(FLAGS, header.pageSize() - 1); // all have one page size
        }

        @Override
        public Placement placement(MainIn in, RamTarget target) throws IOException {
            for (BlockHeader header : headers.values())
                blocks.put(header.id(), target.open(header));
            return (Placement.Framed)
                    () -> {
                        throw new UnsupportedOperationException("records are read by the layout");
                    };
        }

        @Override
        public void section(MainIn in, PageCarrier.Receiver receiver) throws IOException {
            while (true) {
                long at = in.position();
                long word = in.u64();
                int flags = (int) (word & flagBits);
                long offset = word - flags;
                boolean bare = offset == 0 && (flags & CONTINUE) == 0;
                if (!bare && (flags & (EOS | MULTIFD_FLUSH)) != 0) {
                    throw MigrationException.peer(
                            "RAM record 0x%x at %d: an end mark or flush has no other bits",
                            word, at);
                }
                switch (flags & ~CONTINUE) {
                    case EOS -> {
                        receiver.endSection();
                        return;
                    }
                    case MULTIFD_FLUSH -> receiver.sync();
                    case ZERO -> zero(in, block(in, flags, at), offset, at);
                    case PAGE -> {
                        RamBlock block = block(in, flags, at);
                        checkOffset(block, offset, at);
                        receiver.beforePage(block, offset);
                        page(in, block, offset);
                    }
                    case XBZRLE -> {
                        RamBlock block = block(in, flags, at);
                        checkOffset(block, offset, at);
                        receiver.beforePage(block, offset);
                        changes(in, block, offset, at);
                    }
                    default ->
                            throw MigrationException.peer(
                                    "unknown RAM record at %d: flags 0x%x", at, flags);
                }
            }
        }

        private RamBlock block(MainIn in, int flags, long at) throws IOException {
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
            return last;
        }

        private void checkOffset(RamBlock block, long offset, long at) throws MigrationException {
            if (offset < 0
                    || offset > block.usedLength() - block.pageSize()
                    || offset % block.pageSize() != 0) {
                throw MigrationException.peer(
                        "page offset 0x%x at %d: block '%s' has 0x%x bytes in pages of %d",
                        offset, at, block.id(), block.usedLength(), block.pageSize());
            }
        }

        private void zero(MainIn in, RamBlock block, long offset, long at) throws IOException {
            checkOffset(block, offset, at);
            int fill = in.u8();
            if (fill != 0) {
                throw MigrationException.peer(
                        "a page filled with 0x%02x at %d, must be 0", fill, at);
            }
            int size = block.pageSize();
            session.counters().zeroPages(1);
            if (block.isKnownZero(offset, size)) return;
            MemorySegment memory = block.memory().orElse(null);
            if (memory != null) {
                // Zeros over zeros would give a fresh page of the host real memory.
                if (!ZeroPages.isZero(memory, offset, size))
                    memory.asSlice(offset, size).fill((byte) 0);
                return;
            }
            MemorySegment copy = staging(size);
            block.read(offset, copy);
            if (!ZeroPages.isZero(copy, 0, size)) block.write(offset, copy.fill((byte) 0));
        }

        private void page(MainIn in, RamBlock block, long offset) throws IOException {
            MemorySegment memory = block.memory().orElse(null);
            int size = block.pageSize();
            if (memory != null) {
                in.bytes(memory.asSlice(offset, size));
            } else {
                MemorySegment copy = staging(size);
                in.bytes(copy);
                block.write(offset, copy);
            }
            session.counters().normalPages(1);
        }

        /** Rule RAM-11. */
        private void changes(MainIn in, RamBlock block, long offset, long at) throws IOException {
            int encoding = in.u8();
            int length = in.u16();
            if (encoding != 1 || length > block.pageSize()) {
                throw MigrationException.peer(
                        "the XBZRLE page at %d has encoding %d and %d bytes, must be 1, and at"
                                + " most %d",
                        at, encoding, length, block.pageSize());
            }
            byte[] delta = new byte[length];
            in.bytes(MemorySegment.ofArray(delta));
            MemorySegment copy = staging(block.pageSize());
            block.read(offset, copy);
            Xbzrle.apply(delta, copy, at);
            block.write(offset, copy);
            session.counters().normalPages(1);
        }

        private MemorySegment staging(int size) {
            if (page.byteSize() < size) page = arena.allocate(size, size);
            return page.asSlice(0, size);
        }

        @Override
        public void close() {
            arena.close();
        }
    }
}
