package org.vmferry.it.faults.thousand;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.it.faults.thousand.Outcome.End;
import org.vmferry.it.faults.thousand.Way.Link;
import org.vmferry.it.support.Leftovers;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.transport.TransportProvider;
import org.vmferry.testkit.fault.Faults;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** One migration in this process, with a plan's fault. */
final class FaultRun {
    private static final String OLD = "an older snapshot";

    private final Rig rig;
    private final Plan plan;
    private final ReferenceMachine here;
    private final ReferenceMachine there;
    private final CompletableFuture<Migration> source = new CompletableFuture<>();
    private final CompletableFuture<Migration> destination = new CompletableFuture<>();
    private final Faults faults;
    private final TransportProvider link;
    private final Injector injector;
    private final Scene scene;
    private final Path file;
    private boolean wasOld;
    private String harmed = "";
    private final List<String> left = new ArrayList<>();

    FaultRun(Rig rig, Plan plan) throws Exception {
        this(rig, plan, plan.harm().isOfCallback() ? rig.callbacks(plan) : List.of());
    }

    FaultRun(Rig rig, Plan plan, List<String> callbacks) throws Exception {
        this.rig = rig;
        this.plan = plan;
        here = plan.way().link() == Link.LOAD ? Rig.guest().build() : Rig.used(plan.way());
        there = Rig.guest(plan.way()).build();
        String scheme =
                switch (plan.way().link()) {
                    case TCP -> "tcp";
                    case UNIX -> "unix";
                    case SAVE, LOAD -> "file";
                };
        faults = new Faults(Injector.fromTheBeginning(plan));
        link = faults.over(rig.plugins.transport(scheme));
        injector = new Injector(plan, callbacks, faults, source, destination);
        scene = new Scene(here::instructions, there::instructions, injector);
        injector.in(scene);
        file = plan.way().link() == Link.LOAD ? rig.snapshot(plan.way()) : rig.folder.resolve("vm");
    }

    Scene scene() {
        return scene;
    }

    /** Does it. */
    Outcome outcome() throws Exception {
        long descriptors = Leftovers.descriptors();
        here.enter(plan.way().link() == Link.LOAD ? RunState.PAUSED : RunState.RUNNING);
        End from = End.NOBODY;
        End to = End.NOBODY;
        if (plan.way().link() == Link.SAVE) {
            wasOld = plan.chance() % 2 == 0;
            if (wasOld) Files.writeString(file, OLD);
            begin(source, () -> send("faulty-file:" + file));
            from = end(source, false);
        } else if (plan.way().link() == Link.LOAD) {
            begin(destination, () -> receive("faulty-file:" + file));
            to = end(destination, false);
        } else {
            String where = plan.way().link() == Link.TCP ? "tcp:127.0.0.1:0" : "unix:" + file;
            begin(destination, () -> receive(where));
            if (destination.isCompletedExceptionally()) {
                source.completeExceptionally(new IOException("nobody is there"));
            } else {
                String address = "faulty-" + destination.join().address();
                begin(source, () -> send(address));
            }
            from = end(source, false);
            to = end(destination, true);
        }
        injector.settle();
        boolean[] run = Runs.ask(here, there);
        if (plan.harm() == Harm.SLEEP) comesBack(run);
        if (Thread.interrupted()) left.add("an interrupt here");
        scene.interrupted().forEach(call -> left.add("an interrupt: " + call + " is called so"));
        Outcome seen =
                new Outcome(
                        plan,
                        injector.struck(),
                        injector.afterPause(),
                        injector.won(),
                        scene.paused(),
                        scene.endBegun(),
                        scene.hasEverything(),
                        from,
                        to,
                        run[0],
                        scene.wentOnHere(),
                        run[1],
                        scene.ranThere(),
                        harmed(from),
                        left);
        if (plan.way().link() == Link.SAVE) Files.deleteIfExists(file);
        boolean hangs = from.hangs() || to.hangs();
        Runs.clear(rig.folder, List.of(here, there), hangs, descriptors, left);
        return seen;
    }

    private interface Beginning {
        Migration begin() throws Exception;
    }

    private static void begin(CompletableFuture<Migration> side, Beginning how) {
        try {
            Migration migration = how.begin();
            side.complete(migration);
        } catch (Exception | Error e) {
            side.completeExceptionally(e);
        }
    }

    /** What comes back late changes nothing any more. */
    private void comesBack(boolean[] run) throws InterruptedException {
        if (!injector.disappoints().isEmpty()) left.add(injector.disappoints());
        injector.wake();
        Leftovers.assertNoThreads();
        boolean[] then = Runs.ask(here, there);
        if (!Arrays.equals(run, then)) {
            left.add(
                    "guests that run: %s, then %s"
                            .formatted(Arrays.toString(run), Arrays.toString(then)));
        }
    }

    private Settings settings(Side side) throws IOException {
        Settings settings = plan.way().settings(side, plan.harm(), rig.certificates(plan.way()));
        boolean soon = plan.harm().silences() && plan.moment() == Moment.SET_UP;
        return soon ? settings.parameter("silence-timeout", "" + Way.SILENCE) : settings;
    }

    private Migration send(String uri) throws Exception {
        Tap tap = new Tap(scene.ear(Side.SOURCE));
        Migration save =
                new Engine(tap.plugins(rig.plugins, link, rig.notifier))
                        .send(tap.machine(here), uri, settings(Side.SOURCE));
        save.listen(tap.listener(state -> {}));
        if (plan.way().pauses()) save.proceed();
        return save;
    }

    private Migration receive(String uri) throws Exception {
        Tap tap = new Tap(scene.ear(Side.DESTINATION));
        there.enter(RunState.INMIGRATE);
        Migration load =
                new Engine(tap.plugins(rig.plugins, link, rig.notifier))
                        .receive(tap.machine(there), uri, settings(Side.DESTINATION));
        load.listen(tap.listener(state -> {}));
        return load;
    }

    private static End end(CompletableFuture<Migration> side, boolean listens)
            throws InterruptedException {
        if (!side.isCompletedExceptionally()) return Runs.end(side.join(), listens);
        Throwable why = side.handle((_, e) -> e).join();
        Blame blame = why instanceof MigrationException e ? e.blame() : null;
        return new End(MigrationState.NONE, null, why.getMessage(), blame, false);
    }

    /** What the guests found wrong in their RAM, or the snapshot's reader in it. */
    private String harmed(End from) throws Exception {
        if (!here.stopReason().isEmpty()) return "here: " + here.stopReason();
        if (!there.stopReason().isEmpty()) return "there: " + there.stopReason();
        if (plan.way().link() != Link.SAVE) return "";
        if (!from.is(MigrationState.COMPLETED)) {
            if (Files.exists(file) != wasOld) return "the older snapshot: " + Files.exists(file);
            if (wasOld && !Files.readString(file).equals(OLD)) return "the older snapshot";
            return "";
        }
        there.enter(RunState.INMIGRATE);
        Migration load =
                new Engine(rig.plugins).receive(there, "file:" + file, settings(Side.DESTINATION));
        load.await(Runs.BOUND);
        if (load.failure().isPresent()) return "the snapshot: " + load.failure().get();
        boolean[] run = Runs.ask(here, there);
        if (!there.stopReason().isEmpty()) return "in the snapshot: " + there.stopReason();
        return run[1] ? "" : "the snapshot's guest stands";
    }
}
