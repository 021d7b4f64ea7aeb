package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.engine.stream.StreamIn;
import org.vmferry.spi.Joined;
import org.vmferry.spi.Log;
import org.vmferry.spi.transport.Channel;

import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Says that nothing has come from a source, more and more seldom. There is no limit to it: the
 * source may stand before its switch-over until its operator says go.
 */
final class Quiet implements AutoCloseable {
    private static final Logger LOG = Log.of(Quiet.class);
    private static final long LOOK_MS = 1000;

    private final MigrationSession session;
    private final Channel main;
    private final StreamIn in;
    private final Thread thread;
    private boolean over; // guarded by this

    Quiet(MigrationSession session, Channel main, StreamIn in) {
        this.session = session;
        this.main = main;
        this.in = in;
        thread = new Thread(this::watch, session.name() + "-quiet");
        thread.setDaemon(true);
        thread.start();
    }

    private long received() {
        return in.received() + session.channelBytes();
    }

    private synchronized void watch() {
        Reminder reminder = new Reminder();
        long began = System.nanoTime();
        long before = received();
        try {
            while (!over) {
                if (received() != before) {
                    before = received();
                    began = System.nanoTime();
                }
                long waited = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
                if (reminder.due(waited)) {
                    LOG.warn(
                            "{}: nothing has come from {} for {} s; its migration may wait for"
                                    + " somebody there",
                            session.name(),
                            main.peer(),
                            waited / 1000);
                }
                wait(Math.min(LOOK_MS, reminder.next() - waited));
            }
        } catch (InterruptedException e) {
            // Nobody does that.
        }
    }

    @Override
    public void close() {
        synchronized (this) {
            over = true;
            notifyAll();
        }
        Joined.all(List.of(thread));
    }
}
