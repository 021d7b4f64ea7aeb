package org.vmferry.testkit.conformance;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.function.Executable;
import org.slf4j.Logger;
import org.vmferry.engine.Migration;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;

import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** What all suites share: how long they wait. */
@ExtendWith(Suite.class)
@Status(Status.Level.STABLE)
public abstract class Conformance {
    private static final Logger LOG = Log.of(Conformance.class);

    /** Methods that have hung in this suite: {@link Call#result}. */
    Set<String> hung = ConcurrentHashMap.newKeySet();

    /** Threads that are older than the test: those of an earlier one may hang for ever. */
    Set<Thread> before = Set.of();

    Conformance() {}

    /**
     * How long a call may take that must not hang, and how long to wait for what must happen. A
     * slow part or machine may have more. A test, and what cleans up after it, has ten times as
     * long in all.
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

    /** Leaves a rule out unless there is what it needs. The suite counts what was left out. */
    static void needs(boolean there, String otherwise) {
        if (!there) Assumptions.abort(otherwise);
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
    static <T> Call<T> begin(Callable<T> call) {
        return Call.begin(call);
    }

    /** What a begun call gave; fails with a word of what to look at if it hangs. */
    final <T> T end(Call<T> call, String lookAt) throws Exception {
        return end(call, 1, lookAt);
    }

    /** The same, of a call that waits itself, so many times. */
    final <T> T end(Call<T> call, int waits, String lookAt) throws Exception {
        try {
            return call.result(patience(), patience().multipliedBy(waits), hung);
        } catch (Call.Hangs e) {
            String where =
                    e.callee().map(callee -> callee + " did not return").orElse("nothing happened");
            return fail("%s (%s within %s)".formatted(lookAt, where, words(patience())), e);
        }
    }

    private static String words(Duration time) {
        return time.toMillis() / 1000.0 + " s";
    }

    /** Waits for a migration's end; fails with the methods of the author's that it hangs in. */
    final void over(Migration migration) throws InterruptedException {
        Duration first = hung.isEmpty() ? patience() : Call.again(patience());
        if (migration.await(first)) return;
        if (callees(migration).stream().noneMatch(callee -> hung.contains(callee.method()))
                && migration.await(patience().minus(first))) return;
        callees(migration).forEach(callee -> hung.add(callee.method()));
        String lookAt =
                "a migration hangs: it is %s after %s%s"
                        .formatted(migration.state(), words(patience()), where(migration));
        migration.yank(); // the next test is not to meet it
        fail(lookAt);
    }

    final <T> T within(String lookAt, Callable<T> call) throws Exception {
        return end(begin(call), lookAt);
    }

    /** In which methods of the author's a migration is, to stand behind a sentence; or nothing. */
    final String where(Migration migration) {
        Set<String> where = new TreeSet<>();
        for (Callee callee : callees(migration)) where.add(callee.toString());
        return where.isEmpty() ? "" : ", in " + String.join(" and ", where);
    }

    private Set<Callee> callees(Migration migration) {
        Set<Callee> found = new HashSet<>();
        Thread.getAllStackTraces()
                .forEach(
                        (thread, stack) -> {
                            String name = thread.getName();
                            boolean its =
                                    name.equals(migration.name())
                                            || name.startsWith(migration.name() + "-");
                            if (its && !before.contains(thread))
                                Callee.of(stack).ifPresent(found::add);
                        });
        return found;
    }

    /** A call that needs other ones' work: if one has failed, it is why this one hangs. */
    final <T> T meanwhile(List<? extends Call<?>> others, String lookAt, Callable<T> call)
            throws Exception {
        try {
            return within(lookAt, call);
        } catch (AssertionError e) {
            for (Call<?> other : others)
                if (other.state() == Future.State.FAILED) works(lookAt, () -> end(other, lookAt));
            throw e;
        }
    }

    /** A call that must not throw. */
    static <T> T works(String lookAt, Callable<T> call) {
        try {
            return call.call();
        } catch (Exception e) {
            return fail(lookAt + " (it threw " + words(e) + ")", e);
        }
    }

    /** What was thrown: of our own the sentence is enough. */
    static String words(Throwable thrown) {
        return thrown instanceof MigrationException sentence
                ? sentence.getMessage()
                : thrown.toString();
    }

    /** A begun call must be let go with an exception of a kind. */
    final void letGo(Call<?> task, String lookAt) throws Exception {
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
        await(() -> lookAt, condition);
    }

    final void await(Supplier<String> lookAt, BooleanSupplier condition) {
        long deadline = System.nanoTime() + patience().toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadline, lookAt);
            LockSupport.parkNanos(200_000);
        }
    }
}
