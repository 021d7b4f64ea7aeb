package org.vmferry.engine.migration;

import org.vmferry.engine.report.DowntimePart;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.util.Map;
import java.util.function.Consumer;

/** What a migration's thread does: save or load. */
public interface MigrationSide {
    /** Does it; returns when all is done, and throws when it failed and all was taken back. */
    void run(Stage stage) throws IOException;

    /** How far it is; any thread. */
    Progress progress();

    /** Whether it writes pages around the page cache; false before it is known. Any thread. */
    default boolean direct() {
        return false;
    }

    /** Takes note of the states that the work comes to. */
    interface Stage {
        /** A state was come to. */
        void enter(MigrationState state) throws IOException;

        /** A source begins a round, counted from 1. */
        default void round(long number) {}
    }

    /** The operator's word to go on from pre-switchover, where a source alone waits for it. */
    default void proceed() {}

    /** Cuts the link after the commit, for whoever hangs in it; any thread, which may hang then. */
    void cut();

    /**
     * The work's thread hangs where nobody can let it go: settles in its place what the host is
     * waiting for. Another thread.
     *
     * @param why unless it has failed before, or is done
     * @return false if the work is about to end by itself, or it is the host that hangs
     */
    boolean abandon(MigrationException why);

    /**
     * The migration is over, and that was told: waits for a word that may still come about who has
     * the guest. On the migration's thread.
     *
     * @param use of the machine, which yields
     * @param corrected is told who has it, once all was done about it
     */
    default void hearOut(MachineUse use, Consumer<GuestOwner> corrected) {}

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
            Map<DowntimePart, Long> downtimeParts,
            long expectedDowntime,
            long dirtyPagesRate,
            int throttle) {
        /** Before the first figure is known. */
        static final Progress NONE = new Progress(0, 0, 0, 0, 0, 0, 0, 0, Map.of(), 0, 0, 0);
    }
}
