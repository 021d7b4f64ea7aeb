package org.vmferry.spi.notifier;

import org.vmferry.spi.Status;

/** Forbids a migration, at PRECOPY_SETUP. */
@Status(Status.Level.STABLE)
public final class MigrationVeto extends Exception {
    private static final long serialVersionUID = 1L;

    /**
     * A veto.
     *
     * @param reason one sentence, which becomes the migration's error
     */
    public MigrationVeto(String reason) {
        super(reason);
    }
}
