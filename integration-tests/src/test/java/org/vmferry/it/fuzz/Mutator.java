package org.vmferry.it.fuzz;

import org.vmferry.it.fuzz.Structure.Field;
import org.vmferry.it.fuzz.Structure.Piece;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Changes a genuine input where it has a structure, and now and then anywhere. */
final class Mutator {
    /** Among them what is announced by the TiB, and each sign. */
    private static final long[] EXTREMES = {
        0,
        1,
        -1,
        2,
        0x7f,
        0x80,
        0xff,
        0x100,
        0x7fff,
        0x8000,
        0xffff,
        1 << 20,
        1 << 24,
        Integer.MAX_VALUE,
        0x80000000L,
        0xffffffffL,
        1L << 32,
        8L << 40,
        1L << 62,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        -4096
    };

    private static final List<String> WORDS =
            List.of(
                    "-1",
                    "0",
                    "1e999",
                    "9223372036854775807",
                    "9223372036854775808",
                    "18446744073709551615",
                    "4294967296",
                    "8796093022208",
                    "null",
                    "true",
                    "[]",
                    "{}",
                    "\"\"",
                    "\"\\u0000\\u001b\\ud800\"",
                    "\"\\u202e\"",
                    "\u001b[31m",
                    "[".repeat(2000),
                    "{\"a\":".repeat(2000),
                    "9".repeat(5000),
                    "\"" + "x".repeat(70_000) + "\"");

    private final SplittableRandom random;

    Mutator(SplittableRandom random) {
        this.random = random;
    }

    /**
     * One change, or a few.
     *
     * @param whole a genuine input; stays as it is
     * @param structure its
     * @param other another one, of which pieces may come
     * @param others its structure
     */
    byte[] change(byte[] whole, Structure structure, byte[] other, Structure others) {
        byte[] bytes = whole.clone();
        int fields = random.nextInt(8) < 5 ? 1 + random.nextInt(8) / 6 : 0;
        for (int i = 0; i < fields && !structure.fields().isEmpty(); i++) {
            set(bytes, structure.fields().get(random.nextInt(structure.fields().size())));
        }
        if (fields > 0 && random.nextInt(4) > 0) return bytes;
        return switch (random.nextInt(8)) {
            case 0, 1, 2 -> pieces(bytes, structure.pieces(), other, others.pieces());
            case 3, 4 -> texts(bytes, structure.texts());
            case 5 -> splice(bytes, structure.pieces(), other, others.pieces());
            default -> anywhere(bytes);
        };
    }

    private void set(byte[] bytes, Field field) {
        if (field.at() + field.width() > bytes.length) return;
        ByteBuffer all = ByteBuffer.wrap(bytes);
        if (field.littleEndian()) all.order(ByteOrder.LITTLE_ENDIAN);
        long old =
                switch (field.width()) {
                    case 1 -> all.get(field.at());
                    case 2 -> all.getShort(field.at());
                    case 4 -> all.getInt(field.at());
                    default -> all.getLong(field.at());
                };
        long value =
                switch (random.nextInt(10)) {
                    case 0 -> old + 1;
                    case 1 -> old - 1;
                    case 2 -> old ^ 1L << random.nextInt(8 * field.width());
                    case 3 -> old << 1;
                    case 4 -> old + 4096;
                    case 5 -> random.nextLong();
                    default -> EXTREMES[random.nextInt(EXTREMES.length)];
                };
        switch (field.width()) {
            case 1 -> all.put(field.at(), (byte) value);
            case 2 -> all.putShort(field.at(), (short) value);
            case 4 -> all.putInt(field.at(), (int) value);
            default -> all.putLong(field.at(), value);
        }
    }

