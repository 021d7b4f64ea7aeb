package org.vmferry.engine.migration;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;

/**
 * The stream's end was on its way, and the link was lost, or the destination fell silent, before it
 * was known how it went: it may run the guest, or not. Whoever can look there decides.
 */
final class OutcomeUnknown extends MigrationException {
    private static final long serialVersionUID = 1L;

    OutcomeUnknown(Throwable cause) {
        this(isCodes(cause) ? cause.getMessage() + "," : "the link was lost", cause);
    }

    private final String what;

    /** What went wrong at that moment. */
    OutcomeUnknown(String what, Throwable cause) {
        this(what, "the guest stays paused here; resume it only if it does not run there", cause);
    }

    private OutcomeUnknown(String what, String now, Throwable cause) {
        super(
                isCodes(cause) ? ((MigrationException) cause).blame() : Blame.TRANSPORT,
                what + " when the destination may have had everything: " + now,
                cause);
        this.what = what;
    }

    /**
     * The same, now that the destination has said its word.
     *
     * @param refusal that it failed; null if it runs the guest
     */
    OutcomeUnknown corrected(Refused refusal) {
        String word =
                refusal == null
                        ? "it said so later, and runs the guest: never resume it here"
                        : "later " + refusal.getMessage() + ". The guest is this side's again";
        OutcomeUnknown known = new OutcomeUnknown(what, word, getCause());
        for (Throwable beside : getSuppressed()) known.addSuppressed(beside);
        return known;
    }

    private static boolean isCodes(Throwable cause) {
        return cause instanceof MigrationException e && e.blame().isCodes();
    }
}
