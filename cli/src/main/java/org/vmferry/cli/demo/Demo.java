package org.vmferry.cli.demo;

import org.vmferry.cli.demo.Result.Live;
import org.vmferry.cli.demo.Result.Saved;
import org.vmferry.cli.demo.Result.Turn;
import org.vmferry.cli.jvm.ChildJvm;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.Statistics;
import org.vmferry.engine.json.Json;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * One guest in three processes: booted here, migrated live to a second, saved there, and restored
 * by mapping in a third; compared with a twin that stayed here.
 */
public final class Demo implements AutoCloseable {
    /** Instructions that each process executes at least. */
    private static final long TURN = 20_000_000;

    /** Instructions of the twin between two looks at whether it was called off. */
    private static final long STRETCH = 10_000_000;

    /** Who watches. */
    public interface Watcher {
        /**
         * A process had its turn.
         *
         * @param turn what the guest counted there
         * @param how the guest came there
         */
        void had(Turn turn, String how);

        /**
         * The guest is in the second process now.
         *
         * @param live how it went
         */
        void moved(Live live);

        /**
         * The guest is in a file now.
         *
         * @param saved how it went
         */
        void saved(Saved saved);

        /**
         * Waits until a migration is over.
         *
         * @param migration runs
         * @return its numbers
         * @throws MigrationException if it failed
         * @throws InterruptedException if the thread was interrupted
         */
        Statistics follow(Migration migration) throws MigrationException, InterruptedException;
    }

    private final long ramBytes;
    private final Path file;
    private final Watcher watcher;
    private final Engine engine = Engine.create();
    private final List<ChildJvm> children = new CopyOnWriteArrayList<>();
    private volatile boolean cancelled;

    /**
     * Prepares one.
     *
     * @param ramBytes of the guest's RAM, a multiple of 16 MiB
     * @param file where the snapshot goes
     * @param watcher is told what happens
     */
    public Demo(long ramBytes, Path file, Watcher watcher) {
        this.ramBytes = ramBytes;
        this.file = file.toAbsolutePath();
        this.watcher = watcher;
    }

    /**
     * Runs it.
     *
     * @return what came out
     * @throws IOException if anything fails, or the guest is not what it was
     * @throws InterruptedException if the thread was interrupted
     */
    public Result run() throws IOException, InterruptedException {
        StringBuilder output = new StringBuilder();
        ChildJvm second = child("fixed");
        ChildJvm third = child("adopting");

        Live live = migrate(second, output);
        Turn first = Turn.after(0, ProcessHandle.current().pid(), output);
        watcher.had(first, "boots the guest");
        watcher.moved(live);

        ask(second, "run " + TURN);
        Map<?, ?> save = ask(second, "save " + file);
        output.append((String) save.get("output"));
        Turn there = Turn.after(first.to(), second.pid(), output);
        watcher.had(there, "runs it from there");
        Saved saved =
                new Saved((Long) save.get("ms"), (Long) save.get("downtimeMs"), Files.size(file));
        watcher.saved(saved);

        ask(third, "receive file:" + file);
        long mappedMs = (Long) ask(third, "arrived").get("ms");
        ask(third, "run " + TURN);
        Map<?, ?> stop = ask(third, "stop");
        output.append((String) stop.get("output"));
        Turn last = Turn.after(there.to(), third.pid(), output);
        watcher.had(last, "has it mapped in %d ms".formatted(mappedMs));

        Proof.Side moved = new Proof.Side(output.toString(), Successor.digest(stop));
        Proof proof = Proof.of(moved, twin(moved.digest().instructions()));
        return new Result(ramBytes, List.of(first, there, last), live, saved, mappedMs, proof);
    }

    private Live migrate(ChildJvm second, StringBuilder output)
            throws IOException, InterruptedException {
        try (ReferenceMachine machine = DemoGuest.fresh(ramBytes)) {
            machine.enter(RunState.RUNNING);
            while (machine.instructions() < TURN) {
                check();
                DemoGuest.await(machine, machine.instructions() + TURN / 20);
            }
            String address = (String) ask(second, "receive tcp:127.0.0.1:0").get("address");
            Migration migration = engine.send(machine, address, Successor.LIVE);
            Live live = Live.of(watcher.follow(migration));
            ask(second, "arrived");
            output.append(machine.output());
            return live;
        }
    }

    /** A machine that was never moved, after so many instructions. */
    private Proof.Side twin(long instructions) throws MigrationException {
        try (ReferenceMachine twin = DemoGuest.fresh(ramBytes)) {
            for (long left = instructions; left > 0; left -= STRETCH) {
                check();
                twin.runFor(Math.min(left, STRETCH));
            }
            return new Proof.Side(twin.output(), twin.digest());
        }
    }

    private ChildJvm child(String ram) throws IOException {
        ChildJvm child = new ChildJvm(Successor.class, Long.toString(ramBytes), ram);
        children.add(child);
        check();
        return child;
    }

    private Map<?, ?> ask(ChildJvm child, String order) throws IOException {
        check();
        Map<?, ?> answer;
        try {
            answer = (Map<?, ?>) Json.parse(child.ask(order));
        } catch (IOException e) {
            check();
            throw e;
        }
        if (answer.get("error") != null)
            throw MigrationException.host("process %d: %s", child.pid(), answer.get("error"));
        return answer;
    }

    private void check() throws MigrationException {
        if (cancelled) throw MigrationException.user("interrupted");
    }

    /** Ends it soon: {@link #run} throws. Any thread. */
    public void cancel() {
        cancelled = true;
        children.forEach(ChildJvm::kill);
    }

    /** Ends its processes. */
    @Override
    public void close() {
        children.forEach(ChildJvm::close);
    }
}
