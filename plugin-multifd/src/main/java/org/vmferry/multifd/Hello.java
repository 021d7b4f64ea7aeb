package org.vmferry.multifd;

import org.vmferry.spi.MigrationException;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.UUID;

/**
 * What a channel says first (rule MFD-1), big-endian:
 *
 * <pre>
 *  0        4        8                24   25              64
 *  +--------+--------+----------------+----+---------------+
 *  | magic  | version| uuid           | id | reserved      |
 *  +--------+--------+----------------+----+---------------+
 * </pre>
 *
 * @param uuid the virtual machine's; zeros if it has none
 * @param id the channel's number
 */
record Hello(UUID uuid, int id) {
    /** Begins a hello and every packet. */
    static final int MAGIC = 0x11223344;

    /** How long the magic is, in bytes. */
    static final int MAGIC_BYTES = Integer.BYTES;

    /** The only version there is, of hello and packets. */
    static final int VERSION = 1;

    private static final ValueLayout.OfInt U32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfLong U64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private static final MemoryLayout LAYOUT =
            MemoryLayout.structLayout(
                    U32.withName("magic"),
                    U32.withName("version"),
                    U64.withName("uuidHigh"),
                    U64.withName("uuidLow"),
                    ValueLayout.JAVA_BYTE.withName("id"),
                    MemoryLayout.paddingLayout(39));

    /** Its length in bytes. */
    static final int BYTES = (int) LAYOUT.byteSize();

    private static final VarHandle MAGIC_FIELD = Packet.field(LAYOUT, "magic");
    private static final VarHandle VERSION_FIELD = Packet.field(LAYOUT, "version");
    private static final VarHandle UUID_HIGH = Packet.field(LAYOUT, "uuidHigh");
    private static final VarHandle UUID_LOW = Packet.field(LAYOUT, "uuidLow");
    private static final VarHandle ID = Packet.field(LAYOUT, "id");

    /** Writes {@link #BYTES} bytes. */
    void encode(MemorySegment into) {
        into.asSlice(0, BYTES).fill((byte) 0);
        MAGIC_FIELD.set(into, 0L, MAGIC);
        VERSION_FIELD.set(into, 0L, VERSION);
        UUID_HIGH.set(into, 0L, uuid.getMostSignificantBits());
        UUID_LOW.set(into, 0L, uuid.getLeastSignificantBits());
        ID.set(into, 0L, (byte) id);
    }

    /**
     * Checks that bytes are a hello, whose magic the engine has read.
     *
     * @param from {@link #BYTES} bytes; the first four are not looked at
     * @param peer who said it, for messages
     */
    static Hello decode(MemorySegment from, String peer) throws MigrationException {
        Packet.checkVersion((int) VERSION_FIELD.get(from, 0L), "hello from " + peer);
        return new Hello(
                new UUID((long) UUID_HIGH.get(from, 0L), (long) UUID_LOW.get(from, 0L)),
                Byte.toUnsignedInt((byte) ID.get(from, 0L)));
    }
}
