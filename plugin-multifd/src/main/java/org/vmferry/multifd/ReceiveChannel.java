package org.vmferry.multifd;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.compression.CompressionProvider.Decompressor;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;

/**
 * Reads the packets of one channel and puts their pages into RAM. Lives in its worker's thread, as
 * do its buffers. Without a codec pages go from the channel to guest memory where they belong.
 *
 * <p>A packet is checked as a whole before its first page is touched.
 */
final class ReceiveChannel implements AutoCloseable {
    private final int id;
    private final Source source;
    private final Session session;
    private final Map<String, Target> blocks;
    private final int pageSize;
    private final int method;

    private final Arena arena = Arena.ofConfined();
    private final ByteBuffer header;
    private final Packet packet;
    private final Ranges ranges;
    private final long[] offsets;
    private final ChannelEvent event;
    private MemorySegment staging; // pages on their way; made when first needed
    private Arena inputArena; // replaced when a packet wants more
    private ByteBuffer input;
    private Decompressor decompressor;

    /**
     * A channel's receiver.
     *
     * @param id the channel's number
     * @param source its bytes after the hello
     * @param session the migration
     * @param blocks by name
     * @param pageSize bytes
     */
    ReceiveChannel(
            int id, Source source, Session session, Map<String, Target> blocks, int pageSize) {
        this.id = id;
        event = ChannelEvent.begin(session.name(), id, source.peer());
        this.source = source;
        this.session = session;
        this.blocks = blocks;
        this.pageSize = pageSize;
        method = session.codec().map(CompressionProvider::wireMethod).orElse(0);
        try {
            MemorySegment bytes = arena.allocate(Packet.bytes(pageSize), Long.BYTES);
            header = bytes.asByteBuffer();
            packet = new Packet(bytes, pageSize);
            ranges = new Ranges(Packet.limit(pageSize), null);
            offsets = new long[Packet.limit(pageSize)];
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    /**
     * Reads the next header, and checks what it says.
     *
     * @return null at the channel's end
     */
    Packet next() throws IOException {
        if (!source.fill(header.clear())) return null;
        session.counters().bytes(header.limit());
        event.bytes += header.limit();
        packet.check(id, method, pageSize);
        return packet;
    }

    /** Puts the pages of the packet that was just read into RAM; there is at least one. */
    void apply() throws IOException {
        String name = packet.block(id);
        Target target = blocks.get(name);
        if (target == null) throw packet.bad(id, "there is no RAM block '%s'", name);
        RamBlock block = target.block();
        session.came(block);
        int normal = packet.normalPages();
        int zero = packet.zeroPages();
        for (int i = 0; i < normal + zero; i++) {
            offsets[i] = packet.offset(i, block.usedLength(), pageSize, id);
        }
        Optional<MemorySegment> memory = reachable(block);
        if (normal > 0) {
            arrive(target, normal);
            list(memory, normal);
            if (method == 0) source.fill(ranges.buffers(), ranges.count());
            else decompress();
            if (memory.isEmpty()) write(block, normal);
            session.counters().bytes(packet.size());
            event.bytes += packet.size();
        }
        MemorySegment copy = zero > 0 && memory.isEmpty() ? staging().asSlice(0, pageSize) : null;
        for (int i = normal; i < normal + zero; i++) target.zero(offsets[i], copy);
        session.counters().normalPages(normal);
        session.counters().zeroPages(zero);
        event.normalPages += normal;
        event.zeroPages += zero;
    }

    /**
     * Memory that the data may go to as they come. A codec is native code, and ends the process if
     * it meets a page of a mapped file that the disk has no room for; a system call or a copy
     * fails.
     */
    private Optional<MemorySegment> reachable(RamBlock block) {
        Optional<MemorySegment> memory = block.memory();
        return method == 0 ? memory : memory.filter(m -> !m.isMapped());
    }

    /** Where the data go: straight to their pages, or into the staging buffer one after another. */
    private void list(Optional<MemorySegment> memory, int normal) {
        if (memory.isEmpty()) {
            ranges.over(staging());
            ranges.add(0, normal * pageSize);
            return;
        }
        ranges.over(memory.get());
        for (int i = 0; i < normal; i++) ranges.add(offsets[i], pageSize);
    }

    private void decompress() throws IOException {
        if (decompressor == null) decompressor = session.codec().orElseThrow().decompressor();
        ByteBuffer data = input(packet.size());
        if (!source.fill(data) && data.hasRemaining()) {
            throw packet.bad(id, "the channel ends before %d bytes of data", data.remaining());
        }
        data.flip();
        try {
            for (int i = 0; i < ranges.count(); i++) {
                decompressor.decompress(data, ranges.buffer(i));
            }
            decompressor.endPacket(data);
        } catch (MigrationException e) {
            throw new MigrationException(
                    e.blame(),
                    "multifd channel %d, packet %s: %s"
                            .formatted(id, packet.number(), e.getMessage()),
                    e);
        }
    }

    /** How many of the normal pages, from one on, are neighbours. */
    private int neighbours(int first, int normal) {
        int last = first + 1;
        while (last < normal && offsets[last] == offsets[last - 1] + pageSize) last++;
        return last - first;
    }

    private void arrive(Target target, int normal) {
        for (int first = 0, pages; first < normal; first += pages) {
            pages = neighbours(first, normal);
            target.arrive(offsets[first], pages);
        }
    }

    /** Copies the staged pages into a block that has no memory to offer. */
    private void write(RamBlock block, int normal) {
        for (int first = 0, pages; first < normal; first += pages) {
            pages = neighbours(first, normal);
            block.write(
                    offsets[first],
                    staging.asSlice((long) first * pageSize, (long) pages * pageSize));
        }
    }

    private MemorySegment staging() {
        if (staging == null) staging = arena.allocate(Packet.DATA, pageSize);
        return staging;
    }

    private ByteBuffer input(int size) {
        if (input == null || input.capacity() < size) {
            if (inputArena != null) inputArena.close();
            inputArena = Arena.ofConfined();
            // Seldom more than the pages themselves; at most what check() has let pass.
            input = inputArena.allocate(Math.max(size, 1 << 16)).asByteBuffer();
        }
        return input.clear().limit(size);
    }

    /** Frees buffers and decompressor; the channel is its owner's. */
    @Override
    public void close() {
        try (arena;
                Arena _ = inputArena) {
            event.over();
            if (decompressor != null) decompressor.close();
        }
    }
}
