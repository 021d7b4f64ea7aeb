package org.vmferry.it.faults.thousand;

import org.vmferry.engine.Migration;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.it.faults.thousand.Outcome.End;
import org.vmferry.it.support.Leftovers;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** How a run ends, whatever it was: each side, the guests, what is left. */
final class Runs {
    /** Nothing takes longer: with TLS a peer's goodbye is waited for, ten seconds, twice. */
    static final Duration BOUND = Duration.ofSeconds(30);

    private static final long GRACE_NS = 250_000_000; // a listener whom nobody came to
    private static final long WATCHED_NS = 8_000_000; // some hundred thousand instructions

    private Runs() {}

    /**
     * Waits for an end. A destination that nobody came to, and nobody will, is told to stop
     * listening.
     */
    static End end(Migration migration, boolean listens) throws InterruptedException {
        long until = System.nanoTime() + GRACE_NS;
        while (listens && waits(migration) && System.nanoTime() < until) {
            LockSupport.parkNanos(2_000_000);
        }
        if (listens && waits(migration)) migration.cancel();
        boolean over = migration.await(BOUND);
        End end =
                new End(
                        migration.state(),
                        migration.owner(),
                        migration.failure().map(Throwable::getMessage).orElse(null),
                        migration.failure().map(MigrationException::blame).orElse(null),
                        !over);
        if (over) migration.cancel(); // it may still listen
        if (!over) {
            System.out.println(stacks(migration.name()));
            migration.yank();
            migration.await(BOUND);
        }
        return end;
    }

    /** Where its threads are. */
    private static String stacks(String migration) {
        StringBuilder text = new StringBuilder();
        Thread.getAllStackTraces()
                .forEach(
                        (thread, frames) -> {
                            if (!thread.getName().startsWith(migration)) return;
                            text.append(thread.getName()).append(" hangs in\n");
                            for (var frame : frames) text.append("    ").append(frame).append('\n');
                        });
        return text.toString();
    }

    private static boolean waits(Migration migration) {
        return migration.state().compareTo(MigrationState.SETUP) <= 0;
    }

    /** Which of them executes. */
    static boolean[] ask(ReferenceMachine here, ReferenceMachine there) {
        long before = here.instructions();
        long beforeThere = there.instructions();
        long until = System.nanoTime() + WATCHED_NS;
        while (System.nanoTime() < until) LockSupport.parkNanos(1_000_000);
        // Who has a thread that was not given a core yet is waited for.
        until = System.nanoTime() + BOUND.toNanos();
        while (mute(here, before) || mute(there, beforeThere)) {
            if (System.nanoTime() > until) break;
            LockSupport.parkNanos(1_000_000);
        }
        return new boolean[] {here.instructions() > before, there.instructions() > beforeThere};
    }

    private static boolean mute(ReferenceMachine guest, long before) {
        return guest.runState() == RunState.RUNNING && guest.instructions() <= before;
    }

    /** Removes what is left, and says what it was. */
    static void clear(
            Path folder,
            List<ReferenceMachine> machines,
            boolean hangs,
            long descriptors,
            List<String> left)
            throws IOException, InterruptedException {
        try (var files = Files.list(folder)) {
            for (Path each : files.toList()) {
                left.add("file " + each.getFileName());
                Files.delete(each);
            }
        }
        boolean used = hangs;
        try {
            Leftovers.assertNoThreads();
        } catch (AssertionError e) {
            left.add("thread " + e.getMessage().strip().lines().findFirst().orElse(""));
            used = true;
        }
        for (ReferenceMachine machine : machines) {
            if (used) machine.enter(RunState.PAUSED); // who hangs may still use its RAM
            else machine.close();
        }
        if (used) return;
        long until = System.nanoTime() + 1_000_000_000;
        while (Leftovers.descriptors() > descriptors && System.nanoTime() < until) {
            LockSupport.parkNanos(5_000_000);
        }
        long more = Leftovers.descriptors() - descriptors;
        if (more > 0) left.add(more + " descriptors");
    }
}
