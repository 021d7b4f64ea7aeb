package org.vmferry.engine.stream;

import org.vmferry.spi.MigrationException;

import java.io.IOException;

/** A section's payload as it is read: all of it goes onto a tape. */
final class Payload {
    private final StreamIn in;
    private final Tape tape;
    private final String section;
    private final long from;

    Payload(StreamIn in, Tape tape, String section) {
        this.in = in;
        this.tape = tape;
        this.section = section;
        this.from = tape.length();
    }

    int u8() throws IOException {
        if (room() == 0) throw tooLong("the length of what follows", 1);
        int value = in.u8();
        tape.append(value);
        return value;
    }

    int u16() throws IOException {
        return u8() << 8 | u8();
    }

    int u32() throws IOException {
        return u16() << 16 | u16();
    }

    long u64() throws IOException {
        return (long) u32() << 32 | u32() & 0xffffffffL;
    }

    /** A name or whatever stands behind a byte that says how long it is. */
    void str8() throws IOException {
        skip(u8(), "a name's length");
    }

    /**
     * Reads on.
     *
     * @param bytes what the stream says: any value
     * @param field what says so
     */
    void skip(long bytes, String field) throws IOException {
        if (bytes < 0 || bytes > room()) throw tooLong(field, bytes);
        tape.append(in, bytes);
    }

    private long room() {
        long left = Tape.LONGEST_PIECE - (tape.length() - from);
        return Math.min(left, Tape.LONGEST - tape.length());
    }

    private MigrationException tooLong(String field, long bytes) {
        return MigrationException.peer(
                "section '%s': %s before %d is %s; a part of a section may take %d bytes, and all"
                        + " sections that are kept %d",
                section,
                field,
                in.position(),
                Long.toUnsignedString(bytes),
                Tape.LONGEST_PIECE,
                Tape.LONGEST);
    }

    /** The byte that comes next, which stays to be read. */
    int next() throws IOException {
        return in.peek(0);
    }

    /** What the payload holds is not what it can. */
    MigrationException wrong(String field, String value, String allowed) {
        return MigrationException.peer(
                "section '%s': %s before %d is %s, must be %s",
                section, field, in.position(), value, allowed);
    }
}
