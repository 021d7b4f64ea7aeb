package org.vmferry.spi.machine;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Objects;

/** A device whose state is bytes that its host understands: a length (u32), and they. */
record ByteDevice(String id, Snapshot snapshot, Restore restore) implements DeviceState {
    ByteDevice {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(snapshot, "snapshot");
        Objects.requireNonNull(restore, "restore");
    }

    private static final int LONGEST = (16 << 20) - Integer.BYTES;

    @Override
    public void save(DataOutput out) throws IOException {
        byte[] state = snapshot.take();
        if (state.length > LONGEST) {
            throw new IOException(
                    "its state has %d bytes, allowed are %d".formatted(state.length, LONGEST));
        }
        out.writeInt(state.length);
        out.write(state);
    }

    @Override
    public void load(DataInput in, int version) throws IOException {
        int length = in.readInt();
        if (length < 0 || length > LONGEST) {
            throw new IOException(
                    "its state is to have %d bytes, allowed are %d"
                            .formatted(Integer.toUnsignedLong(length), LONGEST));
        }
        byte[] state = new byte[length];
        in.readFully(state);
        restore.put(state);
    }
}
