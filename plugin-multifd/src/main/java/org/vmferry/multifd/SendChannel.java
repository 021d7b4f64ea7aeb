package org.vmferry.multifd;

import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.compression.CompressionProvider.Compressor;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.ram.Staging;
import org.vmferry.spi.ram.ZeroPages;
import org.vmferry.spi.session.Session;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Makes packets of batches and sends them on one channel. Lives in its worker's thread, as do its
 * buffers. Without a codec pages go from guest memory to the channel as they lie.
 */
final class SendChannel implements AutoCloseable, ZeroPages.Extents<RuntimeException> {
    private final Channel channel;
    private final Session session;
    private final AtomicLong numbers;
    private final boolean findZeros;
    private final int pageSize;

    private final Arena arena = Arena.ofConfined();
    private final ByteBuffer header;
    private final List<Packet> zeroPackets = new ArrayList<>(); // made when first needed
    private ByteBuffer zeroHeaders;
    private final Packet packet;
    private final GatherList normal;
    private final GatherList compressed;
    private final long[] zeros;
    private int normalPages;
    private int zeroPages;
    private final ChannelEvent event;
    private final Staging staging = new Staging(); // of a run
    private final Staging copied = new Staging(); // of a batch
    private MemorySegment copies; // null if pages go out as they lie
    private MemorySegment output; // compressed pages; made when first needed
    private Compressor compressor;

    /**
     * A channel's sender.
     *
     * @param id the channel's number
     * @param channel greeted; owned by the caller
     * @param session the migration
     * @param numbers gives packet_num, for all channels (rule MFD-12)
     * @param pageSize bytes
     * @param findZeros whether it looks for zero pages
     */
    SendChannel(
            int id,
            Channel channel,
            Session session,
            AtomicLong numbers,
            int pageSize,
            boolean findZeros) {
        event = ChannelEvent.begin(session.name(), id, channel.peer());
        this.channel = channel;
        this.session = session;
        this.numbers = numbers;
        this.pageSize = pageSize;
        this.findZeros = findZeros;
        try {
            MemorySegment bytes = arena.allocate(Packet.bytes(pageSize), Long.BYTES);
            header = bytes.asByteBuffer();
            packet = new Packet(bytes, pageSize);
            normal = new GatherList(Packet.limit(pageSize), header);
            compressed = new GatherList(1, header);
            zeros = new long[Packet.limit(pageSize)];
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    /** Sends a packet that synchronises (rule MFD-15). */
    void sendSync() throws IOException {
        packet.encodeSync(numbers.getAndIncrement());
        compressed.over(output); // no ranges: the header alone
        write(compressed, 0);
    }

    /** Sends a batch of pages. */
    void send(Batch batch) throws IOException {
        RamBlock block = batch.block();
        Optional<CompressionProvider> codec = session.codec();
        normalPages = 0;
        zeroPages = 0;
        Optional<MemorySegment> memory = block.memory();
        if (memory.isEmpty() || codec.isPresent()) {
            copies = copied.buffer(Packet.DATA);
            normal.over(copies);
        } else {
            copies = null;
            normal.over(memory.get());
        }
        list(batch);
        for (int i = 0; i < zeroPages; i++) packet.offset(normalPages + i, zeros[i]);

        int size = normalPages * pageSize;
        GatherList data = normal;
        if (codec.isPresent()) {
            size = normalPages == 0 ? 0 : compress(codec.get());
            compressed.over(output);
            if (size > 0) compressed.add(0, size);
            data = compressed;
        }
        packet.encodePages(
                numbers.getAndIncrement(), method(), normalPages, zeroPages, size, name(block));
        write(data, size);
        session.counters().normalPages(normalPages);
        session.counters().zeroPages(zeroPages);
        event.normalPages += normalPages;
        event.zeroPages += zeroPages;
    }

    /** Sends pages that are known to be zero, their packets in one write. */
    void sendZeros(Batch batch) throws IOException {
        if (zeroHeaders == null) makeZeroPackets();
        int limit = Packet.limit(pageSize);
        int listed = 0;
        for (Run run : batch.runs()) {
            for (int i = 0; i < run.pages(); i++, listed++) {
                long offset = run.offset() + (long) i * pageSize;
                zeroPackets.get(listed / limit).offset(listed % limit, offset);
            }
        }
        byte[] name = name(batch.block());
        int packets = 0;
        for (int left = listed; left > 0; left -= limit) {
            zeroPackets
                    .get(packets++)
                    .encodePages(
                            numbers.getAndIncrement(), method(), 0, Math.min(left, limit), 0, name);
        }
        int bytes = packets * Packet.bytes(pageSize);
        session.permit(bytes);
        for (zeroHeaders.clear().limit(bytes); zeroHeaders.hasRemaining(); ) {
            channel.write(zeroHeaders);
        }
        session.counters().bytes(bytes);
        session.counters().zeroPages(listed);
        event.bytes += bytes;
        event.zeroPages += listed;
    }

    private void makeZeroPackets() {
        long each = Packet.bytes(pageSize);
        MemorySegment all = arena.allocate(MultifdSender.ZERO_PACKETS * each, Long.BYTES);
        for (int i = 0; i < MultifdSender.ZERO_PACKETS; i++) {
            zeroPackets.add(new Packet(all.asSlice(i * each, each), pageSize));
        }
        zeroHeaders = all.asByteBuffer();
    }

    private int method() {
        return session.codec().map(CompressionProvider::wireMethod).orElse(0);
    }

    private static byte[] name(RamBlock block) {
        return block.id().getBytes(StandardCharsets.UTF_8);
    }

    private void write(GatherList data, int size) throws IOException {
        header.clear();
        int bytes = header.remaining() + size;
        session.permit(bytes);
        data.write(channel);
        session.counters().bytes(bytes);
        event.bytes += bytes;
    }

    /** Lists a batch's pages. */
    private void list(Batch batch) {
        for (Run run : batch.runs()) {
            if (findZeros) ZeroPages.divide(run, staging, this);
            else others(run, staging.bytes(run));
        }
    }

    @Override
    public void zeros(Run run) {
        for (int i = 0; i < run.pages(); i++) {
            zeros[zeroPages++] = run.offset() + (long) i * pageSize;
        }
    }

    /** Where they lie, or copied one behind another: guest memory changes (rule MFD-19). */
    @Override
    public void others(Run run, MemorySegment bytes) {
        long data = run.offset();
        if (copies != null) {
            data = (long) normalPages * pageSize;
            MemorySegment.copy(bytes, 0, copies, data, run.bytes());
        }
        for (int i = 0; i < run.pages(); i++) {
            packet.offset(normalPages++, run.offset() + (long) i * pageSize);
        }
        normal.add(data, (int) run.bytes());
    }

    /** Compresses the normal pages into the output, flushed (rule MFD-10). */
    private int compress(CompressionProvider codec) throws IOException {
        if (compressor == null) {
            compressor = codec.compressor(session.options().get(codec.level()));
            output = arena.allocate(compressor.maximumOutput(Packet.DATA), Long.BYTES);
        }
        ByteBuffer target = output.asByteBuffer();
        for (int i = 0; i < normal.count(); i++) {
            compressor.compress(normal.buffer(i), target, i == normal.count() - 1);
        }
        return target.position();
    }

    /** Frees buffers and compressor; the channel is its owner's. */
    @Override
    public void close() {
        try (arena;
                staging;
                copied) {
            event.over();
            if (compressor != null) compressor.close();
        }
    }
}
