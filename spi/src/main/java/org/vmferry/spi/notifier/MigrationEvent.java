package org.vmferry.spi.notifier;

import org.vmferry.spi.Handed;
import org.vmferry.spi.Mode;
import org.vmferry.spi.Status;

/** What a notifier is told. */
@Handed
@Status(Status.Level.STABLE)
public sealed interface MigrationEvent {
    /**
     * The migration's mode.
     *
     * @return never null
     */
    Mode mode();

    /**
     * A migration is being set up; the only event at which a notifier may veto.
     *
     * @param mode the migration's
     */
    @Handed
    @Status(Status.Level.STABLE)
    record PrecopySetup(Mode mode) implements MigrationEvent {}

    /**
     * The source has sent everything.
     *
     * @param mode the migration's
     */
    @Handed
    @Status(Status.Level.STABLE)
    record PrecopyDone(Mode mode) implements MigrationEvent {}

    /**
     * The migration failed or was cancelled; the source's guest goes on.
     *
     * @param mode the migration's
     * @param reason one sentence
     */
    @Handed
    @Status(Status.Level.STABLE)
    record PrecopyFailed(Mode mode, String reason) implements MigrationEvent {}
}
