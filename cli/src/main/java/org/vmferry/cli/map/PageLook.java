package org.vmferry.cli.map;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Tells what a page looks like, by its bytes alone. The thresholds were found by trying programs,
 * texts, archives and heaps; a page may well be taken for what it is not.
 */
public final class PageLook {
    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private static final double TEXT = 0.9; // of the bytes that are not zero
    private static final double POINTERS = 0.3; // of the words that are not zero
    private static final double X86 = 0.035; // sure signs for each byte
    private static final double WORDS = 0.8; // of the instructions that are not zero
    private static final int FEW = 32; // of a page of 4 KiB

    private static final boolean[] ARM =
            set(
                    0x0b, 0x12, 0x14, 0x17, 0x2a, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x4b, 0x52,
                    0x53, 0x54, 0x6b, 0x71, 0x72, 0x8b, 0x90, 0x91, 0x92, 0x94, 0x97, 0xa8, 0xa9,
                    0xaa, 0xb0, 0xb4, 0xb5, 0xb8, 0xb9, 0xcb, 0xd0, 0xd1, 0xd2, 0xd3, 0xd5, 0xd6,
                    0xeb, 0xf0, 0xf1, 0xf8, 0xf9);
    private static final boolean[] RISCV =
            set(
                    0x03, 0x07, 0x0f, 0x13, 0x17, 0x1b, 0x23, 0x27, 0x2f, 0x33, 0x37, 0x3b, 0x63,
                    0x67, 0x6f, 0x73);
    private static final boolean[] AFTER_REX =
            set(0x01, 0x03, 0x29, 0x31, 0x39, 0x3b, 0x63, 0x81, 0x83, 0x85, 0x89, 0x8b, 0x8d, 0xc7);
    private static final int[] BEGIN = {
        0x0f, 0x48, 0x49, 0x4c, 0x4d, 0x89, 0x8b, 0x8d, 0xc3, 0xc7, 0xe8, 0xe9
    };
    // Register and place relative to the stack's frame, by one byte.
    private static final boolean[] NEAR =
            set(0x44, 0x45, 0x4c, 0x4d, 0x54, 0x55, 0x5c, 0x5d, 0x6c, 0x6d, 0x74, 0x75, 0x7c, 0x7d);

    private final int[] counts = new int[256];
    private final int[] others = new int[256];
    private double[] weights = {};

    /** For one thread. */
    public PageLook() {}

    private static boolean[] set(int... bytes) {
        boolean[] set = new boolean[256];
        for (int b : bytes) set[b] = true;
        return set;
    }

    /**
     * Looks at one page.
     *
     * @param page the array that it is in
     * @param from its first byte
     * @param length bytes, a multiple of 8
     * @return what it looks like
     */
    public PageKind of(byte[] page, int from, int length) {
        if (isSame(page, from, length))
            return (long) LONG.get(page, from) == 0 ? PageKind.ZERO : PageKind.SAME;
        count(page, from, length);
        if (isRandom(length)) return PageKind.RANDOM;
        if (isText(length)) return PageKind.TEXT;
        if (hasPointers(page, from, length)) return PageKind.POINTERS;
        return isCode(page, from, length) ? PageKind.CODE : PageKind.DATA;
    }

    /** In two halves: a count that has just changed is not there to be changed again at once. */
    private void count(byte[] page, int from, int length) {
        int[] even = counts;
        int[] odd = others;
        Arrays.fill(even, 0);
        Arrays.fill(odd, 0);
        for (int i = from; i < from + length; i += Long.BYTES) {
            long word = (long) LONG.get(page, i);
            even[(int) word & 0xff]++;
            odd[(int) (word >>> 8) & 0xff]++;
            even[(int) (word >>> 16) & 0xff]++;
            odd[(int) (word >>> 24) & 0xff]++;
            even[(int) (word >>> 32) & 0xff]++;
            odd[(int) (word >>> 40) & 0xff]++;
            even[(int) (word >>> 48) & 0xff]++;
            odd[(int) (word >>> 56)]++;
        }
        for (int i = 0; i < even.length; i++) even[i] += odd[i];
    }

