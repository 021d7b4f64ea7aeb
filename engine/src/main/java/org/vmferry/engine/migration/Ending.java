package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.spi.Joined;
import org.vmferry.spi.Log;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.Opener;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * How a source's connections end when all is done: side by side, for with TLS each waits for its
 * peer. When the destination has said that it runs the guest, all of them together get ten seconds,
 * or silence-timeout if that is less.
 */
final class Ending implements AutoCloseable {
    private static final Logger LOG = Log.of(Ending.class);
    private static final long MOST_MS = 10_000;

    private final MigrationSession session;
    private final Opener end;
    private final List<Thread> ends = new ArrayList<>();
    private Thread bound;
    private boolean over; // guarded by this

    Ending(MigrationSession session, Opener end) {
        this.session = session;
        this.end = end;
    }

    /** From now on nothing of them is worth more time. */
    void bound() {
        bound = begin("bound", this::watch);
    }

    private void watch() {
        synchronized (this) {
            long silence = session.silence();
            long most = silence == 0 ? MOST_MS : Math.min(MOST_MS, silence);
            long until = System.nanoTime() + most * 1_000_000;
            try {
                for (long rest; !over && (rest = until - System.nanoTime()) > 0; ) {
                    wait(rest / 1_000_000 + 1);
                }
            } catch (InterruptedException e) {
                return; // nobody does that
            }
            if (over) return;
        }
        LOG.debug("{}: its connections do not end, and are cut", session.name());
        end.release();
    }

    /** Ends the main one, while others are ended. */
    void end(Channel main) {
        Runnable work = () -> endInOrder(main);
        Thread thread = begin("end", work);
        if (thread == null) work.run();
        else ends.add(thread);
    }

    /** Everything was sent: a peer that has all of it may be gone already, which is no failure. */
    private void endInOrder(Channel main) {
        try {
            main.shutdownOutput();
            main.close(); // waits, with TLS, until the peer has read everything
        } catch (IOException | RuntimeException | Error e) {
            LOG.debug("{}: {} was gone first", session.name(), main.peer(), e);
        }
    }

    /** Null where no thread is to be had. */
    private Thread begin(String role, Runnable work) {
        Thread thread = new Thread(work, session.name() + "-" + role);
        thread.setDaemon(true);
        try {
            thread.start();
            return thread;
        } catch (OutOfMemoryError e) {
            LOG.debug("{}: its connections end one after another", session.name(), e);
            return null;
        }
    }

    /** Waits until the main one has ended. */
    @Override
    public void close() {
        Joined.all(ends);
        synchronized (this) {
            over = true;
            notifyAll();
        }
        if (bound != null) Joined.all(List.of(bound));
    }
}
