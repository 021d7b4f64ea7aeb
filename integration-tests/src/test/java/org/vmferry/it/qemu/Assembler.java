package org.vmferry.it.qemu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;

/** Puts machine code together: bytes as given, and jumps to labels that may come later. */
final class Assembler {
    private final ByteBuffer code =
            ByteBuffer.allocate(GuestRom.LENGTH).order(ByteOrder.LITTLE_ENDIAN);
    private final Map<String, Integer> labels = new HashMap<>();
    private final Map<Integer, String> jumps = new HashMap<>();

    Assembler bytes(int... bytes) {
        for (int b : bytes) code.put((byte) b);
        return this;
    }

    Assembler word(int word) {
        code.putInt(word);
        return this;
    }

    void padTo(int offset) {
        if (code.position() > offset) {
            throw new IllegalStateException(
                    "At %04x, past %04x".formatted(code.position(), offset));
        }
        code.position(offset);
    }

    void label(String name) {
        if (labels.put(name, code.position()) != null) {
            throw new IllegalStateException("Two labels " + name);
        }
    }

    void jump(String label) {
        bytes(0xe9);
        target(label);
    }

    /**
     * A conditional jump: the second byte of its long form (0x82 below, 0x83 not, 0x85 not zero).
     */
    void jump(int condition, String label) {
        bytes(0x0f, condition);
        target(label);
    }

    void call(String label) {
        bytes(0xe8);
        target(label);
    }

    private void target(String label) {
        jumps.put(code.position(), label);
        word(0);
    }

    byte[] assemble() {
        jumps.forEach((at, label) -> code.putInt(at, labels.get(label) - (at + 4)));
        byte[] bytes = new byte[code.position()];
        code.get(0, bytes);
        return bytes;
    }
}
