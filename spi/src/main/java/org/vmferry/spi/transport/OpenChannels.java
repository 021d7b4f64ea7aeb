package org.vmferry.spi.transport;

import org.slf4j.Logger;
import org.vmferry.spi.Blame;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;

import java.util.ArrayDeque;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;

/**
 * Whatever of one end a thread may hang in, so that {@link TransportEnd#release} can let it all go;
 * and, for a transport within one process, the channels that have come and wait to be accepted. Any
 * thread.
 */
@Status(Status.Level.EXPERIMENTAL)
public final class OpenChannels {
    private static final Logger log = Log.of(OpenChannels.class);

    private final String name;
    // By identity: two that are equal, as records may be, are two to close.
    private final Set<AutoCloseable> open = Collections.newSetFromMap(new IdentityHashMap<>());
    private int pruned = 8; // as many as may be open before closed ones are looked for
    private final Queue<Channel> come = new ArrayDeque<>();
    private boolean released;

    /**
     * None yet.
     *
     * @param name of the end, for messages: "{@code name} was given up"
     */
    public OpenChannels(String name) {
        this.name = Objects.requireNonNull(name, "name");
    }

    /**
     * Adds one, or closes it at once if the end was released meanwhile.
     *
     * @param <C> what it is
     * @param one a channel, or something else whose close lets go who waits in it
     * @return the same
     * @throws MigrationException if the end was released
     */
    public <C extends AutoCloseable> C add(C one) throws MigrationException {
        Objects.requireNonNull(one, "one");
        synchronized (this) {
            if (!released) {
                if (open.size() >= pruned) prune();
                open.add(one);
                return one;
            }
        }
        close(one);
        throw givenUp();
    }

    /** Strangers may come and be closed for as long as the end lives. */
    private void prune() {
        open.removeIf(one -> one instanceof java.nio.channels.Channel it && !it.isOpen());
        pruned = Math.max(pruned, 2 * open.size());
    }

    /**
     * Keeps one no longer that was closed. A channel that was needs it not: it is forgotten in
     * time.
     *
     * @param one that was added
     */
    public synchronized void remove(AutoCloseable one) {
        open.remove(one);
    }

    /**
     * Refuses what is asked of an end that was released.
     *
     * @throws MigrationException if it was
     */
    public synchronized void check() throws MigrationException {
        if (released) throw givenUp();
    }

    /**
     * Adds one that has come, and that {@link #accept} or {@link #acceptNow} will give.
     *
     * @param channel closed at once if the end was released
     * @throws MigrationException if the end was released
     */
    public synchronized void offer(Channel channel) throws MigrationException {
        come.add(add(Objects.requireNonNull(channel, "channel")));
        notifyAll();
    }

    /**
     * Waits for one that was offered.
     *
     * @return the first that was not given yet
     * @throws MigrationException if the end is released, or the thread interrupted, which it stays
     */
    public synchronized Channel accept() throws MigrationException {
        try {
            while (come.isEmpty() && !released) wait();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MigrationException(Blame.USER, name + ": interrupted", e);
        }
        return acceptNow().orElseThrow();
    }

    /**
     * One that was offered; does not wait.
     *
     * @return the first that was not given yet; empty if there is none
     * @throws MigrationException if the end was released
     */
    public synchronized Optional<Channel> acceptNow() throws MigrationException {
        check();
        return Optional.ofNullable(come.poll());
    }

    private MigrationException givenUp() {
        return new MigrationException(Blame.USER, name + " was given up");
    }

    /** Closes them all, and those which are added later; lets go who waits for one. */
    public void release() {
        List<AutoCloseable> all;
        synchronized (this) {
            released = true;
            all = List.copyOf(open);
            open.clear();
            come.clear();
            notifyAll();
        }
        all.forEach(this::close);
    }

    private void close(AutoCloseable one) {
        try {
            one.close();
        } catch (Exception e) {
            log.debug("Closing a channel of {}", name, e);
        }
    }
}
