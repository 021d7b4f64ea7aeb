package org.vmferry.multifd;

import org.slf4j.Logger;
import org.vmferry.spi.Blame;
import org.vmferry.spi.Joined;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.session.Session;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * The threads and channels of one end of a migration: who made them, who failed first, and that all
 * are gone in the end (rule MFD-22).
 *
 * <p>One lock guards what the migration thread and the workers tell each other. Whoever waits does
 * so on one of {@link #condition}s, all of which the first failure signals.
 */
final class WorkerThreads implements AutoCloseable {
    private static final Logger log = Log.of(WorkerThreads.class);

    /** What a worker does. */
    interface Body {
        void run() throws Exception;
    }

    /** Guards what is shared by the migration thread and the workers. */
    final ReentrantLock lock = new ReentrantLock();

    private final Session session;
    private final String prefix;
    private final List<Condition> conditions = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>(); // guarded by lock
    private final List<Channel> channels = new ArrayList<>(); // guarded by lock
    private Throwable failure;
    private boolean stopped;

    /**
     * No worker yet.
     *
     * @param session the migration
     * @param role what the threads do; their names are session, role and number
     */
    WorkerThreads(Session session, String role) {
        this.session = session;
        this.prefix = session.name() + "-multifd-" + role + "-";
    }

    /** A condition of {@link #lock}, signalled by a failure and by {@link #stop}. */
    Condition condition() {
        lock.lock();
        try {
            Condition condition = lock.newCondition();
            conditions.add(condition);
            return condition;
        } finally {
            lock.unlock();
        }
    }

    /** Names the current thread after a channel. */
    void name(int number) {
        Thread.currentThread().setName(prefix + number);
    }

    /** Starts a worker, unless all is over. What it throws fails the migration. */
    void start(int number, Body body) throws IOException {
        Thread thread =
                Thread.ofPlatform().name(prefix + number).daemon().unstarted(() -> work(body));
        OutOfMemoryError none;
        lock.lock();
        try {
            if (over()) return;
            thread.start();
            threads.add(thread);
            return;
        } catch (OutOfMemoryError e) {
            none = e;
        } finally {
            lock.unlock();
        }
        MigrationException cause = named("multifd worker " + number, none);
        fail(cause);
        throw cause;
    }

    private void work(Body body) {
        try {
            body.run();
        } catch (Throwable e) {
            fail(e);
        }
    }

    /**
     * Takes a channel into care: it is closed in the end, and let go at once if all is over.
     *
     * @throws IOException if it has failed meanwhile
     */
    void own(Channel channel) throws IOException {
        lock.lock();
        try {
            if (!over()) {
                channels.add(channel);
                return;
            }
        } finally {
            lock.unlock();
        }
        channel.release();
        check();
        throw new MigrationException(Blame.USER, "the migration has ended");
    }

    /** It has ended, and is closed before the others. */
    void disown(Channel channel) {
        lock.lock();
        channels.remove(channel);
        lock.unlock();
        close(channel);
    }

    /**
     * The first failure counts: fails the migration, lets everybody go who hangs in a channel, and
     * wakes all who wait. After {@link #stop} it is nobody's business any more.
     */
    void fail(Throwable cause) {
        List<Channel> released;
        lock.lock();
        try {
            if (failure != null || stopped) {
                log.debug("{}: after the end", session.name(), cause);
                return;
            }
            failure = cause;
            released = List.copyOf(channels);
            conditions.forEach(Condition::signalAll);
        } finally {
            lock.unlock();
        }
        session.fail(cause);
        released.forEach(this::release);
    }

    /** A failure that says where: what a plug-in or the system threw is wrapped. */
    static MigrationException named(String where, Throwable cause) {
        MigrationException typed = MigrationException.of(cause);
        // Those say where themselves.
        if (cause instanceof MigrationException || cause instanceof UncheckedIOException) {
            return typed;
        }
        return new MigrationException(typed.blame(), where + ": " + typed.getMessage(), cause);
    }

    /** Throws the failure, if there is one. */
    void check() throws IOException {
        Throwable cause;
        lock.lock();
        try {
            cause = failure;
        } finally {
            lock.unlock();
        }
        if (cause == null) return;
        session.check(); // throws the migration's own error, which may be an earlier one
        throw cause instanceof IOException e ? e : named("a multifd worker", cause);
    }

    /** Whether workers have to end. With {@link #lock} held. */
    boolean over() {
        return stopped || failure != null;
    }

    /**
     * Waits for a signal. With {@link #lock} held.
     *
     * @param millis how long at the most
     * @return false if there was none
     * @throws IOException if there is a failure, or the thread was interrupted
     */
    boolean await(Condition condition, long millis) throws IOException {
        check();
        try {
            boolean signalled = condition.await(millis, TimeUnit.MILLISECONDS);
            check();
            return signalled;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MigrationException(Blame.HOST, "the migration thread was interrupted", e);
        }
    }

    /** Lets waiting workers end, in order. */
    void stop() {
        lock.lock();
        try {
            stopped = true;
            conditions.forEach(Condition::signalAll);
        } finally {
            lock.unlock();
        }
    }

    /** Waits until every worker that was started has ended. */
    void join() {
        lock.lock();
        List<Thread> all = List.copyOf(threads);
        lock.unlock();
        Joined.all(all); // nothing is torn down under a worker that still runs
        lock.lock();
        threads.clear();
        lock.unlock();
    }

    /** Ends whatever still runs, waits for it, and closes the channels. */
    @Override
    public void close() {
        stop();
        lock.lock();
        List<Channel> all = List.copyOf(channels);
        boolean running = !threads.isEmpty();
        channels.clear();
        lock.unlock();
        // Somebody may still hang in one of them.
        if (running) all.forEach(this::release);
        join();
        atOnce(all, this::close);
    }

    /**
     * Ends the outgoing direction of every channel in order; after {@link #join}. A receiver that
     * has everything may be gone already (rule MFD-20).
     */
    void shutdownOutputs() {
        atOnce(List.copyOf(channels), this::shutdownOutput);
    }

    /** All at once: with TLS each waits for its peer, for seconds if that is silent. */
    private void atOnce(List<Channel> all, Consumer<Channel> end) {
        if (all.isEmpty()) return;
        for (Channel channel : all.subList(1, all.size())) {
            Thread ender =
                    Thread.ofPlatform()
                            .name(prefix + "end")
                            .daemon()
                            .unstarted(() -> end.accept(channel));
            try {
                ender.start();
            } catch (OutOfMemoryError e) { // then one after another
                end.accept(channel);
                continue;
            }
            lock.lock();
            threads.add(ender);
            lock.unlock();
        }
        end.accept(all.getFirst());
        join();
    }

    private void shutdownOutput(Channel channel) {
        try {
            channel.shutdownOutput();
        } catch (IOException | RuntimeException | Error e) {
            log.debug("{}: ending a channel", session.name(), e);
        }
    }

    // A channel is somebody else's: what it throws must not leave the others open.
    private void close(Channel channel) {
        try {
            channel.close();
        } catch (IOException | RuntimeException | Error e) {
            log.debug("{}: closing a channel", session.name(), e);
        }
    }

    private void release(Channel channel) {
        try {
            channel.release();
        } catch (RuntimeException | Error e) {
            log.warn("{}: a channel can't be let go", session.name(), e);
        }
    }
}
