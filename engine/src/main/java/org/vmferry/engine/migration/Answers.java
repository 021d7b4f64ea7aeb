package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.spi.Joined;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** The destination's side of the return path: what it answers (rules RPT-1 to RPT-7). */
final class Answers {
    private static final Logger LOG = Log.of(Answers.class);

    // So many answers fill no socket, which counts most bytes for the smallest of messages.
    private static final int MOST_PINGS = 64;

    private static final long SIGN_MS = 500; // at first; then less and less often
    private static final long SELDOM_MS = 20_000;

    private final String migration;
    private final Channel channel;
    private int pings; // guarded by this, as below
    private boolean greeted;
    private boolean over;

    Answers(String migration, Channel channel) throws IOException {
        this.migration = migration;
        this.channel = channel;
        channel.write(ByteBuffer.allocate(0)); // TLS needs to know that it will be written to
    }

    synchronized void pong(int value) throws IOException {
        if (++pings > MOST_PINGS) throw MigrationException.peer("over %d PINGs", MOST_PINGS);
        if (value == ReturnPath.GREETING) greeted = true;
        send(ReturnPath.message(ReturnPath.PONG, value));
    }

    /** Says that the guest may be paused for us (rule RPT-10). */
    synchronized void ready() throws IOException {
        if (!over) send(ReturnPath.message(ReturnPath.SWITCHOVER_ACK));
    }

    /** Says that the machine runs here. That the source is gone is its own to notice. */
    synchronized void begun() {
        shut(0);
    }

    /** Says that it never will, and to whom it is of use, why. */
    synchronized void failed(MigrationException why) {
        if (over) return;
        try {
            if (greeted) send(ReturnPath.message(ReturnPath.REASON, why.getMessage()));
        } catch (IOException e) {
            LOG.debug("{}: {} was not told why", migration, channel.peer(), e);
        }
        shut(1);
    }

    private void shut(int outcome) {
        if (over) return;
        over = true;
        try {
            send(ReturnPath.message(ReturnPath.SHUT, outcome));
        } catch (IOException e) {
            LOG.debug("{}: {} was not told the outcome {}", migration, channel.peer(), outcome, e);
        }
    }

    private void send(ByteBuffer message) throws IOException {
        while (message.hasRemaining()) channel.write(message);
    }

    /**
     * Gives signs of life until it is closed: the machine takes as long as it takes to begin, such
     * as an archive that is written to a disk.
     */
    Alive alive() {
        return new Alive();
    }

    /** See {@link #alive}. */
    final class Alive implements AutoCloseable {
        private final Thread thread = new Thread(this::live, migration + "-alive");
        private boolean closed; // guarded by this

        private Alive() {
            synchronized (Answers.this) {
                if (!greeted) return;
            }
            thread.setDaemon(true);
            thread.start();
        }

        private void live() {
            try {
                for (long ms = SIGN_MS; sleeps(ms); ms = Math.min(SELDOM_MS, ms + ms / 8)) {
                    synchronized (Answers.this) {
                        if (over) return;
                        send(ReturnPath.message(ReturnPath.PONG, ReturnPath.GREETING));
                    }
                }
            } catch (IOException e) {
                LOG.debug("{}: {} is gone", migration, channel.peer(), e);
            } catch (InterruptedException e) {
                // Nobody does that.
            }
        }

        private synchronized boolean sleeps(long ms) throws InterruptedException {
            long until = System.nanoTime() + ms * 1_000_000;
            for (long rest; !closed && (rest = until - System.nanoTime()) > 0; ) {
                wait(rest / 1_000_000 + 1);
            }
            return !closed;
        }

        @Override
        public void close() {
            synchronized (this) {
                closed = true;
                notifyAll();
            }
            Joined.all(List.of(thread));
        }
    }
}
