package org.vmferry.engine.stream;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The section that carries the run state (rule STR-11). */
public final class GlobalState {
    /** The section's name. */
    public static final String ID = "globalstate";

    /** The section's version. */
    public static final int VERSION = 1;

    /** Bytes of payload. */
    public static final int LENGTH = 104;

    private static final int NAME = 32;

    /** What it consists of, as QEMU describes it. */
    static final List<DescriptionWriter.Field> FIELDS =
            List.of(
                    new DescriptionWriter.Field("size", "uint32", 4),
                    new DescriptionWriter.Field("runstate", "buffer", NAME),
                    new DescriptionWriter.Field("has_vm_was_suspended", "uint8", 1),
                    new DescriptionWriter.Field("vm_was_suspended", "uint8", 1),
                    new DescriptionWriter.Field("unused", "buffer", 66));

    private GlobalState() {}

    /** The payload for a state. */
    public static byte[] encode(RunState state) {
        byte[] name = state.wireName().getBytes(StandardCharsets.US_ASCII);
        ByteBuffer payload = ByteBuffer.allocate(LENGTH);
        payload.putInt(name.length + 1).put(name);
        payload.position(4 + NAME);
        payload.put((byte) 1).put((byte) (state == RunState.SUSPENDED ? 1 : 0));
        return payload.array();
    }

    /** The state in a payload. */
    public static RunState decode(ByteBuffer payload, long position) throws MigrationException {
        String text = name(payload, position);
        return RunState.of(text)
                .orElseThrow(
                        () ->
                                MigrationException.peer(
                                        "unknown run state '%s' at %d", text, position));
    }

    /** The name of the state in a payload, whether or not it is known. */
    static String name(ByteBuffer payload, long position) throws MigrationException {
        int length = payload.getInt(payload.position());
        if (length < 2 || length > NAME) {
            throw MigrationException.peer(
                    "run state at %d has length %d, allowed are 2 to %d",
                    position, Integer.toUnsignedLong(length), NAME);
        }
        byte[] name = new byte[length - 1];
        payload.get(payload.position() + 4, name);
        return new String(name, StandardCharsets.US_ASCII);
    }
}
