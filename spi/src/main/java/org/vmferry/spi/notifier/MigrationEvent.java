package org.vmferry.spi.notifier;

import org.jspecify.annotations.Nullable;
import org.vmferry.spi.Handed;
import org.vmferry.spi.Mode;
import org.vmferry.spi.Status;

import java.util.Objects;

/**
 * What a notifier is told. A switch over these three is whole, and stays so: what is to be told
 * besides gets a method of its own in {@link MigrationNotifier}, and {@link MigrationInfo} grows.
 */
@Handed
@Status(Status.Level.STABLE)
public sealed interface MigrationEvent {
    /**
     * The migration.
     *
     * @return null only of an event that was made without it, as by a test
     */
    @Nullable MigrationInfo migration();

    /**
     * The migration's mode.
     *
     * @return never null
     */
    Mode mode();

    /**
     * A migration is being set up; the only event at which a notifier may veto. Nothing was sent or
     * read yet, and the guest is as it was; an incoming one listens already, or has its file open.
     *
     * @param mode the migration's
     * @param migration which; null only where it was made without it
     */
    @Handed
    @Status(Status.Level.STABLE)
    record PrecopySetup(Mode mode, @Nullable MigrationInfo migration) implements MigrationEvent {
        /** Refuses a mode that is null. */
        public PrecopySetup {
            Objects.requireNonNull(mode, "mode");
        }

        /**
         * Without the migration.
         *
         * @param mode the migration's
         */
        public PrecopySetup(Mode mode) {
            this(mode, null);
        }
    }

    /**
     * It has succeeded: the source has sent everything, or the destination's machine has everything
     * and has entered its state.
     *
     * @param mode the migration's
     * @param migration which; null only where it was made without it
     */
    @Handed
    @Status(Status.Level.STABLE)
    record PrecopyDone(Mode mode, @Nullable MigrationInfo migration) implements MigrationEvent {
        /** Refuses a mode that is null. */
        public PrecopyDone {
            Objects.requireNonNull(mode, "mode");
        }

        /**
         * Without the migration.
         *
         * @param mode the migration's
         */
        public PrecopyDone(Mode mode) {
            this(mode, null);
        }
    }

    /**
     * The migration failed or was cancelled. The source's guest goes on, but for an outcome that
     * nobody knows; the destination's was not started.
     *
     * @param mode the migration's
     * @param reason one sentence
     * @param migration which; null only where it was made without it
     */
    @Handed
    @Status(Status.Level.STABLE)
    record PrecopyFailed(Mode mode, String reason, @Nullable MigrationInfo migration)
            implements MigrationEvent {
        /** Refuses a mode or reason that is null. */
        public PrecopyFailed {
            Objects.requireNonNull(mode, "mode");
            Objects.requireNonNull(reason, "reason");
        }

        /**
         * Without the migration.
         *
         * @param mode the migration's
         * @param reason one sentence
         */
        public PrecopyFailed(Mode mode, String reason) {
            this(mode, reason, null);
        }
    }
}
