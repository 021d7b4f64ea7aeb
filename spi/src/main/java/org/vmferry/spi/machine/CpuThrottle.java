package org.vmferry.spi.machine;

import org.vmferry.spi.Status;

/**
 * Slows the virtual CPUs down, so that a guest which dirties too fast can be moved (auto-converge).
 */
@Status(Status.Level.STABLE)
@FunctionalInterface
public interface CpuThrottle {
    /**
     * From now on the virtual CPUs stand still for a part of the time. Called on the migration
     * thread; with 0 when the migration is over, one way or another.
     *
     * @param percent of time to stand still, 0 to 99
     */
    void set(int percent);
}
