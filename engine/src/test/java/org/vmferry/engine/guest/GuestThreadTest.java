package org.vmferry.engine.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** A guest's thread: when it runs, and which state it is in. */
class GuestThreadTest {
    private static final String NAME = "guest-thread-test";

    private final AtomicInteger slices = new AtomicInteger();
    private final AtomicLong inside = new AtomicLong(); // ns in slices
    private final Semaphore released = new Semaphore(0); // lets a slice that hangs return
    private volatile RunState next = RunState.RUNNING; // what a slice returns
    private GuestThread guest = new GuestThread(NAME, this::slice);

    private RunState slice() {
        slices.incrementAndGet();
        long began = System.nanoTime();
        LockSupport.parkNanos(100_000);
        inside.addAndGet(System.nanoTime() - began);
        return next;
    }

    @AfterEach
    void end() throws Exception {
        stops(RunState.SHUTDOWN);
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(thread -> thread.getName().equals(NAME));
    }

    /** However short the guest's patience is: a busy system may need longer. */
    private void stops(RunState state) {
        await(
                () -> {
                    released.release(1000);
                    try {
                        guest.enter(state);
                        return true;
                    } catch (MigrationException e) {
                        return false;
                    }
                });
    }

    private static void await(BooleanSupplier condition) {
        long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).isLessThan(end);
            LockSupport.parkNanos(100_000);
        }
    }

    private void goesOn() {
        int before = slices.get();
        await(() -> slices.get() > before + 1);
    }

    private void standsStill() {
        int before = slices.get();
        LockSupport.parkNanos(20_000_000);
        assertThat(slices).hasValue(before);
    }

    /** One each of whose slices hangs until it is released. */
    private GuestThread hanging(Duration patience) {
        return new GuestThread(
                NAME,
                () -> {
                    slices.incrementAndGet();
                    released.acquireUninterruptibly();
                    return next;
                },
                patience);
    }

    /** Has it enter a state while it is in a slice, which then returns another. */
    private void stopsItself(RunState entered, RunState returned) throws Exception {
        int before = slices.get();
        next = RunState.RUNNING;
        guest.enter(RunState.RUNNING);
        await(() -> slices.get() > before);
        next = returned;
        Thread host =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    try {
                                        guest.enter(entered);
                                    } catch (MigrationException e) {
                                        throw new IllegalStateException(e);
                                    }
                                });
        await(() -> host.getState() == Thread.State.TIMED_WAITING);
        released.release();
        host.join();
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "RUNNING")
    void itRunsWhileItIsRunningAndOnlyThen(RunState other) throws Exception {
        assertThat(guest.runState()).isEqualTo(RunState.PRELAUNCH);
        for (int i = 0; i < 3; i++) {
            guest.enter(RunState.RUNNING);
            guest.enter(RunState.RUNNING); // once more is as once
            assertThat(guest.runState()).isEqualTo(RunState.RUNNING);
            goesOn();
            guest.enter(other);
            assertThat(guest.runState()).isEqualTo(other);
            standsStill();
        }
    }

    @Test
    void aGuestThatStopsByItselfSaysWhy() throws Exception {
        guest.enter(RunState.RUNNING);
        next = RunState.GUEST_PANICKED;
        await(() -> guest.runState() == RunState.GUEST_PANICKED);
        standsStill();
        guest.enter(RunState.FINISH_MIGRATE); // the destination is to hear why
        assertThat(guest.runState()).isEqualTo(RunState.GUEST_PANICKED);
        guest.enter(RunState.POSTMIGRATE);
        assertThat(guest.runState()).isEqualTo(RunState.POSTMIGRATE);
        guest.enter(RunState.FINISH_MIGRATE); // of what its host has entered since it says nothing
        assertThat(guest.runState()).isEqualTo(RunState.FINISH_MIGRATE);

        next = RunState.RUNNING;
        guest.enter(RunState.RUNNING);
        goesOn();
        guest.enter(RunState.FINISH_MIGRATE);
        assertThat(guest.runState()).isEqualTo(RunState.FINISH_MIGRATE);
    }

    @Test
    void alsoIfItDoesSoWhileItIsStopped() throws Exception {
        guest = hanging(Duration.ofSeconds(20));
        stopsItself(RunState.FINISH_MIGRATE, RunState.SHUTDOWN);
        assertThat(guest.runState()).isEqualTo(RunState.SHUTDOWN);
        stopsItself(RunState.PAUSED, RunState.SHUTDOWN); // a host that pauses it means that
        assertThat(guest.runState()).isEqualTo(RunState.PAUSED);
        stopsItself(RunState.FINISH_MIGRATE, RunState.RUNNING);
        assertThat(guest.runState()).isEqualTo(RunState.FINISH_MIGRATE);
    }

    @Test
    void aSliceThatDoesNotReturnIsWaitedForSoLong() throws Exception {
        guest = hanging(Duration.ofMillis(50));
        guest.enter(RunState.RUNNING);
        await(() -> slices.get() == 1);
        assertThatThrownBy(() -> guest.enter(RunState.PAUSED))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining("the guest can't be stopped: its slice in thread '" + NAME);
        assertThat(guest.runState()).isEqualTo(RunState.RUNNING);
        released.release();
        await(() -> slices.get() >= 2); // it has run on
        stops(RunState.PAUSED);
        assertThat(guest.runState()).isEqualTo(RunState.PAUSED);
        standsStill();
    }

    @Test
    void aSliceThatThrowsOrReturnsNothingIsAnInternalError() throws Exception {
        for (Throwable thrown : new Throwable[] {new Exception("no"), new InternalError(), null}) {
            guest =
                    new GuestThread(
                            NAME,
                            () -> {
                                if (thrown instanceof Exception e) throw e;
                                if (thrown instanceof Error e) throw e;
                                return null;
                            });
            guest.enter(RunState.RUNNING);
            await(() -> guest.runState() == RunState.INTERNAL_ERROR);
            guest.enter(RunState.FINISH_MIGRATE);
            assertThat(guest.runState()).isEqualTo(RunState.INTERNAL_ERROR);
        }
    }

    @Test
    void itsOwnThreadDoesNotWaitForItself() throws Exception {
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        guest =
                new GuestThread(
                        NAME,
                        () -> {
                            try {
                                guest.enter(RunState.PAUSED);
                            } catch (IllegalStateException e) {
                                thrown.set(e);
                            }
                            return RunState.SHUTDOWN;
                        });
        guest.enter(RunState.RUNNING);
        await(() -> guest.runState() == RunState.SHUTDOWN);
        assertThat(thrown.get())
                .hasMessage("the guest's own thread can't enter 'paused': a slice returns it");
    }

    /** How much of some time it spends in slices. */
    private double share() {
        long began = System.nanoTime();
        long before = inside.get();
        LockSupport.parkNanos(Duration.ofMillis(200).toNanos());
        return (inside.get() - before) / (double) (System.nanoTime() - began);
    }

    @Test
    void aThrottledGuestRunsForAPartOfTheTime() throws Exception {
        guest.enter(RunState.RUNNING);
        guest.throttle().set(90);
        double slowed = share();
        assertThat(slowed).isGreaterThan(0).isLessThan(0.4);
        guest.throttle().set(1000); // is 99
        long began = System.nanoTime();
        guest.enter(RunState.PAUSED); // also one that stands still just now
        assertThat(System.nanoTime() - began).isLessThan(Duration.ofSeconds(5).toNanos());
        guest.enter(RunState.RUNNING);
        guest.throttle().set(0);
        await(() -> share() > 2 * slowed);
    }
}
