package org.vmferry.engine.ram;

import org.jspecify.annotations.Nullable;
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
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
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

    /**
     * Bytes of a block that one worker moves: those of a huge page, as two would wait for each
     * other while the system makes it. To hand over each run by itself takes long, too.
     */
    private static final long SHARE = 2 << 20;

    private final Session session;
    private final String role;
    private final int count;
    private final Mover mover;
    private final Predicate<Run> light;
    // Below is the migration thread's.
    private final Staging own = new Staging();
    private final List<Thread> threads = new ArrayList<>();
    private List<Run> share = new ArrayList<>(); // not handed over yet

    private final Lock lock = new ReentrantLock();
    private final Condition handed = lock.newCondition();
    private final Condition moved = lock.newCondition();
    // Below are guarded by the lock; the last two are only set under it.
    private final Deque<List<Run>> waiting = new ArrayDeque<>();
    private int moving;
    private volatile @Nullable Throwable failure;
    private volatile boolean closed;

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

    /** Moves a run, in pieces of up to 1 MiB; some of it may wait for {@link #drain}. */
    void move(Run run) throws IOException {
        int most = Staging.pages(run.block().pageSize());
        for (int done = 0, pages; done < run.pages() && count > 0; done += pages) {
            int left = most - (int) ((run.firstPage() + done) % most); // of this MiB
            pages = Math.min(left, run.pages() - done);
            Run piece = run.part(done, pages);
            if (count == 1 || light.test(piece)) mover.move(piece, own);
            else give(piece);
        }
    }

    private void give(Run piece) throws IOException {
        check();
        if (!share.isEmpty() && !isNear(share.getFirst(), piece)) hand();
        share.add(piece);
    }

    private static boolean isNear(Run first, Run piece) {
        return first.block() == piece.block() && first.offset() / SHARE == piece.offset() / SHARE;
    }

    private void hand() throws IOException {
        lock.lock();
        try {
            // Not for each that is taken: who gives is faster than all who move.
            if (waiting.size() == 2 * count)
                while (failure == null && waiting.size() > count) pause();
            check();
            waiting.add(share);
            handed.signal();
        } finally {
            lock.unlock();
        }
        share = new ArrayList<>();
    }

    /** Waits until everything was moved. */
    void drain() throws IOException {
        if (!share.isEmpty()) hand();
        lock.lock();
        try {
            while (failure == null && (moving > 0 || !waiting.isEmpty())) pause();
        } finally {
            lock.unlock();
        }
        check();
    }

    private void pause() throws IOException {
        try {
            moved.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw MigrationException.host("the migration thread was interrupted");
        }
    }

    /** Throws the migration's own error, which may be an earlier one than this. */
    private void check() throws IOException {
        Throwable why = failure;
        if (why == null) return;
        session.check();
        throw MigrationException.of(why);
    }

    private void work() {
        try (Staging staging = new Staging()) {
            for (List<Run> each = take(false); each != null; each = take(true)) {
                for (Run piece : each) {
                    session.check(); // neither a cancel nor a failure waits for the rest
                    mover.move(piece, staging);
                }
            }
        } catch (Throwable e) {
            failed(Thread.currentThread().getName(), e);
        }
    }

    private boolean isOver() {
        return closed || failure != null;
    }

    /**
     * The next share.
     *
     * @param done whether the one before was moved
     * @return null if there will be none
     */
    private @Nullable List<Run> take(boolean done) throws InterruptedException {
        lock.lock();
        try {
            if (done) moving--;
            if (moving == 0 && waiting.isEmpty()) moved.signal();
            while (waiting.isEmpty() && !isOver()) handed.await();
            if (isOver()) return null;
            moving++;
            List<Run> taken = waiting.remove();
            if (waiting.size() == count) moved.signal();
            return taken;
        } finally {
            lock.unlock();
        }
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
        if (!end(typed)) return typed;
        session.fail(typed);
        return typed;
    }

    /**
     * Wakes all who wait: for nothing more will be moved.
     *
     * @param why what failed, or null for the end of all
     * @return whether it was not over before
     */
    private boolean end(@Nullable Throwable why) {
        lock.lock();
        try {
            if (isOver() && why != null) return false;
            if (why == null) closed = true;
            else failure = why;
            handed.signalAll();
            moved.signalAll();
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Every thread is gone when this returns. */
    @Override
    public void close() {
        end(null);
        Joined.all(threads);
        own.close();
    }
}
