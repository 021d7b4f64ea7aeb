package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.engine.stream.StreamIn;
import org.vmferry.engine.stream.VmDescription;
import org.vmferry.spi.Joined;
import org.vmferry.spi.Log;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.util.List;

/**
 * A destination's last words on a channel: it has begun, and a source that hangs must not keep it.
 * What still comes, such as a VMDESCRIPTION, is read and dropped: bytes that nobody reads would
 * turn the close into a reset, which may take the word to the source with it.
 *
 * <p>Lets the channel go after a second in which nothing comes. Where no thread is to be had for
 * that, the word is said all the same, and nothing is waited for.
 */
final class Farewell implements AutoCloseable {
    private static final Logger LOG = Log.of(Farewell.class);
    private static final long PATIENCE_MS = 1000;
    private static final int MOST_SECONDS = 60;

    private final String migration;
    private final Channel main;
    private final StreamIn in;
    private final Thread thread;
    private boolean unwatched;
    private boolean over; // guarded by this

    Farewell(String migration, Channel main, StreamIn in) {
        this.migration = migration;
        this.main = main;
        this.in = in;
        thread = new Thread(this::watch, migration + "-farewell");
        thread.setDaemon(true);
        try {
            thread.start();
        } catch (OutOfMemoryError e) {
            LOG.warn("{}: {} is not read to its end: {}", migration, main.peer(), e.toString());
            unwatched = true;
        }
    }

    private synchronized void watch() {
        try {
            for (int seconds = 0; seconds < MOST_SECONDS; seconds++) {
                long before = in.received();
                long until = System.nanoTime() + PATIENCE_MS * 1_000_000;
                for (long rest; !over && (rest = until - System.nanoTime()) > 0; ) {
                    wait(rest / 1_000_000 + 1);
                }
                if (over) return;
                if (in.received() == before) break;
            }
            letGo();
        } catch (InterruptedException e) {
            // Nobody does that.
        }
    }

    /**
     * In order: an OpenSSL, and whatever else waits for this side's end, takes a cut for a failure.
     */
    private void letGo() {
        try {
            main.close();
        } catch (IOException e) {
            LOG.debug("{}: closing {}", migration, main.peer(), e);
        }
        main.release();
    }

    /** Drops what comes, until the source closes, or says nothing more. */
    void readToTheEnd() {
        if (unwatched) return;
        try {
            for (long most = in.position() + VmDescription.LONGEST + (1 << 20);
                    in.position() < most && !in.atEnd(); ) {
                in.drop();
            }
        } catch (IOException e) {
            LOG.debug("{}: {} is gone", migration, main.peer(), e);
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
