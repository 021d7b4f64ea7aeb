package org.vmferry.spi.machine;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.spi.ram.RamTarget;

import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * A virtual machine, as its emulator hands it to the engine. Its methods are called on the
 * migration thread, one at a time; {@link #uuid} and {@link #runState} by whoever begins a
 * migration too.
 *
 * <p>One object stands for one guest: by it the engine tells that a machine is in a migration
 * already. Of two objects over one guest both would be taken.
 */
@Status(Status.Level.STABLE)
public interface Machine {
    /**
     * Its type. A destination takes only its own type.
     *
     * @return 1 to 255 bytes of UTF-8, such as {@code pc-i440fx-10.0}
     */
    String type();

    /**
     * Its UUID.
     *
     * @return empty if it has none
     */
    default Optional<UUID> uuid() {
        return Optional.empty();
    }

    /**
     * What it is doing.
     *
     * @return never null
     */
    RunState runState();

    /**
     * Enters a state: RUNNING starts the virtual CPUs, any other stops them. When this returns with
     * any other, nothing changes RAM or devices any more.
     *
     * @param state the state to be in, such as FINISH_MIGRATE while the last of the machine is
     *     sent, or the one that a stream asks for
     * @throws MigrationException if it can't; the state is then as before
     */
    void enter(RunState state) throws MigrationException;

    /**
     * Its RAM, to be sent.
     *
     * @return never null
     */
    RamProvider ram();

    /**
     * Its RAM, to be loaded into.
     *
     * @return by default one that finds {@link #ram()}'s blocks by name
     */
    default RamTarget ramTarget() {
        return RamTarget.of(ram().blocks());
    }

    /**
     * Its devices, in the order in which they are saved.
     *
     * @return never null
     */
    default List<DeviceState> devices() {
        return List.of();
    }

    /**
     * How its virtual CPUs can be slowed down, for auto-converge.
     *
     * @return empty if they can't be
     */
    default Optional<CpuThrottle> throttle() {
        return Optional.empty();
    }

    /**
     * For a host that understands no devices but keeps what a machine sent, byte for byte.
     *
     * @return empty for an ordinary machine; if present, {@link #devices()} and {@link #type()} are
     *     not asked
     */
    default Optional<SectionStore> sections() {
        return Optional.empty();
    }
}
