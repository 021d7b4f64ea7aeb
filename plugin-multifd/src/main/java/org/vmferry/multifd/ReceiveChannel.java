package org.vmferry.multifd;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.compression.CompressionProvider.Decompressor;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.ram.Staging;
import org.vmferry.spi.ram.ZeroPages;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads the packets of one channel and puts their pages into RAM. Lives in its worker's thread, as
 * do its buffers. Without a codec pages go from the channel to guest memory where they belong.
 *
 * <p>A packet is checked as a whole before its first page is touched.
 */
final class ReceiveChannel implements AutoCloseable {
    private static final int AHEAD = 1 << 15; // bytes: some 24 headers

    private final int id;
    private final CountedInput source;
    private final Session session;
    private final Map<String, RamBlock> blocks;
    private final int pageSize;
    private final int method;

    private final Arena arena = Arena.ofConfined();
    private final ByteBuffer header;
    private boolean headerAlone; // the last one had no data
    private final Packet packet;
    private final GatherList ranges;
    private final long[] offsets;
    private final ChannelEvent event;
    private final Staging staging = new Staging(); // pages on their way
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
            int id,
            CountedInput source,
            Session session,
            Map<String, RamBlock> blocks,
            int pageSize) {
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
            ranges = new GatherList(Packet.limit(pageSize), null);
            offsets = new long[Packet.limit(pageSize)];
            source.mayReadAhead(arena.allocate(AHEAD).asByteBuffer());
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
        header.clear();
        // Behind a packet without data another header is likely to follow.
        boolean came = headerAlone ? source.fillAhead(header) : source.fill(header);
        if (!came) return null;
        session.counters().bytes(header.limit());
        event.bytes += header.limit();
        packet.check(id, method, pageSize);
        headerAlone = packet.normalPages() == 0;
        return packet;
    }

    /** Puts the pages of the packet that was just read into RAM; there is at least one. */
    void apply() throws IOException {
        String name = packet.block(id);
        RamBlock block = blocks.get(name);
        if (block == null) throw packet.bad(id, "there is no RAM block '%s'", name);
        session.came(block);
        int normal = packet.normalPages();
        int zero = packet.zeroPages();
        for (int i = 0; i < normal + zero; i++) {
            offsets[i] = packet.offset(i, block.usedLength(), pageSize, id);
        }
        Optional<MemorySegment> memory = reachable(block);
        if (normal > 0) {
            for (Run run : runs(block, 0, normal)) session.arrives(run);
            list(memory, normal);
            if (method == 0) source.fill(ranges.buffers(), ranges.count());
            else decompress();
            if (memory.isEmpty()) write(runs(block, 0, normal));
            session.counters().bytes(packet.size());
            event.bytes += packet.size();
        }
        for (Run run : runs(block, normal, normal + zero)) ZeroPages.clear(run, staging);
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

    /** The pages of the packet from one on and before another, neighbours together. */
    private List<Run> runs(RamBlock block, int from, int to) {
        List<Run> runs = new ArrayList<>();
        for (int first = from, last; first < to; first = last) {
            last = first + 1;
            while (last < to && offsets[last] == offsets[last - 1] + pageSize) last++;
            runs.add(new Run(block, offsets[first] / pageSize, last - first));
        }
        return runs;
    }

    /** Copies the staged pages into a block that has no memory to offer. */
    private void write(List<Run> runs) {
        long from = 0;
        for (Run run : runs) {
            run.block().write(run.offset(), staging().asSlice(from, run.bytes()));
            from += run.bytes();
        }
    }

    private MemorySegment staging() {
        return staging.buffer(Packet.DATA);
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
                staging;
                Arena _ = inputArena) {
            event.over();
            if (decompressor != null) decompressor.close();
        }
    }
}
