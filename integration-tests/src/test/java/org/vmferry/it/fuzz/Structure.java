package org.vmferry.it.fuzz;

import java.util.ArrayList;
import java.util.List;

/**
 * Where an input has its numbers, and of which pieces it consists.
 *
 * @param fields numbers: lengths, counts, flags, addresses, ids
 * @param pieces sections, records, packets, lines
 * @param texts JSON and the like
 */
record Structure(List<Field> fields, List<Piece> pieces, List<Piece> texts) {

    /** A number of 1, 2, 4 or 8 bytes. */
    record Field(int at, int width, boolean littleEndian) {}

    /** From the first byte up to the one behind the last. */
    record Piece(int from, int to) {
        int length() {
            return to - from;
        }
    }

    Structure() {
        this(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    }

    void field(int at, int width) {
        fields.add(new Field(at, width, false));
    }

    void little(int at, int width) {
        fields.add(new Field(at, width, true));
    }

    void piece(int from, int to) {
        if (from < to) pieces.add(new Piece(from, to));
    }

    void text(int from, int to) {
        if (from < to) texts.add(new Piece(from, to));
    }

    /** Of which only the first bytes are known to matter. */
    static Structure ofBytes(byte[] bytes) {
        Structure found = new Structure();
        for (int at = 0; at < Math.min(32, bytes.length - 4); at++) found.little(at, 1);
        for (int at = 0; at < Math.min(32, bytes.length - 4); at += 2) found.little(at, 4);
        for (int at = 0; at < bytes.length; at += Math.max(1, bytes.length / 8)) {
            found.piece(at, Math.min(bytes.length, at + bytes.length / 8));
        }
        return found;
    }

    /** Lines that end with a line feed, all of them texts. */
    static Structure ofLines(byte[] bytes) {
        Structure found = new Structure();
        int begin = 0;
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] != '\n') continue;
            found.piece(begin, i + 1);
            found.text(begin, i);
            begin = i + 1;
        }
        return found;
    }
}
