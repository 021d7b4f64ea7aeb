package org.vmferry.multifd;

import org.vmferry.spi.MigrationException;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * The header of a packet (rule MFD-4), big-endian. It lists pages of one block; the data of the
 * normal ones follows.
 *
 * <pre>
 *   0 | magic          | version        | flags          | pages_alloc    |
 *  16 | normal_pages   | next_packet_size | packet_num                    |
 *  32 | zero_pages     | 0              | 0                               |
 *  48 | 0                               | 0                               |
 *  64 | ramblock: the block's name in 256 bytes, NUL-padded               |
 * 320 | offset[pages_alloc]: u64 each; the normal pages', then the zero   |
 *     | pages'; room for 524288 / page size of them                       |
 *     +-------------------------------------------------------------------+
 *     | next_packet_size bytes of data                                    |
 * </pre>
 *
 * <p>A view of a segment that is filled again for each packet. One thread at a time.
 */
final class Packet {
    /** The most bytes of pages that one packet carries. */
    static final int DATA = 1 << 19;

    /** The most bytes that these may be on the wire, compressed by whatever codec (rule MFD-10). */
    static final int COMPRESSED = 1 << 20;

    /** The receiver has to meet the main stream here. */
    static final int SYNC = 1;

    private static final int METHOD_SHIFT = 1;
    private static final int METHOD_MASK = 0x1f << METHOD_SHIFT;
    private static final int DEVICE_STATE = 1 << 6;

    private static final ValueLayout.OfInt U32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong U64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private static final int NAME_BYTES = 256;
    private static final MemoryLayout LAYOUT =
            MemoryLayout.structLayout(
                    U32.withName("magic"),
                    U32.withName("version"),
                    U32.withName("flags"),
                    U32.withName("pages_alloc"),
                    U32.withName("normal_pages"),
                    U32.withName("next_packet_size"),
                    U64.withName("packet_num"),
                    U32.withName("zero_pages"),
                    MemoryLayout.paddingLayout(28),
                    MemoryLayout.sequenceLayout(NAME_BYTES, ValueLayout.JAVA_BYTE)
                            .withName("ramblock"));

    private static final VarHandle MAGIC = field(LAYOUT, "magic");
    private static final VarHandle VERSION = field(LAYOUT, "version");
    private static final VarHandle FLAGS = field(LAYOUT, "flags");
    private static final VarHandle PAGES_ALLOC = field(LAYOUT, "pages_alloc");
    private static final VarHandle NORMAL_PAGES = field(LAYOUT, "normal_pages");
    private static final VarHandle NEXT_PACKET_SIZE = field(LAYOUT, "next_packet_size");
    private static final VarHandle PACKET_NUM = field(LAYOUT, "packet_num");
    private static final VarHandle ZERO_PAGES = field(LAYOUT, "zero_pages");
    private static final long NAME = LAYOUT.byteOffset(PathElement.groupElement("ramblock"));
    private static final long OFFSETS = LAYOUT.byteSize();

    private final MemorySegment segment;
    private final int limit;

    /**
     * A header.
     *
     * @param segment of {@link #bytes} bytes
     * @param pageSize bytes
     */
    Packet(MemorySegment segment, int pageSize) {
        this.segment = segment;
        this.limit = limit(pageSize);
    }

    /** The most pages that one packet lists. */
    static int limit(int pageSize) {
        return DATA / pageSize;
    }

    /** The header's length. */
    static int bytes(int pageSize) {
        return (int) OFFSETS + limit(pageSize) * Long.BYTES;
    }

    static VarHandle field(MemoryLayout layout, String name) {
        return layout.varHandle(PathElement.groupElement(name));
    }

    /** Makes it a packet that only synchronises: it has no pages, method bits or name. */
    void encodeSync(long number) {
        encode(SYNC, number, 0, 0, 0, 0);
        segment.asSlice(NAME, NAME_BYTES).fill((byte) 0);
    }

    /**
     * Makes it a packet with pages; their offsets are set one by one.
     *
     * @param number unique over all channels
     * @param method the codec's number, 0 for none
     * @param normal how many pages come with data
     * @param zero how many pages are zero
     * @param size bytes of data
     * @param block the block's name, at most 255 bytes
     */
    void encodePages(long number, int method, int normal, int zero, int size, byte[] block) {
        encode(method << METHOD_SHIFT, number, limit, normal, zero, size);
        MemorySegment.copy(block, 0, segment, ValueLayout.JAVA_BYTE, NAME, block.length);
        segment.asSlice(NAME + block.length, NAME_BYTES - block.length).fill((byte) 0);
    }

    private void encode(int flags, long number, int alloc, int normal, int zero, int size) {
        segment.asSlice(0, NAME).fill((byte) 0);
        MAGIC.set(segment, 0L, Hello.MAGIC);
        VERSION.set(segment, 0L, Hello.VERSION);
        FLAGS.set(segment, 0L, flags);
        PAGES_ALLOC.set(segment, 0L, alloc);
        NORMAL_PAGES.set(segment, 0L, normal);
        NEXT_PACKET_SIZE.set(segment, 0L, size);
        PACKET_NUM.set(segment, 0L, number);
        ZERO_PAGES.set(segment, 0L, zero);
    }

