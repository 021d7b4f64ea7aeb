package org.vmferry.engine.migration;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The numbers of the way back from destination to source (docs/wire/return-path.md). */
final class ReturnPath {
    /** The outcome: u32, 0 for success (rule RPT-3). */
    static final int SHUT = 1;

    /** A PING's number (rule RPT-2). */
    static final int PONG = 2;

    /** The destination is ready for the switch-over (rule RPT-10). */
    static final int SWITCHOVER_ACK = 7;

    /** Ours: why SHUT is not 0 (rule RPT-6). */
    static final int REASON = 0x766d;

    /** The longest payload in bytes. */
    static final int LONGEST = 512;

    /** A first PING with this number says that its source understands {@link #REASON}. */
    static final int GREETING = 0x766d6672; // "vmfr"

    private ReturnPath() {}

    /** A message with a number. */
    static ByteBuffer message(int type, int value) {
        return message(type, ByteBuffer.allocate(4).putInt(0, value).array());
    }

    /** A message that is its number alone. */
    static ByteBuffer message(int type) {
        return message(type, new byte[0]);
    }

    /** A message with a text, which is cut to fit. */
    static ByteBuffer message(int type, String text) {
        byte[] bytes = clean(text).getBytes(StandardCharsets.UTF_8);
        int length = Math.min(bytes.length, LONGEST);
        while (length < bytes.length && (bytes[length] & 0xc0) == 0x80) length--; // whole letters
        return message(type, Arrays.copyOf(bytes, length));
    }

    private static ByteBuffer message(int type, byte[] payload) {
        ByteBuffer message = ByteBuffer.allocate(4 + payload.length);
        return message.putShort((short) type).putShort((short) payload.length).put(payload).flip();
    }

    /** Somebody else's text, for one line of a message or a log. */
    static String clean(String text) {
        StringBuilder line = new StringBuilder();
        text.codePoints()
                .map(c -> isOrdinary(c) ? c : Character.isWhitespace(c) ? ' ' : 0xfffd)
                .forEach(line::appendCodePoint);
        return line.toString().strip();
    }

    private static boolean isOrdinary(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR ->
                    false;
            default -> true;
        };
    }
}
