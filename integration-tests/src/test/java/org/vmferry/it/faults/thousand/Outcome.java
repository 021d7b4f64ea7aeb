package org.vmferry.it.faults.thousand;

import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.Blame;

import java.util.List;

/**
 * What came of a plan, as it is seen from outside: of the migrations what they say, of the guests
 * whether they execute.
 *
 * @param struck what the fault hit; "" if it never struck
 * @param struckAfterPause whether the source's guest stood then
 * @param paused whether it was ever paused
 * @param endBegun whether the end may have been on its way
 * @param hasEverything whether the destination had everything
 * @param runsHere whether the source's guest executes now
 * @param wentOnHere whether it has executed since the pause
 * @param runsThere whether the destination's guest executes now
 * @param ranThere whether it ever did
 * @param harmed what the guests themselves found wrong, or files; "" if nothing
 * @param left what is left behind
 */
record Outcome(
        Plan plan,
        String struck,
        boolean struckAfterPause,
        boolean won,
        boolean paused,
        boolean endBegun,
        boolean hasEverything,
        End source,
        End destination,
        boolean runsHere,
        boolean wentOnHere,
        boolean runsThere,
        boolean ranThere,
        String harmed,
        List<String> left) {
    /**
     * How one side ended.
     *
     * @param state NONE if it was refused before it began, null if there was none, or it hangs
     * @param error null if it has none
     * @param blame of the error
     */
    record End(MigrationState state, GuestOwner owner, String error, Blame blame, boolean hangs) {
        /** There is no such side. */
        static final End NOBODY = new End(null, null, null, null, false);

        boolean is(MigrationState which) {
            return state == which;
        }

        boolean exists() {
            return this != NOBODY;
        }

        @Override
        public String toString() {
            if (!exists()) return "-";
            String why = error == null ? "" : " (" + blame + ": " + error + ")";
            return (hangs ? "HANGS in " : "") + state + " " + owner + why;
        }
    }

    boolean hasStruck() {
        return !struck.isEmpty();
    }

    @Override
    public String toString() {
        return "%s%n    struck: %s%s; %s%s%s%n    source: %s; %s%n    destination: %s; %s%n    %s%s"
                .formatted(
                        plan,
                        hasStruck() ? struck : "never",
                        struckAfterPause ? ", after the pause" : "",
                        paused ? "paused, " : "",
                        endBegun ? "the end begun, " : "",
                        hasEverything ? "everything there" : "",
                        source,
                        (runsHere ? "runs" : "stands") + (wentOnHere ? ", went on" : ""),
                        destination,
                        (runsThere ? "runs" : "stands") + (ranThere ? ", ran" : ""),
                        harmed.isEmpty() ? "" : "harmed: " + harmed + " ",
                        left.isEmpty() ? "" : "left: " + left);
    }
}
