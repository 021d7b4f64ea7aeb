package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** The threads of one migration: its own, and all that it and its parts have started. */
public final class Threads {
    private static final Logger LOG = Log.of(Threads.class);

    // A thread is of its maker's group, unless told otherwise.
    private final ThreadGroup group;

    /** None yet. */
    public Threads(String migration) {
        group = new ThreadGroup(migration);
    }

    /** Starts its own. */
    public void start(Runnable work) {
        start(group, group.getName(), work);
    }

    /** Starts another of them, whoever asks for it. */
    Thread start(String role, Runnable work) {
        return start(group, group.getName() + "-" + role, work);
    }

    /** Starts one that is not one of them, whoever asks for it. */
    public Thread beside(String role, Runnable work) {
        return start(group.getParent(), group.getName() + "-" + role, work);
    }

    private static Thread start(ThreadGroup group, String name, Runnable work) {
        return Thread.ofPlatform().group(group).daemon().name(name).start(work);
    }

    /** What a migration failed with, and that these threads hang: each with its stack. */
    public MigrationException hanging(MigrationException first) {
        List<Hanging> hanging = new ArrayList<>();
        for (Thread thread : alive()) hanging.add(new Hanging(thread));
        if (hanging.isEmpty()) return first;
        String names = hanging.stream().map(Hanging::getMessage).collect(Collectors.joining(", "));
        MigrationException all =
                new MigrationException(
                        first.blame(),
                        "%s; no longer waited for, but still there: %s"
                                .formatted(first.getMessage(), names),
                        first);
        hanging.forEach(all::addSuppressed);
        LOG.warn("{}: {}", group.getName(), all.getMessage(), all);
        return all;
    }

    private List<Thread> alive() {
        Thread[] some = new Thread[16];
        while (true) {
            int count = group.enumerate(some, false);
            if (count < some.length) return List.of(Arrays.copyOf(some, count));
            some = new Thread[some.length * 2];
        }
    }

    /** A thread, and where it hangs. */
    private static final class Hanging extends Exception {
        private static final long serialVersionUID = 1L;

        Hanging(Thread thread) {
            super(thread.getName());
            setStackTrace(thread.getStackTrace());
        }
    }
}
