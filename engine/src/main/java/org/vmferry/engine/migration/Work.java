package org.vmferry.engine.migration;

import org.vmferry.engine.GuestOwner;
import org.vmferry.engine.MigrationState;
import org.vmferry.spi.MigrationException;

import java.io.IOException;

/** What a migration's thread does: save or load. */
public interface Work {
    /** Does it; returns when all is done, and throws when it failed and all was taken back. */
    void run(Stage stage) throws IOException;

    /** How far it is; any thread. */
    Progress progress();

    /** Who has the guest, as far as this side knows; any thread. */
    GuestOwner owner();

    /** Takes note of the states that the work comes to. */
    interface Stage {
        /** A state was come to. */
        void enter(MigrationState state) throws IOException;

        /** A source begins a round, counted from 1. */
        default void round(long number) {}
    }

    /** The operator's word to go on from pre-switchover. */
    default void proceed() {
        throw new UnsupportedOperationException("a destination has nothing to wait for");
    }

    /**
     * Lets go whatever hangs after the commit; any thread.
     *
     * @return false if nothing may be disturbed any more
     */
    default boolean yank() {
        return false;
    }

    /**
     * The work's thread hangs where nobody can let it go: settles in its place what the host is
     * waiting for, and fails. Another thread.
     *
     * @param why unless it has failed before
     * @return false if the work is about to end by itself, or it is the host that hangs
     */
    boolean abandon(MigrationException why);

    /** Figures, bytes and ms. */
    record Progress(
            long total,
            int pageSize,
            long transferred,
            long whilePaused,
            long remaining,
            long rounds,
            long setupTime,
            long downtime,
            long expectedDowntime,
            long dirtyPagesRate,
            int throttle) {
        /** Before the first figure is known. */
        static final Progress NONE = new Progress(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    }
}
