package org.vmferry.engine.migration;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;

/** Who waits for max-bandwidth, and what a change of it does for him. */
@Timeout(60)
class BandwidthTest {
    private static final long DAYS = 1 << 20; // bytes, at a few bytes a second

    private final Bandwidth bandwidth = new Bandwidth(1);
    private final CountDownLatch first = new CountDownLatch(1);
    private final Thread sender =
            new Thread(
                    () -> {
                        try {
                            bandwidth.take(DAYS);
                            first.countDown();
                            bandwidth.take(1);
                        } catch (InterruptedException e) {
                            throw new AssertionError(e);
                        }
                    });

    private void awaitWaiting() throws Exception {
        sender.start();
        first.await();
        while (sender.getState() != Thread.State.TIMED_WAITING) LockSupport.parkNanos(200_000);
    }

    /** A migration could reach its switch-over by what passes then, and the link would be full. */
    @Test
    void aChangeForgivesNothing() throws Exception {
        awaitWaiting();
        bandwidth.limit(2);
        assertThat(sender.join(Duration.ofMillis(300))).as("passed unpaid").isFalse();
        bandwidth.open();
        sender.join();
    }

    @Test
    void whatIsOwedIsPaidAtTheNewRate() throws Exception {
        awaitWaiting();
        bandwidth.limit(DAYS * 1000); // in a ms
        sender.join();
    }

    @Test
    void noLimitLetsPassWhoWaits() throws Exception {
        awaitWaiting();
        bandwidth.limit(0);
        sender.join();
        bandwidth.limit(1);
        bandwidth.take(1); // nothing is owed from before
    }
}
