package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.spi.Joined;
import org.vmferry.spi.Log;

import java.util.ArrayList;
import java.util.List;

/**
 * Lets go what a failed migration's threads may hang in, one after another. What is let go may hang
 * itself, and may be somebody else's code: each goes on a thread that nobody needs, and the next
 * does not wait for it for long.
 */
final class Releases {
    private static final Logger LOG = Log.of(Releases.class);

    /** A destination's last word, which goes before its connection, takes this long. */
    private static final long EACH_MS = 1100;

    private final LifeCycle life;
    private final Threads threads;
    private final List<Thread> helpers = new ArrayList<>(); // guarded by this

    Releases(LifeCycle life, Threads threads) {
        this.life = life;
        this.threads = threads;
    }

    /** Begins to let go, in this order. Does not wait. */
    void begin(List<Runnable> releases) {
        if (releases.isEmpty()) return;
        try {
            helps(threads.beside("release", () -> all(releases)));
        } catch (OutOfMemoryError e) { // no thread is to be had
            all(releases);
        }
    }

    private synchronized void helps(Thread helper) {
        helpers.add(helper);
    }

    private void all(List<Runnable> releases) {
        try {
            for (Runnable release : releases) one(release);
        } finally {
            life.letGo();
        }
    }

    private void one(Runnable release) {
        Runnable safe =
                () -> {
                    try {
                        release.run();
                    } catch (RuntimeException | Error e) {
                        LOG.warn("Letting go failed; the rest is let go all the same", e);
                    }
                };
        Thread helper;
        try {
            helper = threads.start("let-go", safe);
        } catch (OutOfMemoryError e) {
            safe.run();
            return;
        }
        helps(helper);
        Joined.within(List.of(helper), EACH_MS);
    }

    /**
     * Waits until what was begun is let go, or hangs: whoever closes a channel now cuts off no word
     * that is being said on it.
     */
    void await() {
        List<Thread> join;
        synchronized (this) {
            if (helpers.contains(Thread.currentThread())) return;
        }
        life.awaitLetGo(3 * EACH_MS);
        synchronized (this) {
            join = List.copyOf(helpers);
        }
        if (Joined.within(join, EACH_MS)) {
            synchronized (this) {
                helpers.removeAll(join);
            }
        }
    }
}
