package org.vmferry.it.fuzz;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Walks a genuine main stream, of a host of ours or of a QEMU, as docs/wire says; it shares no code
 * with what is tried. Where a device ends nothing says: there the next footer with its id counts
 * that something known follows.
 */
final class StreamStructure {
    private static final int CONTINUE = 0x20;
    private static final int EVERY = 64; // of the records so many are looked at, then each 16th

    private final ByteBuffer bytes;
    private final Structure found = new Structure();
    private boolean mapped;
    private boolean addresses;
    private int page = 4096;
    private int ram = -1; // its section's id
    private int records;

    private StreamStructure(byte[] all) {
        bytes = ByteBuffer.wrap(all);
    }

    static Structure of(byte[] all) {
        StreamStructure walk = new StreamStructure(all);
        try {
            walk.walk();
        } catch (IndexOutOfBoundsException | java.nio.BufferUnderflowException e) {
            // What was found up to here is enough: it ends in a section that nobody can tell.
        }
        return walk.found;
    }

    private int at() {
        return bytes.position();
    }

    private int u32() {
        found.field(at(), 4);
        return bytes.getInt();
    }

    private long u64() {
        found.field(at(), 8);
        return bytes.getLong();
    }

    private String str8() {
        found.field(at(), 1);
        byte[] name = new byte[bytes.get() & 0xff];
        bytes.get(name);
        return new String(name, StandardCharsets.ISO_8859_1);
    }

    private void skip(int count) {
        bytes.position(at() + count);
    }

    private void walk() {
        u32();
        u32();
        found.piece(0, 8);
        if (bytes.get(at()) == 7) configuration();
        while (true) {
            int begin = at();
            int mark = bytes.get();
            found.field(begin, 1);
            if (mark == 0) break;
            section(mark);
            found.piece(begin, at());
        }
        if (!bytes.hasRemaining()) return;
        int begin = at();
        if (bytes.get() == 6) {
            int length = u32();
            found.text(at(), at() + length);
            skip(length);
            found.piece(begin, at());
        }
        found.piece(at(), bytes.limit());
        found.text(at(), bytes.limit());
    }

    private void configuration() {
        int begin = at();
        found.field(at(), 1);
        skip(1);
        skip(u32());
        while (bytes.get(at()) == 5) {
            int part = at();
            skip(1);
            String name = str8();
            u32();
            if (name.endsWith("capabilities")) {
                for (int count = u32(); count > 0; count--) {
                    String capability = str8();
                    mapped |= capability.equals("mapped-ram");
                    addresses |= capability.equals("x-ignore-shared");
                }
            } else if (name.endsWith("uuid")) {
                skip(16);
            } else {
                page = 1 << u32();
            }
            found.piece(part, at());
        }
        found.piece(begin, at());
    }

    private void section(int mark) {
        if (mark == 8) {
            found.field(at(), 2);
            skip(2);
            found.field(at(), 2);
            skip(bytes.getShort());
            return;
        }
        int id = u32();
        String name = "";
        if (mark == 1 || mark == 4) {
            name = str8();
            u32();
            u32();
        }
        if (name.equals("ram")) {
            ram = id;
            blocks(u64() & -5);
        }
        if (id == ram) records();
        else payload(id);
        found.field(at(), 1);
        skip(1);
        u32();
    }

    private void blocks(long total) {
        while (total > 0) {
            int begin = at();
            str8();
            long used = u64();
            if (addresses) u64();
            total -= used;
            if (mapped) {
                u32();
                u64();
                long bitmap = u64();
                long pages = u64();
                if (pages == 0) continue;
                found.little((int) bitmap, 8);
                bytes.position((int) (pages + used));
            }
            found.piece(begin, at());
        }
    }

    private void records() {
        while (true) {
            int begin = at();
            boolean looked = records++ < EVERY || records % 16 == 0;
            if (looked) found.field(begin, 8);
            long flags = bytes.getLong() & page - 1;
            if (flags == 0x10) return;
            if (flags != 0x200) {
                if ((flags & CONTINUE) == 0) str8();
                if ((flags & 0x40) != 0) {
                    skip(1);
                    found.field(at(), 2);
                    skip(bytes.getShort() & 0xffff);
                } else {
                    skip((flags & 8) != 0 ? page : 1);
                }
            }
            if (looked) found.piece(begin, at());
        }
    }

    /** Up to a footer of this id with a mark behind it; the first words in it may be numbers. */
    private void payload(int id) {
        int begin = at();
        for (int i = begin; i < begin + 32 && i + 4 <= bytes.limit(); i += 4) found.field(i, 4);
        for (int i = begin; ; i++) {
            if (bytes.get(i) != 0x7e || bytes.getInt(i + 1) != id) continue;
            int next = bytes.get(i + 5);
            if (next < 0 || next > 8 || next == 5 || next == 7) continue;
            bytes.position(i);
            return;
        }
    }
}
