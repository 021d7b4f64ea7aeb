package org.vmferry.engine.report;

import org.vmferry.spi.Status;

import java.util.EnumSet;
import java.util.Set;

/** Where a migration stands, under QEMU's names. */
@Status(Status.Level.STABLE)
public enum MigrationState {
    /** Made, not begun. */
    NONE("none"),
    /** Connecting. */
    SETUP("setup"),
    /** RAM is on its way; the source's guest may run. */
    ACTIVE("active"),
    /** The source's guest is paused, and waits for the operator's word to go on. */
    PRE_SWITCHOVER("pre-switchover"),
    /** The source's guest is paused; the last of RAM and the devices are on their way. */
    DEVICE("device"),
    /** Done. At the source: the guest is the destination's now, or the snapshot is durable. */
    COMPLETED("completed"),
    /** Failed. At the source: the guest goes on here. At the destination: it never started. */
    FAILED("failed"),
    /** Being cancelled. */
    CANCELLING("cancelling"),
    /** Cancelled. At the source: the guest goes on here. */
    CANCELLED("cancelled");

    private final String wireName;

    MigrationState(String wireName) {
        this.wireName = wireName;
    }

    /**
     * QEMU's spelling.
     *
     * @return as in query-migrate
     */
    public String wireName() {
        return wireName;
    }

    /**
     * Whether nothing comes after it.
     *
     * @return true for completed, failed and cancelled
     */
    public boolean isFinal() {
        return next().isEmpty();
    }

    /**
     * The states that may follow.
     *
     * @return empty for a final one
     */
    public Set<MigrationState> next() {
        return switch (this) {
            case NONE -> EnumSet.of(SETUP, FAILED, CANCELLING);
            case SETUP -> EnumSet.of(ACTIVE, FAILED, CANCELLING);
            case ACTIVE -> EnumSet.of(PRE_SWITCHOVER, DEVICE, COMPLETED, FAILED, CANCELLING);
            case PRE_SWITCHOVER -> EnumSet.of(DEVICE, FAILED, CANCELLING);
            case DEVICE -> EnumSet.of(COMPLETED, FAILED, CANCELLING);
            case CANCELLING -> EnumSet.of(CANCELLED);
            case COMPLETED, FAILED, CANCELLED -> EnumSet.noneOf(MigrationState.class);
        };
    }
}
