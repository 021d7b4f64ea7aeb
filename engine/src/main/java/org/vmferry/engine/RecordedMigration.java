package org.vmferry.engine;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Registered;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

import org.jspecify.annotations.Nullable;
import org.vmferry.engine.report.DowntimePart;
import org.vmferry.engine.report.MigrationState;

/** A migration, for the flight recorder: committed when its final numbers are known. */
@Name("vmferry.Migration")
@Label("Migration")
@Category("vmferry")
@Description("A machine that was sent or received, from its beginning to its final state")
@StackTrace(false)
@Registered(false) // where there is no recorder it would load a hundred classes for nothing
final class RecordedMigration extends Event {
    @Label("Migration")
    final String migration;

    @Label("Direction")
    @Description("send or receive")
    final String direction;

    @Label("Address")
    final String address;

    @Label("State")
    @Description("completed, failed or cancelled")
    @Nullable String state;

    @Label("Reason")
    @Description("Why it did not complete")
    @Nullable String reason;

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

    @Label("Stop")
    @Description("Until its virtual CPUs stood still")
    @Timespan(Timespan.MILLISECONDS)
    long stop;

    @Label("Wait")
    @Description("For the operator's word")
    @Timespan(Timespan.MILLISECONDS)
    long wait;

    @Label("Drain")
    @Description("Until what was still dirty was handed to the link")
    @Timespan(Timespan.MILLISECONDS)
    long drain;

    @Label("Device Save")
    @Description("Until the devices were handed to the link")
    @Timespan(Timespan.MILLISECONDS)
    long deviceSave;

    @Label("Link")
    @Description("Until the destination had all of it, or the disk")
    @Timespan(Timespan.MILLISECONDS)
    long link;

    @Label("Device Load")
    @Description("At a destination, from the end of RAM until the devices were loaded")
    @Timespan(Timespan.MILLISECONDS)
    long deviceLoad;

    @Label("Start")
    @Description("Until the guest ran at the destination, or the source heard of it")
    @Timespan(Timespan.MILLISECONDS)
    long start;

    RecordedMigration(String migration, String direction, String address) {
        this.migration = migration;
        this.direction = direction;
        this.address = address;
        register();
    }

    private static void register() {
        if (FlightRecorder.isInitialized()) FlightRecorder.register(RecordedMigration.class);
    }

    /** Fills in the end and commits it. */
    void end(MigrationState end, @Nullable Throwable why, Statistics statistics) {
        register(); // somebody may have begun to record meanwhile
        end();
        if (!shouldCommit()) return;
        state = end.wireName();
        reason = why == null ? null : why.getMessage();
        bytes = statistics.transferred();
        rounds = statistics.dirtySyncCount();
        downtime = statistics.downtime();
        stop = part(statistics, DowntimePart.STOP);
        wait = part(statistics, DowntimePart.WAIT);
        drain = part(statistics, DowntimePart.DRAIN);
        deviceSave = part(statistics, DowntimePart.DEVICE_SAVE);
        link = part(statistics, DowntimePart.LINK);
        deviceLoad = part(statistics, DowntimePart.DEVICE_LOAD);
        start = part(statistics, DowntimePart.START);
        commit();
    }

    /** Long.MIN_VALUE is how a time span says that it is not known. */
    private static long part(Statistics statistics, DowntimePart part) {
        return statistics.downtimeParts().getOrDefault(part, Long.MIN_VALUE);
    }
}
