package org.vmferry.engine.ram;

import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.stream.StreamHeader;
import org.vmferry.engine.stream.StreamIn;
import org.vmferry.engine.stream.StreamOut;
import org.vmferry.engine.stream.Wire;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What the RAM section has in every layout (rules RAM-1, RAM-2): the block list, and each part's
 * frame.
 */
public final class RamSection {
    static final int MOST_BLOCKS = 4096;

    private RamSection() {}

    /**
     * Checks what a host is about to send, before anything is opened.
     *
     * @return the bytes of all blocks
     */
    public static long check(List<RamBlock> blocks) throws MigrationException {
        if (blocks.isEmpty() || blocks.size() > MOST_BLOCKS) {
            throw MigrationException.host(
                    "the machine has %d RAM blocks, allowed are 1 to %d",
                    blocks.size(), MOST_BLOCKS);
        }
        int pageSize = blocks.getFirst().pageSize();
        Set<String> names = new HashSet<>();
        long total = 0;
        for (RamBlock block : blocks) {
            String id = block.id();
            int bytes = id.getBytes(StandardCharsets.UTF_8).length;
            if (bytes < 1 || bytes > 255 || !names.add(id)) {
                throw MigrationException.host(
                        "RAM block '%s': a name has 1 to 255 bytes of UTF-8, and no other block"
                                + " has it",
                        id);
            }
            if (block.pageSize() != pageSize
                    || Integer.bitCount(pageSize) != 1
                    || pageSize < StreamHeader.SMALLEST_PAGE
                    || pageSize > StreamHeader.LARGEST_PAGE) {
                throw MigrationException.host(
                        "RAM block '%s' has pages of %d bytes: allowed is one power of two from"
                                + " %d to %d for all blocks",
                        id,
                        block.pageSize(),
                        StreamHeader.SMALLEST_PAGE,
                        StreamHeader.LARGEST_PAGE);
            }
            long length = block.usedLength();
            if (length <= 0 || (length & pageSize - 1) != 0 || length > Long.MAX_VALUE - total) {
                throw MigrationException.host(
                        "RAM block '%s' has length %d: must be a multiple of %d above 0, and all"
                                + " blocks together less than 2^63",
                        id, length, pageSize);
            }
            total += length;
        }
        return total;
    }

    /** Writes the section: START with the block list, parts, END. */
    public static final class Writer {
        private final StreamOut out;
        private final RamOut ram;
        private final boolean addresses;
        private int number = 1;

        /** A writer of one save. */
        public Writer(StreamOut out, RamOut ram, Options options) {
            this.addresses = options.get(EngineOptions.X_IGNORE_SHARED);
            this.out = out;
            this.ram = ram;
        }

        /** Sets the section's number, which is 1 if nobody does. */
        public void number(int value) {
            number = value;
        }

        /** Writes START. */
        public void start(List<RamBlock> blocks) throws IOException {
            out.u8(Wire.START);
            out.u32(number);
            out.str8(Wire.RAM);
            out.u32(0);
            out.u32(Wire.RAM_VERSION);
            long total = 0;
            for (RamBlock block : blocks) total = Math.addExact(total, block.usedLength());
            out.u64(total | Wire.MEM_SIZE);
            for (RamBlock block : blocks) {
                out.str8(block.id());
                out.u64(block.usedLength());
                if (addresses) out.u64(block.guestAddress().orElse(0));
                ram.block(block);
            }
            ram.start(blocks);
            close();
        }

        /** Opens a part; pages may be sent until {@link #close}. */
        public void part() throws IOException {
            out.u8(Wire.PART);
            out.u32(number);
        }

        /** Opens the last part. */
        public void end() throws IOException {
            out.u8(Wire.END);
            out.u32(number);
        }

        /** Closes the open part. */
        public void close() throws IOException {
            ram.endRound();
            finish();
        }

        /** Closes the last part. */
        public void closeEnd() throws IOException {
            ram.endRound();
            ram.end();
            finish();
        }

        private void finish() throws IOException {
            ram.endSection();
            out.u64(Wire.EOS);
            out.u8(Wire.FOOTER);
            out.u32(number);
            out.flush();
        }
    }

