package org.vmferry.spi.notifier;

import org.jspecify.annotations.Nullable;
import org.vmferry.spi.Status;

/** Forbids a migration, at PRECOPY_SETUP. */
@Status(Status.Level.STABLE)
public final class MigrationVeto extends Exception {
    private static final long serialVersionUID = 1L;

    /**
     * A veto.
     *
     * @param reason one sentence, which becomes the migration's error; null forbids it, too, and
     *     leaves its user without a reason
     */
    public MigrationVeto(@Nullable String reason) {
        super(reason);
    }
}
