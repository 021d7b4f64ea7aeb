package org.vmferry.engine.transport;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/** Something that hangs on a thread of its own, and what let it go. */
final class Hanging {
    private final FutureTask<Object> task;
    private final Thread thread;

    private Hanging(Callable<?> call) {
        task = new FutureTask<>(call::call);
        thread = Thread.ofPlatform().daemon().name("hanging").start(task);
    }

    /** Starts it, and returns when it hangs in the system, or waits. */
    static Hanging in(Callable<?> call) {
        Hanging hanging = new Hanging(call);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (!hanging.waits()) {
            assertThat(hanging.task.isDone()).as("ended at once").isFalse();
            assertThat(System.nanoTime() - deadline).as("never hung").isNegative();
            LockSupport.parkNanos(200_000);
        }
        return hanging;
    }

    private boolean waits() {
        Thread.State state = thread.getState();
        StackTraceElement[] frames = thread.getStackTrace();
        return frames.length > 0
                && (state == Thread.State.WAITING
                        || state == Thread.State.TIMED_WAITING
                        || frames[0].isNativeMethod());
    }

    /** What it fails with, soon. */
    Throwable letGo() throws InterruptedException, TimeoutException {
        try {
            throw new AssertionError("ended with " + task.get(10, TimeUnit.SECONDS));
        } catch (ExecutionException e) {
            thread.join();
            return e.getCause();
        }
    }
}
