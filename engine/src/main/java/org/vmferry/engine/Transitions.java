package org.vmferry.engine;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.vmferry.engine.guard.Guard;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.Log;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;

/**
 * What a migration came to, told to its listeners: each all of it, in order. They are called on no
 * lock, so that they may ask or cancel the migration; one thread at a time calls.
 */
final class Transitions {
    private static final Logger LOG = Log.of(Transitions.class);

    private record News(MigrationListener listener, Event event) {}

    private sealed interface Event {
        void tell(MigrationListener listener);
    }

    private record Entered(MigrationState state) implements Event {
        @Override
        public void tell(MigrationListener listener) {
            listener.entered(state);
        }
    }

    private record Round(long number) implements Event {
        @Override
        public void tell(MigrationListener listener) {
            listener.round(number);
        }
    }

    private record Corrected(GuestOwner owner) implements Event {
        @Override
        public void tell(MigrationListener listener) {
            listener.corrected(owner);
        }
    }

    private final String migration;
    private final List<Event> past = new ArrayList<>(); // guarded by this, as all below
    private final List<MigrationListener> listeners = new ArrayList<>();
    private final Queue<News> untold = new ArrayDeque<>();
    private boolean telling;

    Transitions(String migration) {
        this.migration = migration;
    }

    /** One more; to be called in the order of the states, and {@link #tell} afterwards. */
    void note(MigrationState state) {
        note(new Entered(state));
    }

    /** A round; of those in a row only the last is kept for listeners that come later. */
    synchronized void note(long round) {
        if (!past.isEmpty() && past.getLast() instanceof Round) past.removeLast();
        note(new Round(round));
    }

    /** The owner, after the end. */
    void note(GuestOwner owner) {
        note(new Corrected(owner));
    }

    private synchronized void note(Event event) {
        past.add(event);
        for (MigrationListener listener : listeners) untold.add(new News(listener, event));
    }

    /** One more listener, told of what was before too. */
    void add(MigrationListener listener) {
        synchronized (this) {
            listener = Guard.host(MigrationListener.class, listener, "a listener");
            listeners.add(listener);
            for (Event event : past) untold.add(new News(listener, event));
        }
        tell();
    }

    /** Tells what is new, unless another thread is at it: then that one tells this too. */
    void tell() {
        for (News next = first(); next != null; next = next()) {
            try {
                next.event.tell(next.listener);
            } catch (RuntimeException e) {
                LOG.warn("{}: a listener failed at {}: {}", migration, next.event, e.toString());
                LOG.debug("{}: a listener", migration, e);
            }
        }
    }

    private synchronized @Nullable News first() {
        if (telling) return null;
        telling = true;
        return next();
    }

    private synchronized @Nullable News next() {
        News next = untold.poll();
        if (next == null) telling = false;
        return next;
    }
}
