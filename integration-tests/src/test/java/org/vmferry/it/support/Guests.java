package org.vmferry.it.support;

import static org.assertj.core.api.Assertions.assertThat;

import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.util.concurrent.locks.LockSupport;

/** Who runs is asked of the guests themselves: one executes, and finds its RAM as it was. */
public final class Guests {
    private static final long ENOUGH = 3_000_000; // instructions, some passes over its window
    private static final long SOON_NS = 60_000_000_000L;

    private Guests() {}

    /** It goes on. */
    public static void assertRuns(ReferenceMachine guest) {
        long enough = guest.instructions() + ENOUGH;
        long deadline = System.nanoTime() + SOON_NS;
        do {
            assertThat(guest.stopReason()).isEmpty();
            assertThat(guest.runState()).isEqualTo(RunState.RUNNING);
            assertThat(System.nanoTime()).as("it stands still").isLessThan(deadline);
            LockSupport.parkNanos(200_000);
        } while (guest.instructions() < enough);
    }

    /** It does not execute. */
    public static void assertStands(ReferenceMachine guest) {
        long now = guest.instructions();
        LockSupport.parkNanos(20_000_000); // it would execute thousands
        assertThat(guest.instructions()).as("it executes").isEqualTo(now);
    }
}