    private byte[] pieces(byte[] bytes, List<Piece> pieces, byte[] other, List<Piece> others) {
        if (pieces.isEmpty()) return anywhere(bytes);
        Piece one = pieces.get(random.nextInt(pieces.size()));
        Piece two = pieces.get(random.nextInt(pieces.size()));
        byte[] its = Arrays.copyOfRange(bytes, one.from(), one.to());
        return switch (random.nextInt(6)) {
            case 0 -> replace(bytes, one.to(), one.to(), its); // twice
            case 1 -> replace(bytes, one.from(), one.to(), new byte[0]); // never
            case 2 -> replace(bytes, two.from(), two.from(), its); // somewhere else, too
            case 3 -> {
                byte[] second = Arrays.copyOfRange(bytes, two.from(), two.to());
                if (two.from() < one.to()) yield replace(bytes, two.from(), two.to(), its);
                byte[] swapped = replace(bytes, two.from(), two.to(), its);
                yield replace(swapped, one.from(), one.to(), second);
            }
            case 4 -> Arrays.copyOf(bytes, one.from() + random.nextInt(one.length()));
            default -> {
                if (others.isEmpty()) yield anywhere(bytes);
                Piece foreign = others.get(random.nextInt(others.size()));
                byte[] comes = Arrays.copyOfRange(other, foreign.from(), foreign.to());
                yield replace(
                        bytes, one.from(), random.nextBoolean() ? one.to() : one.from(), comes);
            }
        };
    }

    /** The beginning of one, the end of another. */
    private byte[] splice(byte[] bytes, List<Piece> pieces, byte[] other, List<Piece> others) {
        if (pieces.isEmpty() || others.isEmpty()) return anywhere(bytes);
        int end = pieces.get(random.nextInt(pieces.size())).to();
        int begin = others.get(random.nextInt(others.size())).from();
        return replace(bytes, end, bytes.length, Arrays.copyOfRange(other, begin, other.length));
    }

    /** A word becomes another; a stretch comes twice, so that keys do. */
    private byte[] texts(byte[] bytes, List<Piece> texts) {
        if (texts.isEmpty()) return anywhere(bytes);
        Piece text = texts.get(random.nextInt(texts.size()));
        int from = text.from() + random.nextInt(text.length());
        int to = from;
        if (random.nextInt(3) == 0) {
            to = Math.min(text.to(), from + 1 + random.nextInt(80));
            return replace(bytes, to, to, Arrays.copyOfRange(bytes, from, to));
        }
        while (from > text.from() && isWord(bytes[from - 1])) from--;
        while (to < text.to() && isWord(bytes[to])) to++;
        byte[] word = WORDS.get(random.nextInt(WORDS.size())).getBytes(StandardCharsets.UTF_8);
        byte[] changed = replace(bytes, from, to, word);
        int length = changed.length - bytes.length + text.length();
        // Mostly its length is said before it, and is right.
        if (text.from() >= 4
                && random.nextInt(4) > 0
                && ByteBuffer.wrap(bytes).getInt(text.from() - 4) == text.length()) {
            ByteBuffer.wrap(changed).putInt(text.from() - 4, length);
        }
        return changed;
    }

    private static boolean isWord(byte one) {
        return one >= '0' && one <= '9' || one >= 'a' && one <= 'z' || one == '-' || one == '_';
    }

    private byte[] anywhere(byte[] bytes) {
        if (bytes.length == 0) return new byte[] {(byte) random.nextInt()};
        int at = random.nextInt(bytes.length);
        int length = Math.min(bytes.length - at, 1 + random.nextInt(64));
        switch (random.nextInt(5)) {
            case 0, 1 -> {
                bytes[at] ^= (byte) (1 << random.nextInt(8));
                return bytes;
            }
            case 2 -> {
                set(bytes, new Field(at, 1 << random.nextInt(4), random.nextBoolean()));
                return bytes;
            }
            case 3 -> {
                return Arrays.copyOf(bytes, at);
            }
            default -> {
                return replace(bytes, at, at + length, new byte[random.nextInt(length + 1)]);
            }
        }
    }

    private static byte[] replace(byte[] bytes, int from, int to, byte[] by) {
        byte[] all = new byte[bytes.length - (to - from) + by.length];
        System.arraycopy(bytes, 0, all, 0, from);
        System.arraycopy(by, 0, all, from, by.length);
        System.arraycopy(bytes, to, all, from + by.length, bytes.length - to);
        return all;
    }
}
