package org.vmferry.testkit.conformance;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.function.Executable;
import org.slf4j.Logger;
import org.vmferry.spi.Log;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** What all suites share: how long they wait. */
public abstract class Conformance {
    private static final Logger LOG = Log.of(Conformance.class);

    Conformance() {}

    /**
     * How long a call may take that must not hang, and how long to wait for what must happen. A
     * slow part or machine may have more.
     *
     * @return by default 20 seconds
     */
    protected Duration patience() {
        return Duration.ofSeconds(20);
    }

    /**
     * For how long it is watched that something does not happen.
     *
     * @return by default 50 ms
     */
    protected Duration quiet() {
        return Duration.ofMillis(50);
    }

    /**
     * Gives up a test that the author's class has no means for. It is no success, and said where a
     * person looks.
     */
    static void cannotSee(String what) {
        LOG.warn("This suite can't see: {}", what);
        Assumptions.abort(what);
    }

    /** A call on a thread of its own. */
    static <T> FutureTask<T> begin(Callable<T> call) {
        FutureTask<T> task = new FutureTask<>(call);
        Thread thread = new Thread(task, "conformance");
        thread.setDaemon(true);
        thread.start();
        return task;
    }

    /** What a begun call gave; fails with a word of what to look at if it hangs. */
    final <T> T end(FutureTask<T> task, String lookAt) throws Exception {
        try {
            return task.get(patience().toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            return fail(lookAt + " (nothing happened within " + patience() + ")");
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case Exception cause -> throw cause;
                case Error cause -> throw cause;
                default -> throw e;
            }
        }
    }

    final <T> T within(String lookAt, Callable<T> call) throws Exception {
        return end(begin(call), lookAt);
    }

    /** A begun call must be let go with an exception of a kind. */
    final void letGo(FutureTask<?> task, String lookAt) throws Exception {
        try {
            end(task, lookAt);
        } catch (IOException e) {
            return;
        }
        fail(lookAt + " (it returned, and should have thrown an IOException)");
    }

    /** A call must be refused with an exception of one of these kinds. */
    @SafeVarargs
    static Throwable refused(
            String lookAt, Executable call, Class<? extends Throwable>... allowed) {
        try {
            call.execute();
        } catch (Throwable thrown) {
            for (Class<? extends Throwable> kind : allowed)
                if (kind.isInstance(thrown)) return thrown;
            return fail(lookAt + " (it threw " + thrown + ")", thrown);
        }
        return fail(lookAt + " (it was not refused)");
    }

    /** Waits for something to become true. */
    final void await(String lookAt, BooleanSupplier condition) {
        long deadline = System.nanoTime() + patience().toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadline, lookAt);
            LockSupport.parkNanos(200_000);
        }
    }
}
