package org.vmferry.engine.qmp;

import org.vmferry.engine.json.Json;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;

/**
 * Cuts what a client sends into JSON values, wherever its lines end. What can't be one is told
 * once, and the next begins after it. As in QEMU, a byte that no UTF-8 has begins anew: a client
 * that does not know what was sent before sends 0xff first.
 */
final class Framer {
    /** The longest value, in bytes. */
    static final int LONGEST = 1 << 20;

    /** What was found. */
    interface Handler {
        /** A value; whether it is JSON is not known yet. */
        void message(byte[] text);

        /** Something that can't be one. */
        void malformed(String why);
    }

    private final Handler handler;
    private final ByteArrayOutputStream text = new ByteArrayOutputStream();
    private int depth;
    private byte quote; // of the string that we are in, or 0
    private boolean escaped;
    private boolean skipping; // the rest of a value that was refused

    Framer(Handler handler) {
        this.handler = handler;
    }

    void feed(ByteBuffer bytes) {
        while (bytes.hasRemaining()) next(bytes.get());
    }

    private void next(byte b) {
        if ((b & 0xf8) == 0xf8) {
            refuse("JSON parse error, stray byte 0x%02x".formatted(b));
            reset();
        } else if (quote != 0) {
            inString(b);
        } else {
            outside(b);
        }
    }

    private void inString(byte b) {
        if (b >= 0 && b < ' ') {
            refuse("JSON parse error, control character 0x%02x in a string".formatted(b));
            reset();
            return;
        }
        append(b);
        if (escaped) {
            escaped = false;
        } else if (b == '\\') {
            escaped = true;
        } else if (b == quote) {
            quote = 0;
            if (depth == 0) end();
        }
    }

    private void outside(byte b) {
        switch (b) {
            case ' ', '\t', '\r', '\n' -> {
                if (depth == 0) end();
                else append(b);
            }
            case '{', '[' -> {
                if (depth == 0) end();
                append(b);
                if (++depth > Json.MAX_DEPTH) refuse("JSON nesting depth limit exceeded");
            }
            case '}', ']' -> {
                append(b);
                if (depth > 0) depth--;
                if (depth == 0) end();
            }
            case '"', '\'' -> {
                if (depth == 0) end();
                append(b);
                quote = b;
            }
            default -> append(b);
        }
    }

    private void append(byte b) {
        if (skipping) return;
        text.write(b);
        if (text.size() > LONGEST) {
            refuse("JSON token size limit exceeded: a message has at most " + LONGEST + " bytes");
        }
    }

    private void refuse(String why) {
        if (!skipping) handler.malformed(why);
        text.reset();
        skipping = true;
    }

    private void end() {
        byte[] value = text.toByteArray();
        reset();
        if (value.length > 0) handler.message(value);
    }

    private void reset() {
        text.reset();
        depth = 0;
        quote = 0;
        escaped = false;
        skipping = false;
    }
}
