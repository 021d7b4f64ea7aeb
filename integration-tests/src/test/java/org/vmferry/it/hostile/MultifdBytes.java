package org.vmferry.it.hostile;

import org.vmferry.spi.ram.RamBlock;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;

/**
 * What a source sends, written after docs/wire alone. Fields are there for a test to spoil them.
 */
final class MultifdBytes {
    static final int PAGE = 4096;
    static final int MAGIC = 0x11223344;

    private MultifdBytes() {}

    private interface Body {
        void write(DataOutputStream out) throws IOException;
    }

    private static byte[] bytes(Body body) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            body.write(out);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return bytes.toByteArray();
    }

    static byte[] join(byte[]... parts) {
        return bytes(
                out -> {
                    for (byte[] part : parts) out.write(part);
                });
    }

    /** The main stream up to the end of the ram section's START, its sync in it. */
    static byte[] main(ReferenceMachine machine) {
        return main(machine, new byte[0]);
    }

    /** The same, with OPEN_RETURN_PATH and PING 1 before the ram section. */
    static byte[] mainWithReturnPath(ReferenceMachine machine) {
        return main(machine, new byte[] {8, 0, 1, 0, 0, 8, 0, 2, 0, 4, 0, 0, 0, 1});
    }

    private static byte[] main(ReferenceMachine machine, byte[] commands) {
        return bytes(
                out -> {
                    out.writeBytes("QEVM");
                    out.writeInt(3);
                    out.writeByte(7);
                    out.writeInt(machine.type().length());
                    out.writeBytes(machine.type());
                    String pageBits = "configuration/target-page-bits";
                    out.writeByte(5);
                    out.writeByte(pageBits.length());
                    out.writeBytes(pageBits);
                    out.writeInt(1);
                    out.writeInt(12);
                    out.write(commands);
                    out.writeByte(1);
                    out.writeInt(2);
                    out.writeByte(3);
                    out.writeBytes("ram");
                    out.writeInt(0);
                    out.writeInt(4);
                    long total = 0;
                    for (RamBlock block : machine.ram().blocks()) total += block.usedLength();
                    out.writeLong(total | 4);
                    for (RamBlock block : machine.ram().blocks()) {
                        out.writeByte(block.id().length());
                        out.writeBytes(block.id());
                        out.writeLong(block.usedLength());
                    }
                    out.writeLong(0x200);
                    out.writeLong(0x10);
                    out.writeByte(0x7e);
                    out.writeInt(2);
                });
    }

    /** The next PART: a sync and nothing else. */
    static byte[] part() {
        return bytes(
                out -> {
                    out.writeByte(2);
                    out.writeInt(2);
                    out.writeLong(0x200);
                    out.writeLong(0x10);
                    out.writeByte(0x7e);
                    out.writeInt(2);
                });
    }

    static byte[] hello(int magic, int version, UUID uuid, int id) {
        return bytes(
                out -> {
                    out.writeInt(magic);
                    out.writeInt(version);
                    out.writeLong(uuid.getMostSignificantBits());
                    out.writeLong(uuid.getLeastSignificantBits());
                    out.writeByte(id);
                    out.write(new byte[39]);
                });
    }

    static byte[] hello(int id) {
        return hello(MAGIC, 1, new UUID(0, 0), id);
    }

    /** A packet that is a SYNC and nothing else. */
    static byte[] sync(long number) {
        Packet packet = new Packet();
        packet.number = number;
        packet.flags = 1;
        packet.alloc = 0;
        packet.normal = 0;
        packet.size = 0;
        packet.name = "";
        packet.data = new byte[0];
        return packet.bytes();
    }

    /** One page of ref.ram, in order until something in it is changed. */
    static final class Packet {
        int magic = MAGIC;
        int version = 1;
        int flags;
        int alloc = 128;
        int normal = 1;
        int size = PAGE;
        long number;
        int zero;
        String name = "ref.ram";
        long[] offsets = new long[128];
        byte[] data = new byte[PAGE];

        byte[] bytes() {
            return MultifdBytes.bytes(
                    out -> {
                        out.writeInt(magic);
                        out.writeInt(version);
                        out.writeInt(flags);
                        out.writeInt(alloc);
                        out.writeInt(normal);
                        out.writeInt(size);
                        out.writeLong(number);
                        out.writeInt(zero);
                        out.write(new byte[28]);
                        out.write(Arrays.copyOf(name.getBytes(StandardCharsets.UTF_8), 256));
                        for (long offset : offsets) out.writeLong(offset);
                        out.write(data);
                    });
        }

        /** Its data is this, which is said to be so long. */
        Packet data(byte[] bytes) {
            data = bytes;
            size = bytes.length;
            return this;
        }
    }
}
