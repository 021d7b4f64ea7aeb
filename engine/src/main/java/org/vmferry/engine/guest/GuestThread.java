package org.vmferry.engine.guest;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.vmferry.spi.Joined;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.machine.CpuThrottle;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * The thread in which a guest runs, and the run state that goes with it: a {@link Machine} hands
 * its {@code runState}, {@code enter} and {@code throttle} on to it. The host runs the guest in
 * slices. While the state is RUNNING one is run after the other, in a thread that is there for no
 * longer; between two of them the guest can be stopped.
 *
 * <p>A guest that stops by itself, or whose slice throws, is in the state that says why. If it does
 * so while it is being stopped for a switch-over, the state goes on to say why, as {@link
 * org.vmferry.spi.machine.Migratable#enter} asks for.
 *
 * <p>Its methods may be called from any thread but the guest's own, which returns a state instead.
 */
@Status(Status.Level.EXPERIMENTAL)
public final class GuestThread {
    private static final Logger LOG = Log.of(GuestThread.class);

    /** A throttled guest runs for so long, in ns, before it stands still. */
    private static final long STRIDE = 1_000_000;

    /** Runs the guest for a while. */
    @Status(Status.Level.EXPERIMENTAL)
    @FunctionalInterface
    public interface Slice {
        /**
         * Runs the guest for a millisecond or some: a pause takes as long. All that the guest
         * stored is stored when it returns.
         *
         * @return RUNNING to be called again; any other state if the guest has stopped by itself,
         *     such as SHUTDOWN
         * @throws Exception if the guest can't run on: the state is INTERNAL_ERROR, the log says
         *     why
         */
        RunState run() throws Exception;
    }

    private enum Wish {
        RUN,
        STOP,
        STOPPED
    }

    private final String name;
    private final Slice slice;
    private final Duration patience;
    private final AtomicReference<Wish> wish = new AtomicReference<>(Wish.STOPPED);
    private volatile RunState state = RunState.PRELAUNCH;
    private volatile boolean byItself; // whether the guest has entered the state, and nobody else
    private volatile int throttle; // percent of the time to stand still
    private volatile @Nullable Thread thread; // runs the guest, or has; null unless it was started

    /**
     * Of a guest that does not run yet.
     *
     * @param name the thread's
     * @param slice runs the guest
     */
    public GuestThread(String name, Slice slice) {
        this(name, slice, Duration.ofSeconds(30));
    }

    GuestThread(String name, Slice slice, Duration patience) {
        this.name = Objects.requireNonNull(name, "name");
        this.slice = Objects.requireNonNull(slice, "slice");
        this.patience = patience;
    }

    /**
     * What the guest is doing.
     *
     * @return PRELAUNCH before a state was entered
     */
    public RunState runState() {
        return state;
    }

    /**
     * Enters a state, as {@link org.vmferry.spi.machine.Migratable#enter}: when this returns with
     * any other than RUNNING, no slice is running.
     *
     * @param next the state
     * @throws MigrationException if the slice that runs does not return for 30 seconds; the guest
     *     then runs on
     */
    public void enter(RunState next) throws MigrationException {
        // It would wait for itself.
        if (Thread.currentThread() == thread)
            throw new IllegalStateException(
                    "the guest's own thread can't enter '%s': a slice returns it"
                            .formatted(next.wireName()));
        change(Objects.requireNonNull(next, "next"));
    }

    private synchronized void change(RunState next) throws MigrationException {
        if (next == RunState.RUNNING && state == next && wish.get() == Wish.RUN) return;
        halt();
        if (next == RunState.FINISH_MIGRATE && byItself) return; // the destination is to hear why
        byItself = false;
        state = next;
        if (next == RunState.RUNNING) start();
    }

    private void start() {
        wish.set(Wish.RUN);
        thread = new Thread(this::run, name);
        thread.setDaemon(true);
        thread.start();
    }

    private void halt() throws MigrationException {
        if (thread == null) return;
        wish.compareAndSet(Wish.RUN, Wish.STOP);
        LockSupport.unpark(thread); // it may be standing still
        // If it comes back at the last moment, it has been stopped.
        if (!Joined.within(List.of(thread), patience.toMillis())
                && wish.compareAndSet(Wish.STOP, Wish.RUN))
            throw MigrationException.host(
                    "the guest can't be stopped: its slice in thread '%s' has not returned for %d"
                            + " s",
                    name, patience.toSeconds());
        Joined.all(List.of(thread));
        thread = null;
    }

    private void run() {
        long ran = 0;
        do {
            long began = System.nanoTime();
            RunState now = slice();
            if (now != RunState.RUNNING) {
                byItself = true;
                state = now;
                wish.set(Wish.STOPPED);
                return;
            }
            int slowed = throttle;
            ran = slowed == 0 ? 0 : ran + System.nanoTime() - began;
            if (ran >= STRIDE) {
                standStill(ran * slowed / (100 - slowed), slowed);
                ran = 0;
            }
        } while (!wish.compareAndSet(Wish.STOP, Wish.STOPPED));
    }

    private RunState slice() {
        try {
            RunState now = slice.run();
            if (now != null) return now;
            LOG.error("the guest of thread '{}' stops: its slice returned nothing (null)", name);
        } catch (Exception | Error e) { // such as a mapped file that was cut short
            LOG.error("the guest of thread '{}' stops: its slice threw", name, e);
        }
        return RunState.INTERNAL_ERROR;
    }

    private void standStill(long nanos, int slowed) {
        long until = System.nanoTime() + nanos;
        while (wish.get() == Wish.RUN && throttle == slowed) {
            long rest = until - System.nanoTime();
            if (rest <= 0) return;
            LockSupport.parkNanos(this, Math.min(rest, STRIDE * 10)); // throttle may end first
        }
    }

    /**
     * Slows the guest down between its slices, for {@link Machine#throttle}.
     *
     * @return may be set by any thread
     */
    public CpuThrottle throttle() {
        return percent -> throttle = Math.clamp(percent, 0, 99);
    }
}
