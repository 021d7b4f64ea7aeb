package org.vmferry.engine;

import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.Status;

/** Hears what a migration comes to; see {@link Migration#listen}. */
@FunctionalInterface
@Status(Status.Level.STABLE)
public interface MigrationListener {
    /**
     * It came to a state.
     *
     * @param state which
     */
    void entered(MigrationState state);

    /**
     * A source begins a round over the dirty pages; the last comes after the switch-over began.
     *
     * @param number counted from 1
     */
    default void round(long number) {}

    /**
     * It had failed with {@link GuestOwner#UNKNOWN}, since its destination had fallen silent, and
     * the destination has said after all how it went; the state stays failed. Comes once at the
     * most, behind the final state.
     *
     * @param owner who has the guest: the source, where it goes on if its machine was still in
     *     POSTMIGRATE and in no other use; or the destination, where it runs
     */
    default void corrected(GuestOwner owner) {}
}
