package org.vmferry.spi.machine;

import org.vmferry.spi.Status;

import java.util.List;
import java.util.Optional;

/** A virtual machine, as its emulator hands it to the engine. */
@Status(Status.Level.STABLE)
public non-sealed interface Machine extends Migratable {
    /**
     * Its type. A destination takes only its own type.
     *
     * @return 1 to 255 bytes of UTF-8, such as {@code pc-i440fx-10.0}
     */
    String type();

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
}
