package org.vmferry.it.qemu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.regex.Pattern;

/**
 * The guest that runs in tests: a 64 KiB ROM which stands in for the firmware ({@code -bios}). It
 * needs no operating system, and proves by itself that its memory and registers survived a
 * migration.
 *
 * <pre>
 * guest address
 * 0x00006000  4 KiB   stack
 * 0x00100000  ...     free for the two ranges, which may overlap
 *   fill:   written once, before the first line. Of every eight pages (counted from guest address
 *           0) the first five get a pattern without zero words, the last three stay zero
 *   window: in each pass, the first word of each of its pages becomes the pass's number
 * 0xffff0000  64 KiB  the ROM: code at 0x0000, 16-bit entry at 0xff00, reset vector at 0xfff0
 * </pre>
 *
 * <p>Then it makes passes without end: it checks that each word of the window still holds what the
 * pass before wrote, writes the new one, and prints the pass's number on the first serial port, as
 * eight hexadecimal digits and a line feed. On a wrong word it prints {@code BAD} and the page's
 * address, and halts. The counter lives in a register: what the source printed, followed by what
 * the destination printed, has to be one gapless count, see {@link #lastCount}.
 *
 * @param fillFrom guest address of the range to fill, on a page boundary
 * @param fillLength its length in bytes, whole pages; 0: nothing is filled
 * @param windowFrom guest address of the window, on a page boundary
 * @param windowLength its length in bytes, whole pages; 0: nothing is dirtied
 * @param blinking every second pass writes zeros instead of its number, so that pages of the window
 *     outside the fill become zero again
 * @param rechecking every pass also reads all of the filled range, except each page's first word,
 *     and compares
 * @param spin how often an empty loop turns after each line: 1,000,000 is about a millisecond
 */
