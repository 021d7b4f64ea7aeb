package org.vmferry.testkit.conformance;

import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A call on a thread of its own, which is waited for and watched. */
final class Call<T> extends FutureTask<T> {
    private static final int LOOKS = 20; // within what one method may take

    private static final Duration SECOND_CHANCE = Duration.ofSeconds(1);

    private final Thread thread;

    private Call(Callable<T> call) {
        super(call);
        thread = new Thread(this, "conformance");
        thread.setDaemon(true);
    }

    static <T> Call<T> begin(Callable<T> call) {
        Call<T> begun = new Call<>(call);
        begun.thread.start();
        return begun;
    }

    /** What a method may take that has hung once: nobody waits as long again. */
    static Duration again(Duration each) {
        Duration tenth = each.dividedBy(10);
        Duration more = tenth.compareTo(SECOND_CHANCE) > 0 ? tenth : SECOND_CHANCE;
        return more.compareTo(each) < 0 ? more : each;
    }

    /** It did not return. */
    static final class Hangs extends Exception {
        private static final long serialVersionUID = 1L;

        private final transient Optional<Callee> callee;

        private Hangs(Optional<Callee> callee, StackTraceElement[] stack) {
            super("where it was when it was given up");
            this.callee = callee;
            setStackTrace(stack);
        }

        /** In which method of the author's; empty if in none. */
        Optional<Callee> callee() {
            return callee;
        }
    }

    /**
     * What the call gave, or threw.
     *
     * @param each how long it may be in one method of the author's
     * @param all how long it may take
     * @param hung methods that have hung before; one that does now is added
     * @throws Hangs if it takes longer; its thread is interrupted
     */
    T result(Duration each, Duration all, Set<String> hung) throws Exception {
        long began = System.nanoTime();
        long since = began;
        long step = Math.max(1, each.toNanos() / LOOKS);
        long again = again(each).toNanos();
        Optional<Callee> at = Optional.empty();
        while (true) {
            try {
                return get(step, TimeUnit.NANOSECONDS);
            } catch (TimeoutException e) {
                StackTraceElement[] stack = thread.getStackTrace();
                long now = System.nanoTime();
                Optional<Callee> before = at;
                at = Callee.ofSuite(stack);
                if (!at.equals(before)) since = now;
                long most =
                        at.isPresent() && hung.contains(at.get().method()) ? again : each.toNanos();
                boolean stays = at.isPresent() && now - since >= most;
                if (!stays && now - began < all.toNanos()) continue;
                at.ifPresent(callee -> hung.add(callee.method()));
                cancel(true);
                throw new Hangs(at, stack);
            } catch (ExecutionException e) {
                switch (e.getCause()) {
                    case Exception cause -> throw cause;
                    case Error cause -> throw cause;
                    default -> throw e;
                }
            }
        }
    }
}
