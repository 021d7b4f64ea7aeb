package org.vmferry.it.faults.thousand;

import org.vmferry.cli.jvm.ChildJvm;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.faults.thousand.Outcome.End;
import org.vmferry.it.support.Leftovers;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.fault.Faults;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** One migration between this process and a {@link Victim}, which is killed with -9. */
final class KillRun {
    private final Rig rig;
    private final Plan plan;
    private final Side mine;
    private final ReferenceMachine machine;
    private final Scene scene;
    private final CountDownLatch moment = new CountDownLatch(1);
    private volatile boolean paused;
    private volatile String struck = "";
    private ChildJvm victim;

    KillRun(Rig rig, Plan plan) {
        this.rig = rig;
        this.plan = plan;
        mine = plan.side() == Side.SOURCE ? Side.DESTINATION : Side.SOURCE;
        machine = mine == Side.SOURCE ? Rig.used(plan.way()) : Rig.guest().build();
        scene = new Scene(machine::instructions, machine::instructions, this::killAt);
    }

    /** Does it. */
    Outcome outcome() throws Exception {
        long descriptors = Leftovers.descriptors();
        Path file = rig.folder.resolve("pulse");
        Pulse pulse = new Pulse(file);
        Migration migration;
        try (ChildJvm child = new ChildJvm(Victim.class, "" + plan.seed(), file.toString())) {
            victim = child;
            String address = child.answer();
            migration = mine == Side.SOURCE ? send(address) : receive(child);
            Thread listener = new Thread(this::hear, "hears");
            listener.start();
            while (!moment.await(5, TimeUnit.MILLISECONDS) && !migration.state().isFinal()) {}
            kill("when all was over");
            listener.join();
        }
        End end = Runs.end(migration, mine == Side.DESTINATION);
        boolean[] runs = Runs.ask(machine, machine);
        boolean here = mine == Side.SOURCE;
        Outcome seen =
                new Outcome(
                        plan,
                        struck,
                        plan.moment().afterPause() || paused,
                        true,
                        here ? scene.paused() : pulse.wentOn() || plan.moment().afterPause(),
                        scene.endBegun(),
                        scene.hasEverything(),
                        here ? end : End.NOBODY,
                        here ? End.NOBODY : end,
                        here && runs[0],
                        here ? scene.wentOnHere() : pulse.wentOn(),
                        !here && runs[1],
                        here ? pulse.wentOn() : scene.ranThere(),
                        machine.stopReason(),
                        new ArrayList<>());
        Files.delete(file);
        Runs.clear(rig.folder, List.of(machine), end.hangs(), descriptors, seen.left());
        return seen;
    }

    private Settings settings() {
        return plan.way().settings(mine, Harm.KILL, null);
    }

    private Engine engine(Tap tap) throws IOException {
        return new Engine(
                tap.plugins(rig.plugins, new Faults().over(rig.plugins.transport("tcp"))));
    }

    private Migration send(String address) throws Exception {
        Tap tap = new Tap(scene.ear(mine));
        machine.enter(RunState.RUNNING);
        return engine(tap).send(tap.machine(machine), address, settings());
    }

    private Migration receive(ChildJvm child) throws Exception {
        Tap tap = new Tap(scene.ear(mine));
        machine.enter(RunState.INMIGRATE);
        Migration load = engine(tap).receive(tap.machine(machine), "tcp:127.0.0.1:0", settings());
        child.tell(load.address().toString());
        return load;
    }

    private void hear() {
        try {
            victim.answer();
            kill("at its " + plan.moment()); // it stops there, or is done
        } catch (IOException e) {
            moment.countDown(); // it is dead
        }
    }

    private void killAt(Side side, boolean before, String call, int number) {
        Moment when = plan.moment();
        if (side != when.side || before != when.before || !when.is(call)) return;
        kill("at our " + when);
    }

    private synchronized void kill(String when) {
        if (!struck.isEmpty()) return;
        struck = "kill -9 of the " + plan.side() + " " + when;
        paused = scene.paused();
        victim.close();
        moment.countDown();
    }
}
