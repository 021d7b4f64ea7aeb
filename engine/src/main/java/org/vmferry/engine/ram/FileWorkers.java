package org.vmferry.engine.ram;

import org.vmferry.spi.Joined;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.ram.Staging;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Predicate;

/**
 * Moves runs between RAM and their places in a file, with several threads at once (rule MFD-21).
 * One worker is the migration thread itself; none moves nothing, for who only looks.
 */
final class FileWorkers implements AutoCloseable {
    /** Moves a run with a worker's buffer. */
    interface Mover {
        void move(Run run, Staging staging) throws IOException;
    }

    private final Session session;
    private final String role;
    private final int count;
    private final Mover mover;
    private final Predicate<Run> light;
    private final Staging own = new Staging();
    private final List<Thread> threads = new ArrayList<>(); // the migration thread's
    // All below are guarded by this.
    private final Deque<Run> waiting = new ArrayDeque<>(); // as many as there are threads
    private int moving;
    private Throwable failure;
    private boolean closed;

    /**
     * None of them runs yet.
     *
     * @param role what they do, for their names
     * @param light what the migration's thread moves itself, as handing it over takes longer
     */
    FileWorkers(Session session, String role, int count, Mover mover, Predicate<Run> light) {
        this.session = session;
        this.role = role;
        this.count = count;
        this.mover = mover;
        this.light = light;
    }

    void start() throws IOException {
        for (int i = 0; count > 1 && i < count; i++) {
            String name = "%s-%s-%d".formatted(session.name(), role, i);
            try {
                threads.add(Thread.ofPlatform().name(name).daemon().start(this::work));
            } catch (OutOfMemoryError e) {
                throw failed("a thread for worker " + i, e);
            }
        }
    }

    /** Moves a run, in pieces of up to 1 MiB, each by any worker. */
    void move(Run run) throws IOException {
        int most = Staging.pages(run.block().pageSize());
        for (int done = 0; done < run.pages() && count > 0; done += most) {
            Run piece = run.part(done, Math.min(most, run.pages() - done));
            if (count == 1 || light.test(piece)) mover.move(piece, own);
            else give(piece);
        }
    }

    private synchronized void give(Run piece) throws IOException {
        while (failure == null && waiting.size() == count) pause();
        check();
        waiting.add(piece);
        notifyAll();
    }

    /** Waits until everything was moved. */
    synchronized void drain() throws IOException {
        while (failure == null && (moving > 0 || !waiting.isEmpty())) pause();
        check();
    }

    private void pause() throws IOException {
        try {
            wait();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw MigrationException.host("the migration thread was interrupted");
        }
    }

    /** Throws the migration's own error, which may be an earlier one than this. */
    private void check() throws IOException {
        if (failure == null) return;
        session.check();
        throw MigrationException.of(failure);
    }

    private void work() {
        try (Staging staging = new Staging()) {
            for (Run piece = take(false); piece != null; piece = take(true)) {
                mover.move(piece, staging);
            }
        } catch (Throwable e) {
            failed(Thread.currentThread().getName(), e);
        }
    }

    /**
     * The next piece.
     *
     * @param done whether the one before was moved
     * @return null if there will be none
     */
    private synchronized Run take(boolean done) throws InterruptedException {
        if (done) {
            moving--;
            notifyAll();
        }
        while (waiting.isEmpty() && !closed && failure == null) wait();
        if (closed || failure != null) return null;
        moving++;
        notifyAll();
        return waiting.remove();
    }

    /** The first failure counts: fails the migration, and wakes all who wait. */
    private MigrationException failed(String where, Throwable cause) {
        MigrationException typed = MigrationException.of(cause);
        // Those say where themselves.
        boolean says = cause instanceof MigrationException || cause instanceof UncheckedIOException;
        if (!says) {
            String why = where + ": " + typed.getMessage();
            typed = new MigrationException(typed.blame(), why, cause);
        }
        synchronized (this) {
            if (failure != null || closed) return typed;
            failure = typed;
            notifyAll();
        }
        session.fail(typed);
        return typed;
    }

    /** Every thread is gone when this returns. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            notifyAll();
        }
        Joined.all(threads);
        own.close();
    }
}
