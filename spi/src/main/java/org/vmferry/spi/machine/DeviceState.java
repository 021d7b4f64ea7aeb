package org.vmferry.spi.machine;

import org.vmferry.spi.Status;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.ObjLongConsumer;
import java.util.function.ToLongFunction;

/**
 * A device that can save and load itself.
 *
 * <p>The engine puts its bytes into the stream with their length before them (rule STR-12), so a
 * device that is missing on the other side, or reads too far, is a clear error. Called on the
 * migration thread while the machine is paused. Integers are big-endian, as {@link DataOutput} has
 * it.
 */
@Status(Status.Level.STABLE)
public interface DeviceState {
    /**
     * Its name on the wire.
     *
     * @return 1 to 255 bytes of UTF-8; with {@link #instance()} unique in its machine; not "ram"
     *     and not "globalstate"
     */
    String id();

    /**
     * Tells devices of one name apart.
     *
     * @return 0 for the first
     */
    default int instance() {
        return 0;
    }

    /**
     * The version that {@link #save} writes.
     *
     * @return at least 1
     */
    default int version() {
        return 1;
    }

    /**
     * The oldest version that {@link #load} reads.
     *
     * @return at most {@link #version()}
     */
    default int oldestVersion() {
        return version();
    }

    /**
     * Writes the device's state.
     *
     * @param out takes the bytes, 16 MiB at most
     * @throws IOException if it cannot be saved: fails the migration, the guest runs on
     */
    void save(DataOutput out) throws IOException;

    /**
     * Reads the device's state. All of what {@link #save} wrote must be read.
     *
     * @param in has just this device's bytes
     * @param version the version that wrote them, between {@link #oldestVersion()} and {@link
     *     #version()}
     * @throws IOException if it makes no sense: fails the migration, the machine never starts
     */
    void load(DataInput in, int version) throws IOException;

    /**
     * The names of what {@link #save} wrote, for who looks into a snapshot: they stand in the
     * stream's description, and {@code vmferry inspect --device} shows them. Nothing is loaded by
     * them. Asked after each {@code save}, on the same thread.
     *
     * @return in the order in which they are saved; by default empty: bytes without names. If their
     *     lengths don't make up all that was saved, none of them is used, and the log says so
     */
    @Status(Status.Level.EXPERIMENTAL)
    default List<Field> fields() {
        return List.of();
    }

    /**
     * A part of a device's bytes.
     *
     * @param name 1 to 255 bytes of UTF-8
     * @param bytes how many, at least 1; 1, 2, 4 or 8 are shown as one number without a sign
     */
    @Status(Status.Level.EXPERIMENTAL)
    record Field(String name, int bytes) {
        /** Refuses what no description can say. */
        public Field {
            int length = name.getBytes(StandardCharsets.UTF_8).length;
            if (length < 1 || length > 255)
                throw new IllegalArgumentException(
                        "a field's name of %d bytes: 1 to 255 are allowed".formatted(length));
            if (bytes < 1)
                throw new IllegalArgumentException(
                        "a field '%s' of %d bytes: 1 is the least".formatted(name, bytes));
        }
    }

    /** Gives a device's state. */
    @Status(Status.Level.EXPERIMENTAL)
    @FunctionalInterface
    interface Snapshot {
        /**
         * The state as it is.
         *
         * @return all of it, never null; of any length up to 16 MiB less 4
         * @throws IOException if it cannot be had: fails the migration, the guest runs on
         */
        byte[] take() throws IOException;
    }

    /** Takes a device's state back. */
    @Status(Status.Level.EXPERIMENTAL)
    @FunctionalInterface
    interface Restore {
        /**
         * Puts the device into a state.
         *
         * @param state what a {@link Snapshot} gave there, or anything that somebody has sent; the
         *     device's own from now on
         * @throws IOException if it makes no sense: fails the migration, the machine never starts
         */
        void put(byte[] state) throws IOException;
    }

    /**
     * A device of a host that has its state as bytes already, in whatever form: a length and they
     * are what is saved. It has instance 0 and version 1; what comes to need another version says
     * so in its bytes.
     *
     * @param id its name, as {@link #id}
     * @param snapshot gives its state
     * @param restore takes it back
     * @return the device
     */
    @Status(Status.Level.EXPERIMENTAL)
    static DeviceState of(String id, Snapshot snapshot, Restore restore) {
        return new ByteDevice(id, snapshot, restore);
    }

    /**
     * A device whose state is numbers with names, such as a CPU's registers or a program's globals.
     * Each is saved as 8 bytes, in the order of the names, which are its {@link #fields}. It has
     * instance 0 and version 1.
     *
     * @param id its name, as {@link #id}
     * @param names of all of its numbers, each once
     * @param get gives the number of a name
     * @param set takes it back; called once for each name, after all of them have come. It throws
     *     an {@link java.io.UncheckedIOException} if a number makes no sense, for it may come from
     *     anybody
     * @return the device
     */
    static DeviceState ofNumbers(
            String id,
            List<String> names,
            ToLongFunction<String> get,
            ObjLongConsumer<String> set) {
        return new NumbersDevice(id, names, get, set);
    }
}