    private static boolean isSame(byte[] page, int from, int length) {
        long first = (long) LONG.get(page, from);
        for (int i = from + Long.BYTES; i < from + length; i += Long.BYTES)
            if ((long) LONG.get(page, i) != first) return false;
        return true;
    }

    /** By the entropy of its bytes, of which a page of a few has less than 8 bits. */
    private boolean isRandom(int length) {
        if (weights.length != length + 1) weights = weights(length);
        double sum = 0;
        for (int count : counts) sum += weights[count];
        double bits = Math.log(length) - sum / length;
        double most = Math.log(256) - 255.0 / (2 * length);
        return bits > 0.975 * most;
    }

    /** n log n, which takes long to reckon, for each count there may be in a page. */
    private static double[] weights(int length) {
        double[] weights = new double[length + 1];
        for (int n = 1; n <= length; n++) weights[n] = n * Math.log(n);
        return weights;
    }

    private boolean isText(int length) {
        int printable = counts['\n'] + counts['\r'] + counts['\t'];
        for (int c = ' '; c < 127; c++) printable += counts[c];
        return printable > few(length) && printable >= TEXT * (length - counts[0]);
    }

    private static int few(int length) {
        return Math.max(4, (int) ((long) FEW * length / 4096));
    }

    private static boolean hasPointers(byte[] page, int from, int length) {
        int words = 0;
        int little = 0;
        int big = 0;
        for (int i = from; i < from + length; i += Long.BYTES) {
            long word = (long) LONG.get(page, i);
            if (word == 0) continue;
            words++;
            if (isPointer(word)) little++;
            if (isPointer(Long.reverseBytes(word))) big++;
        }
        int most = Math.max(little, big);
        return most >= few(length) / 2 && most >= POINTERS * words;
    }

    /** A kernel's in the upper half, not a small negative number; a program's near its end. */
    private static boolean isPointer(long word) {
        long top = word >>> 48;
        if (top == 0xffff) return word < -(1L << 24);
        return top == 0 && word >= 1L << 44;
    }

    private boolean isCode(byte[] page, int from, int length) {
        int begin = 0; // signs, at the most
        for (int b : BEGIN) begin += counts[b];
        boolean may = begin >= X86 * length;
        return may && signs(page, from, length) >= X86 * length || isOfWords(page, from, length);
    }

    /** What is common in x86's code, of 64 and 32 bits, and hardly anywhere else. */
    private static int signs(byte[] page, int from, int length) {
        int signs = 0;
        for (int i = from; i < from + length - 6; i++) {
            int b = page[i] & 0xff;
            int next = page[i + 1] & 0xff;
            boolean sign =
                    switch (b) {
                        case 0x48, 0x49, 0x4c, 0x4d -> AFTER_REX[next];
                        case 0x89, 0x8b, 0x8d, 0xc7 -> NEAR[next];
                        case 0xe8, 0xe9 -> isNear(page, i + 1);
                        case 0x0f -> next >= 0x80 && next < 0x90 && isNear(page, i + 2);
                        case 0xc3 -> next == 0xcc || next == 0x90 || next == 0x66;
                        default -> false;
                    };
            if (sign) signs++;
        }
        return signs;
    }

    /** Whether an offset of 32 bits stays within 16 MiB. */
    private static boolean isNear(byte[] page, int at) {
        return page[at + 3] == 0 && page[at + 2] != 0 || page[at + 3] == -1 && page[at + 2] != -1;
    }

    private static boolean isOfWords(byte[] page, int from, int length) {
        int words = 0;
        int arm = 0;
        int riscv = 0;
        for (int i = from; i < from + length; i += Integer.BYTES) {
            int word = (int) INT.get(page, i);
            if (word == 0) continue;
            words++;
            if (ARM[word >>> 24]) arm++;
            if (RISCV[word & 0x7f]) riscv++;
        }
        return words > few(length) && Math.max(arm, riscv) >= WORDS * words;
    }
}
