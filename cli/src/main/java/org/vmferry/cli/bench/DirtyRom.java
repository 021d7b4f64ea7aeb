package org.vmferry.cli.bench;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A QEMU's guest that dirties pages at a rate which the host sets: in place of firmware, 64 KiB. It
 * writes to the pages of its window in turn, as long as it has written to fewer than a word in its
 * RAM allows, and keeps the count in another; both are little-endian, and the host sees them in the
 * file that is the RAM.
 */
final class DirtyRom {
    /** Guest address of the number of pages that it may have written to, 4 bytes. */
    static final int BUDGET = 0x6000;

    /** Guest address of the number of pages that it has written to, 4 bytes. */
    static final int COUNT = 0x6004;

    private static final int LENGTH = 64 << 10;
    private static final int BASE = 0xffff_0000;
    private static final int ENTRY = 0xff00; // 16-bit code
    private static final int RESET_VECTOR = 0xfff0;

    private final ByteBuffer rom = ByteBuffer.allocate(LENGTH).order(ByteOrder.LITTLE_ENDIAN);

    private DirtyRom(int from, int to) {
        bytes(0x66, 0xb8, 0x10, 0x00, 0x8e, 0xd8); //           mov ax, 0x10; mov ds, ax
        bytes(0x31, 0xc9); //                                   xor ecx, ecx: the count
        int start = rom.position();
        bytes(0xbe).word(from); //                              mov esi, from
        int wait = rom.position();
        bytes(0x3b, 0x0d).word(BUDGET); //                      cmp ecx, [BUDGET]
        bytes(0x72, 0x04, 0xf3, 0x90).jump(0xeb, wait); //      jb +4; pause; jmp wait
        bytes(0x41, 0x89, 0x0e, 0x89, 0x0d).word(COUNT); //     inc ecx; mov [esi], ecx; mov [COUNT]
        bytes(0x81, 0xc6).word(4096); //                        add esi, 4096
        bytes(0x81, 0xfe).word(to).jump(0x72, wait); //         cmp esi, to; jb wait
        jump(0xeb, start); //                                   jmp start
        enter();
    }

    /** From real mode at reset to flat 32-bit protected mode. */
    private void enter() {
        rom.position(ENTRY);
        bytes(0xfa, 0xe4, 0x92, 0x0c, 0x02, 0x24, 0xfe); //     cli; in al, 0x92: A20 on, no reset
        bytes(0xe6, 0x92); //                                   out 0x92, al
        bytes(0x66, 0x2e, 0x0f, 0x01, 0x16); //                 lgdt cs:[ENTRY + 0x20]
        rom.putShort((short) (ENTRY + 0x20));
        bytes(0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0); // cr0 |= 1
        bytes(0x66, 0xea).word(BASE).bytes(0x08, 0x00); //      jmp 0x08:BASE, 32-bit
        rom.position(ENTRY + 0x20);
        bytes(0x17, 0x00).word(BASE + ENTRY + 0x28); //         length - 1 and address of:
        rom.position(ENTRY + 0x28);
        word(0).word(0);
        word(0x0000ffff).word(0x00cf9a00); //                   0x08: code, all 4 GiB
        word(0x0000ffff).word(0x00cf9200); //                   0x10: data, all 4 GiB
        rom.position(RESET_VECTOR);
        bytes(0xe9);
        rom.putShort((short) (ENTRY - (RESET_VECTOR + 3))); //  jmp ENTRY, 16-bit
    }

    /**
     * The ROM of a guest with this window.
     *
     * @param from its first byte's guest address, on a page boundary
     * @param to where it ends
     */
    static byte[] image(int from, int to) {
        return new DirtyRom(from, to).rom.array();
    }

    private DirtyRom bytes(int... code) {
        for (int each : code) rom.put((byte) each);
        return this;
    }

    private DirtyRom word(int value) {
        rom.putInt(value);
        return this;
    }

    /** A short jump to a position before. */
    private DirtyRom jump(int code, int to) {
        return bytes(code, to - (rom.position() + 2));
    }
}
