package org.vmferry.it.fuzz;

import org.vmferry.it.fuzz.Structure.Piece;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Walks TLS's records, and in them what is in the clear of a handshake. */
final class TlsStructure {
    private static final int HEADER = 5;
    private static final int CHANGE_CIPHER_SPEC = 20;
    private static final int ALERT = 21;
    private static final int HANDSHAKE = 22;
    private static final int RANDOM_END = 34;
    private static final int LOOKED = 40; // bytes of a message that nobody here knows

    private final Structure found = new Structure();
    private final ByteBuffer bytes;

    private TlsStructure(byte[] all) {
        bytes = ByteBuffer.wrap(all);
    }

    static Structure of(byte[] all) {
        TlsStructure walk = new TlsStructure(all);
        try {
            walk.records();
        } catch (IndexOutOfBoundsException e) {
            // What was found up to here is enough.
        }
        return walk.found;
    }

    /** Each record, as far as it is there. */
    static List<Piece> records(byte[] all) {
        List<Piece> records = new ArrayList<>();
        ByteBuffer bytes = ByteBuffer.wrap(all);
        for (int at = 0; at + HEADER <= all.length; ) {
            int end = at + HEADER + (bytes.getShort(at + 3) & 0xffff);
            records.add(new Piece(at, Math.min(end, all.length)));
            at = end;
        }
        return records;
    }

    private void records() {
        boolean clear = true;
        for (Piece record : records(bytes.array())) {
            int at = record.from();
            int type = bytes.get(at);
            found.field(at, 1);
            found.field(at + 1, 2);
            found.field(at + 3, 2);
            found.piece(at, record.to());
            if (type == CHANGE_CIPHER_SPEC) clear = false;
            if (type == ALERT && clear) {
                found.field(at + HEADER, 1);
                found.field(at + HEADER + 1, 1);
            }
            if (type == HANDSHAKE && clear) messages(at + HEADER, record.to());
        }
    }

    private void messages(int at, int end) {
        while (at + 4 <= end) {
            int body = at + 4;
            int next = body + u24(at + 1);
            found.field(at, 1);
            u24Field(at + 1);
            found.piece(at, Math.min(next, end));
            switch (bytes.get(at)) {
                case 1 -> clientHello(body);
                case 2 -> extensions(sessionId(body) + 3);
                case 11 -> certificates(body, next);
                default -> {
                    for (int i = body; i + 2 <= Math.min(next, body + LOOKED); i++) {
                        found.field(i, 1);
                        found.field(i, 2);
                    }
                }
            }
            at = next;
        }
    }

    /** Where it ends. */
    private int sessionId(int body) {
        found.field(body, 2);
        found.field(body + RANDOM_END, 1);
        return body + RANDOM_END + 1 + bytes.get(body + RANDOM_END);
    }

    private void clientHello(int body) {
        int suites = sessionId(body);
        found.field(suites, 2);
        int methods = suites + 2 + u16(suites);
        for (int at = suites + 2; at < methods; at += 2) found.piece(at, at + 2);
        found.field(methods, 1);
        extensions(methods + 1 + bytes.get(methods));
    }

    private void extensions(int at) {
        found.field(at, 2);
        int end = at + 2 + u16(at);
        for (int one = at + 2; one < end; ) {
            int next = one + 4 + u16(one + 2);
            found.field(one, 2);
            found.field(one + 2, 2);
            for (int i = one + 4; i + 2 <= Math.min(next, one + 12); i++) {
                found.field(i, 1);
                found.field(i, 2);
            }
            found.piece(one, next);
            one = next;
        }
    }

    private void certificates(int at, int end) {
        u24Field(at);
        for (int one = at + 3; one < end; ) {
            u24Field(one);
            int next = one + 3 + u24(one);
            found.piece(one, next);
            der(found, bytes, one + 3, next);
            one = next;
        }
    }

    /** Of a certificate: tags and lengths of what is nested in it. */
    static Structure der(byte[] certificate) {
        Structure found = new Structure();
        der(found, ByteBuffer.wrap(certificate), 0, certificate.length);
        return found;
    }

    private static void der(Structure found, ByteBuffer bytes, int at, int end) {
        while (at + 2 <= end) {
            int length = bytes.get(at + 1);
            int body = at + 2;
            if (length < 0) {
                int width = length & 0x7f;
                length = 0;
                while (width-- > 0) length = length << 8 | bytes.get(body++) & 0xff;
            }
            if (length < 0 || length > end - body) return; // no DER in here
            for (int i = at; i < body; i++) found.field(i, 1);
            found.piece(at, body + length);
            int tag = bytes.get(at);
            boolean nests = (tag & 0x20) != 0 || tag == 4 || tag == 3;
            if (nests) der(found, bytes, tag == 3 ? body + 1 : body, body + length);
            else if (length > 0) found.field(body, 1);
            at = body + length;
        }
    }

    private void u24Field(int at) {
        found.field(at, 1);
        found.field(at + 1, 2);
    }

    private int u16(int at) {
        return bytes.getShort(at) & 0xffff;
    }

    private int u24(int at) {
        return (bytes.get(at) & 0xff) << 16 | u16(at + 1);
    }
}
