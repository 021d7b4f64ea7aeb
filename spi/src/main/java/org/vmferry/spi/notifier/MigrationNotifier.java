package org.vmferry.spi.notifier;

import org.vmferry.spi.Mode;
import org.vmferry.spi.Status;
import org.vmferry.spi.notifier.MigrationInfo.Direction;
import org.vmferry.spi.notifier.MigrationInfo.Kind;
import org.vmferry.spi.option.Provider;

import java.util.Set;

/**
 * Is told of migrations, of which a snapshot is one, on the migration thread, in the order of
 * registration; of each that it hears, first of its set-up and then once of its end.
 *
 * <p>Its own {@link #options} are in {@link MigrationInfo#options}.
 *
 * <p>Whatever it throws but a veto at set-up, be it an exception or an error, is logged: the
 * migration goes on, and the notifier hears how it ends. At set-up of one that {@link #failsClosed}
 * it forbids the migration instead.
 */
@Status(Status.Level.STABLE)
public interface MigrationNotifier extends Provider {
    /**
     * The modes it wants to hear of.
     *
     * @return by default NORMAL only; the same at every call
     */
    default Set<Mode> modes() {
        return Set.of(Mode.NORMAL);
    }

    /**
     * Whether it wants to hear of a migration of such a mode. Asked once, before the set-up.
     *
     * @param migration which is about to be set up
     * @return by default true if a guest goes away from here or into a snapshot: of what comes in,
     *     and of a {@link Kind#CONVERSION}, in which no guest moves, it is not told
     */
    default boolean hears(MigrationInfo migration) {
        return migration.direction() == Direction.OUTGOING && migration.kind() != Kind.CONVERSION;
    }

    /**
     * Whether nothing may happen that it has not let pass, as with a journal: then whatever it
     * throws at set-up forbids the migration as a veto does. So does what {@link #modes} and {@link
     * #hears} throw. One that can't be loaded is never asked: the host sees to that.
     *
     * @return by default false; the same at every call
     */
    default boolean failsClosed() {
        return false;
    }

    /**
     * Something happened.
     *
     * @param event what
     * @throws MigrationVeto at PRECOPY_SETUP only: the migration fails with its reason, and those
     *     told before hear PRECOPY_FAILED
     */
    void notify(MigrationEvent event) throws MigrationVeto;
}