    /** Sets the nth listed page's offset in its block. */
    void offset(int index, long offset) {
        segment.setAtIndex(U64, OFFSETS / Long.BYTES + index, offset);
    }

    /**
     * The nth listed page's offset, checked (rule MFD-8).
     *
     * @param index below {@link #normalPages()} + {@link #zeroPages()}
     * @param usedLength the block's bytes in use
     */
    long offset(int index, long usedLength, int pageSize, int channel) throws MigrationException {
        long offset = segment.getAtIndex(U64, OFFSETS / Long.BYTES + index);
        if (offset < 0 || offset > usedLength - pageSize || offset % pageSize != 0) {
            throw bad(
                    channel,
                    "offset[%d] 0x%x is no page of block '%s' of 0x%x bytes, pages of %d",
                    index,
                    offset,
                    block(channel),
                    usedLength,
                    pageSize);
        }
        return offset;
    }

    /**
     * Checks all fields that make sense without the block (rules MFD-4 to MFD-7, MFD-9, MFD-10).
     *
     * @param channel for messages
     * @param method the number of the receiver's codec, 0 for none
     */
    void check(int channel, int method, int pageSize) throws MigrationException {
        String where = "channel " + channel + ", packet " + number();
        checkMagic((int) MAGIC.get(segment, 0L), where);
        checkVersion((int) VERSION.get(segment, 0L), where);
        if ((flags() & DEVICE_STATE) != 0) {
            throw bad(channel, "flags 0x%x: device state is not supported", flags());
        }
        if ((flags() & ~(SYNC | METHOD_MASK)) != 0) {
            throw bad(
                    channel,
                    "flags 0x%x: only 0x%x are known",
                    flags(),
                    SYNC | METHOD_MASK | DEVICE_STATE);
        }
        int alloc = (int) PAGES_ALLOC.get(segment, 0L);
        checkCount(channel, "pages_alloc", alloc, limit);
        checkCount(channel, "normal_pages", normalPages(), alloc);
        checkCount(channel, "zero_pages", zeroPages(), alloc - normalPages());
        int met = (flags() & METHOD_MASK) >>> METHOD_SHIFT;
        if (met != method && (met != 0 || listsPages())) {
            throw bad(
                    channel,
                    "compression method %d, expected %d (multifd-compression must be the same at"
                            + " both ends)",
                    met,
                    method);
        }
        int size = (int) NEXT_PACKET_SIZE.get(segment, 0L);
        if (normalPages() > 0 && method == 0 && size != normalPages() * pageSize) {
            throw bad(
                    channel,
                    "next_packet_size %s for %d pages of %d bytes",
                    Integer.toUnsignedString(size),
                    normalPages(),
                    pageSize);
        }
        if (normalPages() > 0) checkCount(channel, "next_packet_size", size, COMPRESSED);
    }

    private void checkCount(int channel, String field, int value, int most)
            throws MigrationException {
        if (value < 0 || value > most) {
            throw bad(channel, "%s %s is over %d", field, Integer.toUnsignedString(value), most);
        }
    }

    static void checkMagic(int magic, String where) throws MigrationException {
        if (magic != Hello.MAGIC) {
            throw MigrationException.peer(
                    "multifd %s: magic 0x%08x, expected 0x%08x", where, magic, Hello.MAGIC);
        }
    }

    static void checkVersion(int version, String where) throws MigrationException {
        if (version != Hello.VERSION) {
            throw MigrationException.peer(
                    "multifd %s: version %s, expected %d",
                    where, Integer.toUnsignedString(version), Hello.VERSION);
        }
    }

    /** An error that says where it is. */
    MigrationException bad(int channel, String format, Object... arguments) {
        return MigrationException.peer(
                "multifd channel %d, packet %s: %s",
                channel, number(), String.format(format, arguments));
    }

    private int flags() {
        return (int) FLAGS.get(segment, 0L);
    }

    /** Whether the main stream is to be met after it. */
    boolean sync() {
        return (flags() & SYNC) != 0;
    }

    int normalPages() {
        return (int) NORMAL_PAGES.get(segment, 0L);
    }

    int zeroPages() {
        return (int) ZERO_PAGES.get(segment, 0L);
    }

    boolean listsPages() {
        return normalPages() != 0 || zeroPages() != 0;
    }

    /** How many bytes follow: none without normal pages, whatever is said (rule MFD-11). */
    int size() {
        return normalPages() == 0 ? 0 : (int) NEXT_PACKET_SIZE.get(segment, 0L);
    }

    /** Its number (rule MFD-12). */
    long packetNum() {
        return (long) PACKET_NUM.get(segment, 0L);
    }

    /** Its number, for messages. */
    String number() {
        return Long.toUnsignedString(packetNum());
    }

    /** The block's name (rule MFD-8). */
    String block(int channel) throws MigrationException {
        ByteBuffer name = segment.asSlice(NAME, NAME_BYTES).asByteBuffer();
        int length = 0;
        while (length < NAME_BYTES && name.get(length) != 0) length++;
        if (length == 0 || length == NAME_BYTES) {
            throw bad(
                    channel,
                    "ramblock is %s",
                    length == 0 ? "empty" : "not ended by a NUL within 256 bytes");
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(name.limit(length)).toString();
        } catch (CharacterCodingException e) {
            throw bad(channel, "ramblock is no UTF-8");
        }
    }
}
