package org.vmferry.engine.tls;

import org.vmferry.spi.Joined;
import org.vmferry.spi.Printable;
import org.vmferry.spi.transport.Channel;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Releases a channel unless it is closed in time. */
final class Deadline implements AutoCloseable {
    private final CountDownLatch done = new CountDownLatch(1);
    private final Thread thread;
    private volatile boolean passed;

    /**
     * Starts to run.
     *
     * @param channel to be released
     * @param ms 0 for never
     */
    Deadline(Channel channel, long ms) {
        thread =
                Thread.ofPlatform()
                        .daemon()
                        .name(Printable.line("vmferry-deadline-" + channel.peer()))
                        .unstarted(() -> watch(channel, ms));
        if (ms > 0) thread.start();
    }

    private void watch(Channel channel, long ms) {
        try {
            if (done.await(ms, TimeUnit.MILLISECONDS)) return;
            passed = true;
            channel.release();
        } catch (InterruptedException e) {
            // Nobody does that; then there is no deadline.
        }
    }

    boolean passed() {
        return passed;
    }

    @Override
    public void close() {
        done.countDown();
        Joined.all(List.of(thread));
    }
}
