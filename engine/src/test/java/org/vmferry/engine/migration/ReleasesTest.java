package org.vmferry.engine.migration;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vmferry.engine.migration.LifeCycle.Role;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

class ReleasesTest {
    private static final int SOON = 20; // seconds

    private final Releases releases =
            new Releases(new LifeCycle(Role.SENDS), new Threads("releases-test"));
    private final CountDownLatch rest = new CountDownLatch(1);

    @Test
    void whatHangsKeepsTheRestForAMomentOnly() throws InterruptedException {
        CountDownLatch letGo = new CountDownLatch(1);
        Runnable hangs =
                () -> {
                    try {
                        letGo.await();
                    } catch (InterruptedException e) {
                        // Nobody does that.
                    }
                };
        releases.begin(List.of(hangs, rest::countDown));
        assertThat(rest.await(SOON, TimeUnit.SECONDS)).isTrue();
        letGo.countDown();
        releases.await();
    }

    @Test
    void whatThrowsKeepsNothing() throws InterruptedException {
        Runnable throwsError =
                () -> {
                    throw new AssertionError("no");
                };
        releases.begin(List.of(throwsError, rest::countDown));
        assertThat(rest.await(SOON, TimeUnit.SECONDS)).isTrue();
        releases.await();
    }

    /** A word to the peer is said before its connection goes. */
    @Test
    void theNextWaitsForTheFirst() {
        AtomicBoolean overtaken = new AtomicBoolean();
        Runnable word =
                () -> {
                    try {
                        overtaken.set(rest.await(300, TimeUnit.MILLISECONDS));
                    } catch (InterruptedException e) {
                        // Nobody does that.
                    }
                };
        releases.begin(List.of(word, rest::countDown));
        releases.await();
        assertThat(rest.getCount()).isZero();
        assertThat(overtaken).isFalse();
    }
}
