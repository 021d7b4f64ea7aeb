package org.vmferry.engine.migration;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;

/**
 * Everything was sent, and the link was lost before the destination said how it went: it may run
 * the guest, or not. Whoever can look there decides.
 */
final class OutcomeUnknown extends MigrationException {
    private static final long serialVersionUID = 1L;

    OutcomeUnknown(Throwable cause) {
        super(
                Blame.TRANSPORT,
                "everything was sent, but the link was lost before the destination answered: the"
                        + " guest stays paused here; resume it only if it does not run there",
                cause);
    }
}
