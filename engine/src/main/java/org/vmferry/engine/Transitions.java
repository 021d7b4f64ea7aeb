package org.vmferry.engine;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.function.Consumer;

/**
 * The states that a migration came to, told to its listeners: each all of them, in order. They are
 * called on no lock, so that they may ask or cancel the migration; one thread at a time calls.
 */
final class Transitions {
    private static final Logger LOG = LoggerFactory.getLogger(Transitions.class);

    private record News(Consumer<MigrationState> listener, MigrationState state) {}

    private final String migration;
    private final List<MigrationState> past = new ArrayList<>(); // guarded by this, as all below
    private final List<Consumer<MigrationState>> listeners = new ArrayList<>();
    private final Queue<News> untold = new ArrayDeque<>();
    private boolean telling;

    Transitions(String migration) {
        this.migration = migration;
    }

    /** One more; to be called in the order of the states, and {@link #tell} afterwards. */
    synchronized void note(MigrationState state) {
        past.add(state);
        for (Consumer<MigrationState> listener : listeners) untold.add(new News(listener, state));
    }

    /** One more listener, told of what was before too. */
    void add(Consumer<MigrationState> listener) {
        synchronized (this) {
            listeners.add(listener);
            for (MigrationState state : past) untold.add(new News(listener, state));
        }
        tell();
    }

    /** Tells what is new, unless another thread is at it: then that one tells this too. */
    void tell() {
        for (News next = first(); next != null; next = next()) {
            try {
                next.listener.accept(next.state);
            } catch (RuntimeException | LinkageError e) {
                LOG.warn("{}: a listener failed at {}", migration, next.state, e);
            }
        }
    }

    private synchronized News first() {
        if (telling) return null;
        telling = true;
        return next();
    }

    private synchronized News next() {
        News next = untold.poll();
        if (next == null) telling = false;
        return next;
    }
}