    /**
     * Reads START's block list after the section's header, and opens the blocks.
     *
     * @return all of them, as they were announced and as they were opened
     */
    public static Map<BlockHeader, RamBlock> readBlocks(
            StreamIn in,
            int pageSize,
            Options options,
            RamIn ram,
            RamTarget target,
            ArrivedPages arrived)
            throws IOException {
        passBlocks(in, pageSize, options, ram);
        Opened opened = new Opened(target, ram, arrived, new LinkedHashMap<>());
        ram.open(opened);
        ram.start(opened.blocks.values());
        return opened.blocks;
    }

    /**
     * Reads START's block list after the section's header, and opens none.
     *
     * @return as they were announced
     */
    public static List<BlockHeader> passBlocks(
            StreamIn in, int pageSize, Options options, RamIn ram) throws IOException {
        long at = in.position();
        long word = in.u64();
        long total = word & -pageSize;
        if ((word & pageSize - 1) != Wire.MEM_SIZE || total <= 0) {
            throw MigrationException.peer(
                    "RAM size 0x%x at %d: must be more than 0, a multiple of %d, with flag 0x%x",
                    word, at, pageSize, Wire.MEM_SIZE);
        }
        boolean addresses = options.get(EngineOptions.X_IGNORE_SHARED);
        List<BlockHeader> blocks = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (long rest = total; rest > 0; ) {
            BlockHeader header = header(in, pageSize, addresses, rest);
            if (!names.add(header.id())) {
                throw MigrationException.peer(
                        "block '%s' is announced twice, again before %d",
                        header.id(), in.position());
            }
            if (blocks.size() == MOST_BLOCKS) {
                throw MigrationException.peer(
                        "over %d RAM blocks are announced, up to %d", MOST_BLOCKS, in.position());
            }
            ram.block(header);
            blocks.add(header);
            rest -= header.usedLength();
        }
        return blocks;
    }

    private static BlockHeader header(StreamIn in, int pageSize, boolean addresses, long rest)
            throws IOException {
        long at = in.position();
        String id = in.str8();
        if (id.isEmpty()) throw MigrationException.peer("a RAM block without a name at %d", at);
        long length = in.u64();
        if (length <= 0 || length > rest || (length & pageSize - 1) != 0) {
            throw MigrationException.peer(
                    "block '%s' at %d has length 0x%x: allowed are multiples of %d up to 0x%x",
                    id, at, length, pageSize, rest);
        }
        OptionalLong address = addresses ? OptionalLong.of(in.u64()) : OptionalLong.empty();
        return new BlockHeader(id, length, pageSize, address);
    }

    /** Remembers what was opened, and what comes of it. */
    private record Opened(
            RamTarget target, RamIn ram, ArrivedPages arrived, Map<BlockHeader, RamBlock> blocks)
            implements RamTarget {
        @Override
        public RamBlock open(BlockHeader header) throws MigrationException {
            return keep(header, ram.opened(checked(header, target.open(header))));
        }

        @Override
        public Optional<Arena> adopts(BlockHeader header) {
            return target.adopts(header);
        }

        @Override
        public RamBlock adopt(BlockHeader header, MemorySegment memory) throws MigrationException {
            return keep(header, checked(header, target.adopt(header, memory)));
        }

        private RamBlock checked(BlockHeader header, RamBlock opened) throws MigrationException {
            RamBlock block = arrived.of(opened);
            if (block.usedLength() != header.usedLength()
                    || block.pageSize() != header.pageSize()) {
                throw MigrationException.host(
                        "RAM block '%s' was opened with 0x%x bytes in pages of %d; announced were"
                                + " 0x%x in pages of %d",
                        header.id(),
                        block.usedLength(),
                        block.pageSize(),
                        header.usedLength(),
                        header.pageSize());
            }
            OptionalLong theirs = header.guestAddress();
            if (block.shared() && theirs.isPresent() && !theirs.equals(block.guestAddress())) {
                throw MigrationException.peer(
                        "shared RAM block '%s' lies at guest address 0x%x there and at %s here",
                        header.id(), theirs.getAsLong(), address(block));
            }
            return block;
        }

        private RamBlock keep(BlockHeader header, RamBlock block) {
            blocks.put(header, block);
            return block;
        }

        private static String address(RamBlock block) {
            return block.guestAddress().isPresent()
                    ? "0x" + Long.toHexString(block.guestAddress().getAsLong())
                    : "none";
        }
    }
}
