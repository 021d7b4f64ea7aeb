package org.vmferry.engine;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** A migration, for the flight recorder: committed when its final numbers are known. */
@Name("vmferry.Migration")
@Label("Migration")
@Category("vmferry")
@Description("A machine that was sent or received, from its beginning to its final state")
@StackTrace(false)
final class RecordedMigration extends Event {
    @Label("Migration")
    String migration;

    @Label("Direction")
    @Description("send or receive")
    String direction;

    @Label("Address")
    String address;

    @Label("State")
    @Description("completed, failed or cancelled")
    String state;

    @Label("Reason")
    @Description("Why it did not complete")
    String reason;

    @Label("Bytes")
    @Description("Over all channels, or into the file")
    @DataAmount
    long bytes;

    @Label("Rounds")
    @Description("How often the dirty log was harvested")
    long rounds;

    @Label("Downtime")
    @Description("For which the source's guest was paused")
    @Timespan(Timespan.MILLISECONDS)
    long downtime;

    /** Fills in the end and commits it. */
    void end(MigrationState end, Throwable why, Statistics statistics) {
        end();
        if (!shouldCommit()) return;
        state = end.wireName();
        reason = why == null ? null : why.getMessage();
        bytes = statistics.transferred();
        rounds = statistics.dirtySyncCount();
        downtime = statistics.downtime();
        commit();
    }
}
