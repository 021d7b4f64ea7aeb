package org.vmferry.spi.notifier;

import org.vmferry.spi.Mode;
import org.vmferry.spi.Status;
import org.vmferry.spi.option.Provider;

import java.util.Set;

/**
 * Is told of outgoing migrations, of which a snapshot is one, on the migration thread, in the order
 * of registration. What it throws, other than a veto at set-up, is logged, and the migration goes
 * on: one without which nothing may happen turns its own exceptions into a veto.
 */
@Status(Status.Level.STABLE)
public interface MigrationNotifier extends Provider {
    /**
     * The modes it wants to hear of.
     *
     * @return by default NORMAL only
     */
    default Set<Mode> modes() {
        return Set.of(Mode.NORMAL);
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