public record GuestRom(
        long fillFrom,
        long fillLength,
        long windowFrom,
        long windowLength,
        boolean blinking,
        boolean rechecking,
        int spin) {

    /** The ROM's length in bytes. */
    public static final int LENGTH = 64 << 10;

    /** The lowest guest address of both ranges. */
    public static final long LOWEST = 1 << 20;

    // Above are a PC's devices.
    private static final long HIGHEST = 3L << 30;

    private static final int PAGE = 4096;
    private static final int WORDS_PER_PAGE = PAGE / 4;
    private static final int PAGES_PER_GROUP = 8;
    private static final int FILLED_PER_GROUP = 5;
    private static final int STEP = 0x9e3779b1;

    private static final int BASE = 0xffff0000;
    private static final int ENTRY = 0xff00;
    private static final int RESET_VECTOR = 0xfff0;
    private static final Pattern COUNT = Pattern.compile("[0-9a-f]{8}");

    /** Checks the ranges. */
    public GuestRom {
        checkRange("fill", fillFrom, fillLength);
        checkRange("window", windowFrom, windowLength);
        if (spin < 0) throw new IllegalArgumentException("spin " + spin + " is negative");
    }

    private static void checkRange(String name, long from, long length) {
        if (length < 0
                || from < LOWEST
                || from > HIGHEST
                || length > HIGHEST - from
                || (from | length) % PAGE != 0) {
            throw new IllegalArgumentException(
                    "The %s 0x%x + 0x%x is not whole pages between 0x%x and 0x%x"
                            .formatted(name, from, length, LOWEST, HIGHEST));
        }
    }

    /** A guest that only counts. */
    public static GuestRom counting() {
        return new GuestRom(LOWEST, 0, LOWEST, 0, false, false, 1_000_000);
    }

    /** The same guest, filling this range first. Units as in the record. */
    public GuestRom fill(long from, long length) {
        return new GuestRom(from, length, windowFrom, windowLength, blinking, rechecking, spin);
    }

    /** The same guest, dirtying one word in each page of this range. Units as in the record. */
    public GuestRom dirty(long from, long length) {
        return new GuestRom(fillFrom, fillLength, from, length, blinking, rechecking, spin);
    }

    /** The same guest, whose dirtied pages become zero in every second pass. */
    public GuestRom blink() {
        return new GuestRom(fillFrom, fillLength, windowFrom, windowLength, true, rechecking, spin);
    }

    /** The same guest, comparing the filled range in every pass. */
    public GuestRom recheck() {
        return new GuestRom(fillFrom, fillLength, windowFrom, windowLength, blinking, true, spin);
    }

    /** The same guest, with another pause after each line. Units as in the record. */
    public GuestRom spin(int turns) {
        return new GuestRom(
                fillFrom, fillLength, windowFrom, windowLength, blinking, rechecking, turns);
    }

    /**
     * What the guest has filled a page with, before any dirtying: little-endian words.
     *
     * @param address a page's guest address; outside the filled range the page is zero
     */
    public byte[] filledPage(long address) {
        if (address % PAGE != 0) throw new IllegalArgumentException("Not a page: " + address);
        var page = ByteBuffer.allocate(PAGE).order(ByteOrder.LITTLE_ENDIAN);
        boolean inside = address >= fillFrom && address < fillFrom + fillLength;
        if (inside && address / PAGE % PAGES_PER_GROUP < FILLED_PER_GROUP) {
            int value = (int) address;
            for (int word = 0; word < WORDS_PER_PAGE; word++) {
                value += STEP;
                page.putInt(value | 1);
            }
        }
        return page.array();
    }

    /**
     * Checks what guests of this kind have printed, one after another, and returns the last whole
     * count, 0 if there is none yet.
     *
     * @throws AssertionError if a count is missing, repeated or garbled, or the guest found its
     *     memory changed
     */
    public static long lastCount(String serial) {
        long last = 0;
        String[] lines = serial.split("\n", -1);
        for (String line : Arrays.copyOf(lines, lines.length - 1)) {
            if (line.startsWith("BAD")) {
                throw new AssertionError(
                        "The guest found its memory changed after pass " + last + ": " + line);
            }
            if (!COUNT.matcher(line).matches() || Long.parseLong(line, 16) != last + 1) {
                throw new AssertionError("After %08x the guest printed '%s'".formatted(last, line));
            }
            last++;
        }
        return last;
    }

    /** The ROM's bytes, {@link #LENGTH} of them. */
    public byte[] image() {
        var code = new Assembler();
        // Flat segments: the code's own base differs from the 16-bit one, the data's is 0.
        code.bytes(0x66, 0xb8, 0x10, 0x00); //           mov ax, 0x10
        code.bytes(0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0); // mov ds, ax; mov es, ax; mov ss, ax
        code.bytes(0xbc).word(0x7000); //                mov esp, 0x7000
        fillPages(code);
        clearWindow(code);
        passes(code);
        subroutines(code);

        byte[] rom = new byte[LENGTH];
        byte[] program = code.assemble();
        System.arraycopy(program, 0, rom, 0, program.length);
        byte[] entry = entry();
        System.arraycopy(entry, 0, rom, ENTRY, entry.length);
        int back = ENTRY - (RESET_VECTOR + 3);
        rom[RESET_VECTOR] = (byte) 0xe9; //              jmp ENTRY, 16-bit
        rom[RESET_VECTOR + 1] = (byte) back;
        rom[RESET_VECTOR + 2] = (byte) (back >> 8);
        return rom;
    }

    /** From real mode at reset to flat 32-bit protected mode, where all memory can be reached. */
    private static byte[] entry() {
        var code = new Assembler();
        code.bytes(0xfa); //                             cli
        code.bytes(0xe4, 0x92); //                       in al, 0x92: A20 on,
        code.bytes(0x0c, 0x02, 0x24, 0xfe); //           or al, 2; and al, ~1: no reset
        code.bytes(0xe6, 0x92); //                       out 0x92, al
        code.bytes(0x66, 0x2e, 0x0f, 0x01, 0x16); //     lgdt cs:[ENTRY + 0x20]
        code.bytes((ENTRY + 0x20) & 0xff, (ENTRY + 0x20) >> 8);
        code.bytes(0x0f, 0x20, 0xc0); //                 mov eax, cr0
        code.bytes(0x0c, 0x01); //                       or al, 1
        code.bytes(0x0f, 0x22, 0xc0); //                 mov cr0, eax
        code.bytes(0x66, 0xea).word(BASE).bytes(0x08, 0x00); // jmp 0x08:BASE, 32-bit
        code.padTo(0x20);
        code.bytes(0x17, 0x00).word(BASE + ENTRY + 0x28); // length - 1 and address of:
        code.padTo(0x28);
        code.word(0).word(0);
        code.word(0x0000ffff).word(0x00cf9a00); //       0x08: code, all 4 GiB
        code.word(0x0000ffff).word(0x00cf9200); //       0x10: data, all 4 GiB
        return code.assemble();
    }

    private void fillPages(Assembler code) {
        forEachPage(
                code,
                "fill",
                fillFrom,
                fillLength,
                () -> {
                    jumpIfZeroPage(code, "fill.next");
                    code.bytes(0x89, 0xf0); //           mov eax, esi
                    code.bytes(0x31, 0xc9); //           xor ecx, ecx
                    code.label("fill.word");
                    nextWord(code);
                    code.bytes(0x89, 0x14, 0x8e); //     mov [esi + 4 * ecx], edx
                    loopOverWords(code, "fill.word");
                });
    }

    private void clearWindow(Assembler code) {
        forEachPage(
                code,
                "clear",
                windowFrom,
                windowLength,
                () -> code.bytes(0xc7, 0x06).word(0)); // mov dword [esi], 0
    }

    private void passes(Assembler code) {
        code.bytes(0x31, 0xed); //                       xor ebp, ebp: the count
        code.bytes(0x31, 0xff); //                       xor edi, edi: what the window holds
        code.label("pass");
        code.bytes(0x45); //                             inc ebp
        code.bytes(0x89, 0xeb); //                       mov ebx, ebp: what it shall hold
        if (blinking) {
            code.bytes(0xf7, 0xc5).word(1); //           test ebp, 1
            code.bytes(0x75, 0x02, 0x31, 0xdb); //       jnz +2; xor ebx, ebx
        }
        forEachPage(
                code,
                "window",
                windowFrom,
                windowLength,
                () -> {
                    code.bytes(0x39, 0x3e); //           cmp [esi], edi
                    code.jump(0x85, "bad"); //           jne bad
                    code.bytes(0x89, 0x1e); //           mov [esi], ebx
                });
        code.bytes(0x89, 0xdf); //                       mov edi, ebx
        if (rechecking) checkFill(code);
        code.bytes(0x89, 0xe8); //                       mov eax, ebp
        code.call("hex");
        code.bytes(0xb0, '\n'); //                       mov al, '\n'
        code.call("put");
        code.bytes(0xb9).word(spin + 1); //              mov ecx, spin + 1
        code.bytes(0x49, 0x75, 0xfd); //                 dec ecx; jnz back to dec
        code.jump("pass");

        code.label("bad");
        for (char c : "BAD ".toCharArray()) {
            code.bytes(0xb0, c); //                      mov al, c
            code.call("put");
        }
        code.bytes(0x89, 0xf0); //                       mov eax, esi
        code.call("hex");
        code.bytes(0xb0, '\n'); //                       mov al, '\n'
        code.call("put");
        code.bytes(0xf4, 0xeb, 0xfd); //                 hlt; jmp back to hlt
    }

    private void checkFill(Assembler code) {
        forEachPage(
                code,
                "check",
                fillFrom,
                fillLength,
                () -> {
                    code.bytes(0xb9).word(1); //         mov ecx, 1
                    jumpIfZeroPage(code, "check.zero");
                    code.bytes(0x8d, 0x86).word(STEP); // lea eax, [esi + STEP]
                    code.label("check.word");
                    nextWord(code);
                    code.bytes(0x39, 0x14, 0x8e); //     cmp [esi + 4 * ecx], edx
                    code.jump(0x85, "bad"); //           jne bad
                    loopOverWords(code, "check.word");
                    code.jump("check.next");
                    code.label("check.zero");
                    code.bytes(0x83, 0x3c, 0x8e, 0x00); // cmp dword [esi + 4 * ecx], 0
                    code.jump(0x85, "bad"); //           jne bad
                    loopOverWords(code, "check.zero");
                });
    }

    private static void subroutines(Assembler code) {
        code.label("hex"); // prints eax
        code.bytes(0xb1, 0x08); //                       mov cl, 8
        code.label("hex.digit");
        code.bytes(0xc1, 0xc0, 0x04); //                 rol eax, 4
        code.bytes(0x50); //                             push eax
        code.bytes(0x24, 0x0f); //                       and al, 15
        code.bytes(0x3c, 0x0a, 0x72, 0x02); //           cmp al, 10; jb +2
        code.bytes(0x04, 'a' - '0' - 10); //             add al, ...
        code.bytes(0x04, '0'); //                        add al, '0'
        code.call("put");
        code.bytes(0x58); //                             pop eax
        code.bytes(0xfe, 0xc9); //                       dec cl
        code.jump(0x85, "hex.digit"); //                 jnz
        code.bytes(0xc3); //                             ret

        code.label("put"); // prints al
        code.bytes(0x88, 0xc4); //                       mov ah, al
        code.bytes(0x66, 0xba, 0xfd, 0x03); //           mov dx, 0x3fd: line status
        code.bytes(0xec, 0xa8, 0x20); //                 in al, dx; test al, 0x20: may send
        code.bytes(0x74, 0xfb); //                       jz back to in
        code.bytes(0x66, 0xba, 0xf8, 0x03); //           mov dx, 0x3f8
        code.bytes(0x88, 0xe0, 0xee); //                 mov al, ah; out dx, al
        code.bytes(0xc3); //                             ret
    }

    /** A loop with the page's address in esi; the body may jump to {@code name.next}. */
    private static void forEachPage(
            Assembler code, String name, long from, long length, Runnable body) {
        code.bytes(0xbe).word((int) from); //            mov esi, from
        code.label(name);
        code.bytes(0x81, 0xfe).word((int) (from + length)); // cmp esi, end
        code.jump(0x83, name + ".end"); //               jae
        body.run();
        code.label(name + ".next");
        code.bytes(0x81, 0xc6).word(PAGE); //            add esi, PAGE
        code.jump(name);
        code.label(name + ".end");
    }

    private static void jumpIfZeroPage(Assembler code, String label) {
        code.bytes(0x89, 0xf0); //                       mov eax, esi
        code.bytes(0xc1, 0xe8, 0x0c); //                 shr eax, 12
        code.bytes(0x24, PAGES_PER_GROUP - 1); //        and al, 7
        code.bytes(0x3c, FILLED_PER_GROUP); //           cmp al, 5
        code.jump(0x83, label); //                       jae
    }

    /** The pattern's next word in edx, its state in eax. */
    private static void nextWord(Assembler code) {
        code.bytes(0x05).word(STEP); //                  add eax, STEP
        code.bytes(0x89, 0xc2); //                       mov edx, eax
        code.bytes(0x83, 0xca, 0x01); //                 or edx, 1
    }

    private static void loopOverWords(Assembler code, String label) {
        code.bytes(0x41); //                             inc ecx
        code.bytes(0x81, 0xf9).word(WORDS_PER_PAGE); //  cmp ecx, WORDS_PER_PAGE
        code.jump(0x82, label); //                       jb
    }
}
