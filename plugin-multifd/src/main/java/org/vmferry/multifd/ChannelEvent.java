package org.vmferry.multifd;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Registered;
import jdk.jfr.StackTrace;

import org.slf4j.Logger;
import org.vmferry.spi.Log;

/** A multifd channel, for the flight recorder: from its first packet to its end. One thread's. */
@Name("vmferry.Channel")
@Label("Migration Channel")
@Category("vmferry")
@Description("A multifd channel of a migration, from its first packet to its end")
@StackTrace(false)
@Registered(false) // where there is no recorder it would load a hundred classes for nothing
final class ChannelEvent extends Event {
    private static final Logger LOG = Log.of(ChannelEvent.class);

    @Label("Migration")
    String migration;

    @Label("Channel")
    int channel;

    @Label("Peer")
    String peer;

    @Label("Bytes")
    @Description("Of packets, as they are on the wire, without TLS")
    @DataAmount
    long bytes;

    @Label("Normal Pages")
    long normalPages;

    @Label("Zero Pages")
    long zeroPages;

    private ChannelEvent() {
        register();
    }

    private static void register() {
        if (FlightRecorder.isInitialized()) FlightRecorder.register(ChannelEvent.class);
    }

    /** Commits it, and says so in the log. */
    void over() {
        register(); // somebody may have begun to record meanwhile
        commit();
        LOG.debug(
                "{}: channel {} with {} is over after {} bytes, {} pages and {} zero pages",
                migration,
                channel,
                peer,
                bytes,
                normalPages,
                zeroPages);
    }

    static ChannelEvent begin(String migration, int channel, String peer) {
        ChannelEvent event = new ChannelEvent();
        event.migration = migration;
        event.channel = channel;
        event.peer = peer;
        event.begin();
        return event;
    }
}
