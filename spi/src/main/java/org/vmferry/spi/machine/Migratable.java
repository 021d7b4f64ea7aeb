package org.vmferry.spi.machine;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.spi.ram.RamTarget;

import java.util.Optional;
import java.util.UUID;

/**
 * What can be in a migration: a {@link Machine}, whose devices know their state, or a {@link
 * MachineArchive}, which keeps another's. Its methods are called on the migration thread, one at a
 * time; {@link #uuid} and {@link #runState} by whoever begins a migration too.
 *
 * <p>One object stands for one guest: by it the engine tells that a machine is in a migration
 * already. Of two objects over one guest both would be taken.
 */
@Status(Status.Level.STABLE)
public sealed interface Migratable permits Machine, MachineArchive {
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
     * <p>A guest that stops by itself is in the state that says why, with no call of this. If it
     * did so while FINISH_MIGRATE was stopping it, {@link #runState} says why instead: the
     * destination is told, and the guest is not started anew. The host itself may call this while a
     * migration runs, until that has paused the guest: the destination enters what the machine is
     * in then.
     *
     * @param state the state to be in, such as FINISH_MIGRATE while the last of the machine is
     *     sent, or the one that a stream asks for
     * @throws MigrationException if it can't; the state is then as before
     */
    void enter(RunState state) throws MigrationException;

    /**
     * Gives up what only one side may have, such as the images of its disks: at a source, once its
     * devices were saved, before the stream can come to its end; with pause-before-switchover after
     * the operator's word. The machine stands still. The other side takes it in its {@link #enter};
     * if the migration fails or is cancelled first, this one takes it back in the {@code enter}
     * that lets the guest go on. A snapshot's source does the same.
     *
     * @throws MigrationException if it can't: fails the migration, the guest goes on
     */
    default void handOver() throws MigrationException {}

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
}
