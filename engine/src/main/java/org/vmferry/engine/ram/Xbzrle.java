package org.vmferry.engine.ram;

import org.vmferry.spi.MigrationException;

import java.lang.foreign.MemorySegment;

/**
 * Pages as QEMU's xbzrle sends them (rule RAM-11): how many bytes stay, how many follow that are
 * new, these, and again; what is left of the page stays.
 */
final class Xbzrle {
    private final byte[] delta;
    private final long record;
    private int at;

    private Xbzrle(byte[] delta, long record) {
        this.delta = delta;
        this.record = record;
    }

    /**
     * Changes a page; if the delta makes no sense, perhaps a part of it.
     *
     * @param record its position in the stream, for messages
     */
    static void apply(byte[] delta, MemorySegment page, long record) throws MigrationException {
        Xbzrle reader = new Xbzrle(delta, record);
        int size = Math.toIntExact(page.byteSize());
        for (int offset = 0; reader.at < delta.length; ) {
            offset += reader.run(size - offset, "bytes that stay");
            int count = reader.run(size - offset, "new bytes");
            if (count == 0) throw reader.wrong("no new bytes behind those that stay");
            if (count > delta.length - reader.at)
                throw reader.wrong("fewer new bytes than it says");
            MemorySegment.copy(MemorySegment.ofArray(delta), reader.at, page, offset, count);
            offset += count;
            reader.at += count;
        }
    }

    /** A length in ULEB128. */
    private int run(int most, String what) throws MigrationException {
        long value = 0;
        for (int shift = 0; ; shift += 7) {
            if (at == delta.length) throw wrong("an end within a length");
            byte next = delta[at++];
            value |= (long) (next & 0x7f) << shift;
            if (value > most || shift > 21) throw wrong(what + " beyond the page's end");
            if (next >= 0) return (int) value;
        }
    }

    private MigrationException wrong(String what) {
        return MigrationException.peer("the XBZRLE page at %d has %s", record, what);
    }
}
