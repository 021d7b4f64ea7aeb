package org.vmferry.multifd;

import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * Ranges of a segment as byte buffers, for one gathering write or scattering read. Neighbours
 * become one buffer. The buffers are kept from packet to packet: in a block of up to 1 GiB nothing
 * is allocated any more once they are there.
 *
 * <p>A byte buffer ends at 2 GiB, so each looks through a window of the segment.
 */
final class GatherList {
    private static final long WINDOW = 1L << 30;

    private final ByteBuffer[] buffers;
    private final long[] windows;
    private final int headers;
    private MemorySegment segment;
    private int count;
    private long end;

    /**
     * No ranges.
     *
     * @param limit the most there will be; together at most {@link Packet#DATA} bytes
     * @param header goes before them when they are written, or null
     */
    GatherList(int limit, ByteBuffer header) {
        headers = header == null ? 0 : 1;
        buffers = new ByteBuffer[headers + limit];
        windows = new long[headers + limit];
        if (header != null) buffers[0] = header;
    }

    /** Begins anew, over a segment. */
    void over(MemorySegment memory) {
        if (segment != memory) {
            for (int i = headers; i < buffers.length; i++) buffers[i] = null;
            segment = memory;
        }
        count = 0;
    }

    /** Adds a range; one that begins where the last one ended makes that longer. */
    void add(long offset, int length) {
        if (count > 0 && offset == end) {
            ByteBuffer last = buffer(count - 1);
            last.limit(last.limit() + length);
        } else {
            int index = headers + count++;
            long window = offset / WINDOW;
            if (buffers[index] == null || windows[index] != window) {
                long start = window * WINDOW;
                // A range may begin in a window's last page and end past it.
                long size = Math.min(WINDOW + Packet.DATA, segment.byteSize() - start);
                buffers[index] = segment.asSlice(start, size).asByteBuffer();
                windows[index] = window;
            }
            int position = (int) (offset - window * WINDOW);
            buffers[index].limit(position + length).position(position);
        }
        end = offset + length;
    }

    /** How many ranges there are. */
    int count() {
        return count;
    }

    /** The nth range. */
    ByteBuffer buffer(int index) {
        return buffers[headers + index];
    }

    /** The ranges, {@link #count} of them, where there is no header. */
    ByteBuffer[] buffers() {
        return buffers;
    }

    /** Writes the header and all ranges. */
    void write(Channel channel) throws IOException {
        for (int first = 0, end = headers + count; first < end; ) {
            if (!buffers[first].hasRemaining()) first++;
            else channel.write(buffers, first, end - first);
        }
    }
}
