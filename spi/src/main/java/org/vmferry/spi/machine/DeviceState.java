package org.vmferry.spi.machine;

import org.vmferry.spi.Status;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

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
}
