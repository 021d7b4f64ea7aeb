package org.vmferry.engine.migration;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;

/** The destination's own word that it failed: it never starts the guest. */
final class Refused extends MigrationException {
    private static final long serialVersionUID = 1L;

    /** What it said of it, or null. */
    Refused(String reason) {
        super(
                Blame.PEER,
                reason == null || reason.isEmpty()
                        ? "the destination failed to load the machine; its own log says why"
                        : "the destination failed to load the machine: " + reason);
    }

    /** The word of what took its place, such as a command's exit status. */
    Refused(MigrationException word) {
        super(word.blame(), word.getMessage(), word);
    }
}
