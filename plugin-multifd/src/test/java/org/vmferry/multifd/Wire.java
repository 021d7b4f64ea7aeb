package org.vmferry.multifd;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;

/**
 * Packets once more, written and read after docs/wire/multifd.md alone, with nothing of the main
 * code: what one misunderstands the other finds. Fields are public so that a test can spoil one.
 */
final class Wire {
    /** A packet; the values are those of an empty packet. */
    static final class Pages {
        int magic = 0x11223344;
        int version = 1;
        int flags;
        int alloc = 8;
        int normal;
        int size;
        long number;
        int zero;
        byte[] name = new byte[256];
        long[] offsets = new long[8];
        byte[] data = {};

        Pages name(String text) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            name = Arrays.copyOf(bytes, 256);
            return this;
        }

        byte[] bytes() {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (DataOutputStream out = new DataOutputStream(bytes)) {
                out.writeInt(magic);
                out.writeInt(version);
                out.writeInt(flags);
                out.writeInt(alloc);
                out.writeInt(normal);
                out.writeInt(size);
                out.writeLong(number);
                out.writeInt(zero);
                out.writeInt(0);
                for (int i = 0; i < 3; i++) out.writeLong(0);
                out.write(name);
                for (long offset : offsets) out.writeLong(offset);
                out.write(data);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return bytes.toByteArray();
        }

        String block() {
            String text = new String(name, StandardCharsets.UTF_8);
            return text.substring(0, text.indexOf('\0'));
        }
    }

    private Wire() {}

    static byte[] hello(int magic, int version, UUID uuid, int id) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeInt(magic);
            out.writeInt(version);
            out.writeLong(uuid.getMostSignificantBits());
            out.writeLong(uuid.getLeastSignificantBits());
            out.writeByte(id);
            out.write(new byte[7 + 32]);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    static byte[] hello(int id) {
        return hello(0x11223344, 1, new UUID(0, 0), id);
    }

    /** A SYNC without pages. */
    static byte[] sync() {
        return sync(0);
    }

    static byte[] sync(int number) {
        Pages packet = new Pages();
        packet.number = number;
        packet.flags = 1;
        packet.alloc = 0;
        return packet.bytes();
    }

    /** The next packet, or null at the end. */
    static Pages read(DataInputStream in, int limit) throws IOException {
        int first = in.read();
        if (first < 0) return null;
        Pages packet = new Pages();
        packet.magic = first << 24 | in.readUnsignedByte() << 16 | in.readUnsignedShort();
        packet.version = in.readInt();
        packet.flags = in.readInt();
        packet.alloc = in.readInt();
        packet.normal = in.readInt();
        packet.size = in.readInt();
        packet.number = in.readLong();
        packet.zero = in.readInt();
        in.readInt();
        for (int i = 0; i < 3; i++) in.readLong();
        in.readFully(packet.name);
        packet.offsets = new long[limit];
        for (int i = 0; i < limit; i++) packet.offsets[i] = in.readLong();
        packet.data = new byte[packet.size];
        in.readFully(packet.data);
        return packet;
    }
}
