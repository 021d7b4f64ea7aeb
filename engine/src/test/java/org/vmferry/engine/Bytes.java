package org.vmferry.engine;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** A stream written by hand, from the rules alone. */
public final class Bytes {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    public Bytes u8(int... values) {
        for (int value : values) out.write(value);
        return this;
    }

    public Bytes u16(int value) {
        return u8(value >> 8, value);
    }

    public Bytes u32(int value) {
        return u16(value >>> 16).u16(value);
    }

    public Bytes u64(long value) {
        return u32((int) (value >>> 32)).u32((int) value);
    }

    public Bytes text(String text) {
        return raw(text.getBytes(StandardCharsets.UTF_8));
    }

    public Bytes str8(String text) {
        return u8(text.getBytes(StandardCharsets.UTF_8).length).text(text);
    }

    public Bytes raw(byte... bytes) {
        out.writeBytes(bytes);
        return this;
    }

    public Bytes raw(int count, int value) {
        for (int i = 0; i < count; i++) out.write(value);
        return this;
    }

    /** Magic, version, configuration. */
    public Bytes header(String machine) {
        return text("QEVM").u32(3).u8(7).u32(machine.length()).text(machine);
    }

    /** The RAM section's START up to its block list. */
    public Bytes ramStart(int id) {
        return u8(1).u32(id).str8("ram").u32(0).u32(4);
    }

    public Bytes footer(int id) {
        return u8(0x7e).u32(id);
    }

    public Bytes full(int id, String name, int instance, int version, byte... payload) {
        return u8(4).u32(id).str8(name).u32(instance).u32(version).raw(payload).footer(id);
    }

    /** A payload of a Java host's: its length before it. */
    public static byte[] counted(byte... payload) {
        return ByteBuffer.allocate(4 + payload.length).putInt(payload.length).put(payload).array();
    }

    public Bytes description(String json) {
        return u8(0, 6).u32(json.length()).text(json);
    }

    public int size() {
        return out.size();
    }

    public byte[] array() {
        return out.toByteArray();
    }
}
