package org.vmferry.it.fuzz;

import java.nio.ByteBuffer;

/** Walks what stands on a channel of multifd: a hello and packets. */
final class PacketStructure {
    static final int HELLO = 64;
    private static final int HEADER = 320;
    private static final int NAME = 64; // where it stands in a header
    private static final int OFFSETS = 128;

    private PacketStructure() {}

    static Structure of(byte[] all) {
        Structure found = new Structure();
        ByteBuffer bytes = ByteBuffer.wrap(all);
        for (int at : new int[] {0, 4, 8, 16}) found.field(at, at < 8 ? 4 : 8);
        found.field(24, 1);
        found.piece(0, HELLO);
        int at = HELLO;
        while (at + HEADER + 8 * OFFSETS <= all.length) {
            for (int i = 0; i < 24; i += 4) found.field(at + i, 4);
            found.field(at + 24, 8);
            found.field(at + 32, 4);
            found.field(at + NAME, 1);
            int pages = bytes.getInt(at + 16);
            for (int i = 0; i <= Math.min(pages, 4); i++) found.field(at + HEADER + 8 * i, 8);
            int data = at + HEADER + 8 * OFFSETS;
            int end = data + (pages == 0 ? 0 : bytes.getInt(at + 20));
            for (int i = data; i + 4 <= Math.min(end, data + 16); i += 2) found.field(i, 4);
            found.piece(at, end);
            at = end;
        }
        return found;
    }
}
