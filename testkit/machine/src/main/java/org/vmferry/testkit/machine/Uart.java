package org.vmferry.testkit.machine;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.DeviceState;

import java.io.ByteArrayOutputStream;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * A serial port: a queue of 16 bytes, of which one leaves every 100 instructions. What is still in
 * the queue when the machine is migrated leaves at the destination. Used by the CPU, and by the
 * host while the CPU is stopped; only the output may be asked for at any time.
 */
final class Uart implements DeviceState {
    /** Registers, as a 16550 has them. */
    static final int DATA = 0;

    static final int STATUS = 5;

    /** Bits of the status register. */
    static final int ROOM = 0x20;

    static final int IDLE = 0x40;

    private static final int QUEUE = 16; // bytes
    private static final int PACE = 100; // instructions

    private final byte[] queue = new byte[QUEUE];
    private int first;
    private int count;
    private long due; // when the queue's first byte leaves
    private long sent; // bytes that have left, since the guest's boot
    private final ByteArrayOutputStream output =
            new ByteArrayOutputStream(); // those that left here

    long read(long register, long now) {
        advance(now);
        if (register != STATUS) return 0;
        return (count < QUEUE ? ROOM : 0) | (count == 0 ? IDLE : 0);
    }

    void write(long register, long value, long now) {
        advance(now);
        if (register != DATA || count == QUEUE) return; // a byte too many is lost
        if (count == 0) due = now + PACE;
        queue[(first + count++) % QUEUE] = (byte) value;
    }

    /** Lets the bytes leave whose time has come. */
    void advance(long now) {
        while (count > 0 && due <= now) {
            output.write(queue[first]); // synchronized
            first = (first + 1) % QUEUE;
            count--;
            sent++;
            due += PACE;
        }
    }

    String output() {
        return output.toString(StandardCharsets.US_ASCII);
    }

    @Override
    public String id() {
        return "ref-uart";
    }

    @Override
    public void save(DataOutput out) throws IOException {
        out.writeLong(sent);
        out.writeLong(count == 0 ? 0 : due);
        out.writeByte(count);
        for (int i = 0; i < count; i++) out.writeByte(queue[(first + i) % QUEUE]);
    }

    @Override
    public void load(DataInput in, int version) throws IOException {
        sent = in.readLong();
        due = in.readLong();
        int waiting = in.readUnsignedByte();
        if (waiting > QUEUE) {
            throw MigrationException.peer(
                    "%s: %d bytes wait in a queue of %d", id(), waiting, QUEUE);
        }
        in.readFully(queue, 0, waiting);
        first = 0;
        count = waiting;
    }
}
