package org.vmferry.engine;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Registered;
import jdk.jfr.StackTrace;

import org.vmferry.engine.report.GuestOwner;

/** Who has a guest after all, for the flight recorder. */
@Name("vmferry.Correction")
@Label("Correction")
@Category("vmferry")
@Description("A destination that had fallen silent has said who has the guest")
@StackTrace(false)
@Registered(false) // where there is no recorder it would load a hundred classes for nothing
final class RecordedCorrection extends Event {
    @Label("Migration")
    final String migration;

    @Label("Owner")
    @Description("SOURCE or DESTINATION")
    final String owner;

    private RecordedCorrection(String migration, String owner) {
        this.migration = migration;
        this.owner = owner;
        if (FlightRecorder.isInitialized()) FlightRecorder.register(RecordedCorrection.class);
    }

    /** Commits one. */
    static void commit(String migration, GuestOwner owner) {
        new RecordedCorrection(migration, owner.name()).commit();
    }
}
