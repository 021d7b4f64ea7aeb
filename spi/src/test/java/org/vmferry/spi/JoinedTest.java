package org.vmferry.spi;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.List;
import java.util.concurrent.CountDownLatch;

@Timeout(60)
class JoinedTest {
    private final CountDownLatch end = new CountDownLatch(1);
    private final Thread waits = Thread.ofPlatform().daemon().unstarted(this::waitForEnd);

    private void waitForEnd() {
        try {
            end.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void anInterruptEndsNoWaitAndIsKept() throws Exception {
        waits.start();
        CountDownLatch joins = new CountDownLatch(1);
        boolean[] seen = new boolean[2];
        Thread joiner =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    Thread.currentThread().interrupt();
                                    joins.countDown();
                                    Joined.all(List.of(waits));
                                    seen[0] = !waits.isAlive();
                                    seen[1] = Thread.currentThread().isInterrupted();
                                });
        joins.await();
        joiner.interrupt();
        assertThat(Joined.within(List.of(joiner), 50)).isFalse();
        end.countDown();
        Joined.all(List.of(joiner));
        assertThat(seen).containsExactly(true, true);
    }

    @Test
    void whoWasNotStartedAndWhoAsksAreNotWaitedFor() {
        assertThat(Joined.within(List.of(waits, Thread.currentThread()), Long.MAX_VALUE)).isTrue();
    }

    @Test
    void theTimeIsForAllTogether() {
        waits.start();
        long began = System.nanoTime();
        assertThat(Joined.within(List.of(waits, waits, waits), 100)).isFalse();
        assertThat(System.nanoTime() - began).isGreaterThanOrEqualTo(100_000_000);
        end.countDown();
        Joined.all(List.of(waits));
        assertThat(waits.isAlive()).isFalse();
    }
}
