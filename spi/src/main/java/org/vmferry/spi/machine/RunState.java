package org.vmferry.spi.machine;

import org.vmferry.spi.Status;

import java.util.Objects;
import java.util.Optional;

/** What a machine is doing, under QEMU's names. */
@Status(Status.Level.STABLE)
public enum RunState {
    /** Made, never started. */
    PRELAUNCH("prelaunch"),
    /** Waits for an incoming migration. */
    INMIGRATE("inmigrate"),
    /** The virtual CPUs run. */
    RUNNING("running"),
    /** Stopped by its user. */
    PAUSED("paused"),
    /** Stopped while the last of it is sent. */
    FINISH_MIGRATE("finish-migrate"),
    /** Stopped after it was sent: the destination's now. */
    POSTMIGRATE("postmigrate"),
    /** The guest sleeps. */
    SUSPENDED("suspended"),
    /** The guest shut down. */
    SHUTDOWN("shutdown"),
    /** The guest crashed and said so. */
    GUEST_PANICKED("guest-panicked"),
    /** Stopped by a disk's error. */
    IO_ERROR("io-error"),
    /** Stopped by an error of its own. */
    INTERNAL_ERROR("internal-error"),
    /** Stopped by its watchdog. */
    WATCHDOG("watchdog"),
    /** Stopped by a debugger. */
    DEBUG("debug"),
    /** Stopped while a snapshot of it is loaded. */
    RESTORE_VM("restore-vm"),
    /** Stopped while a snapshot of it is saved. */
    SAVE_VM("save-vm"),
    /** Stopped for COLO. */
    COLO("colo");

    private final String wireName;

    RunState(String wireName) {
        this.wireName = wireName;
    }

    /**
     * QEMU's spelling.
     *
     * @return as in the globalstate section
     */
    public String wireName() {
        return wireName;
    }

    /**
     * The state of that name.
     *
     * @param wireName QEMU's spelling
     * @return empty if there is none
     */
    public static Optional<RunState> of(String wireName) {
        Objects.requireNonNull(wireName, "wireName");
        for (RunState state : values())
            if (state.wireName.equals(wireName)) return Optional.of(state);
        return Optional.empty();
    }
}
