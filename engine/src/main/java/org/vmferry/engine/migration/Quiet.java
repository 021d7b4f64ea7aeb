package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vmferry.engine.stream.StreamIn;
import org.vmferry.spi.transport.Channel;

import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Says that nothing has come from a source, more and more seldom. There is no limit to it: the
 * source may stand before its switch-over until its operator says go.
 */
final class Quiet implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Quiet.class);
    private static final long FIRST_MS = 20_000;

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
        long began = System.nanoTime();
        long before = received();
        try {
            for (long ms = FIRST_MS; !over; ) {
                long rest = ms - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
                if (rest > 0) {
                    wait(rest);
                } else if (received() != before) {
                    before = received();
                    began = System.nanoTime();
                    ms = FIRST_MS;
                } else {
                    LOG.warn(
                            "{}: nothing has come from {} for {} s; its migration may wait for"
                                    + " somebody there",
                            session.name(),
                            main.peer(),
                            ms / 1000);
                    ms *= 2;
                }
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
