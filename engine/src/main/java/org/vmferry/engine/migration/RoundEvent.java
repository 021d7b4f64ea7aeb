package org.vmferry.engine.migration;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Percentage;
import jdk.jfr.Registered;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** A round over the dirty pages, for the flight recorder: its time is that of sending. */
@Name("vmferry.Round")
@Label("Migration Round")
@Category("vmferry")
@Description("A round over the dirty pages of a machine that is sent")
@StackTrace(false)
@Registered(false) // where there is no recorder it would load a hundred classes for nothing
final class RoundEvent extends Event {
    @Label("Migration")
    String migration;

    @Label("Round")
    @Description("From 1; the last is sent while the guest is paused")
    long round;

    @Label("Last")
    boolean last;

    @Label("RAM")
    @Description("Of the pages that it went over")
    @DataAmount
    long bytes;

    @Label("Dirty Pages")
    @Description("At its end")
    long dirtyPages;

    @Label("Dirty Rate")
    @Description("Pages a second that the guest dirtied meanwhile")
    long dirtyPagesRate;

    @Label("Expected Downtime")
    @Description("That sending the rest would have taken")
    @Timespan(Timespan.MILLISECONDS)
    long expectedDowntime;

    @Label("CPU Throttle")
    @Description("By auto-converge, while it was sent")
    @Percentage
    double throttle;

    RoundEvent() {
        if (FlightRecorder.isInitialized()) FlightRecorder.register(RoundEvent.class);
    }
}
