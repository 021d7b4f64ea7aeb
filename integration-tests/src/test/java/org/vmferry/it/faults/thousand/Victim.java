package org.vmferry.it.faults.thousand;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.fault.Faults;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;

/**
 * A process with one side of a migration, to be killed. It says "moment" when a plan's comes at its
 * side, and stops there; "over" when its migration is; and always what its guest has executed.
 */
final class Victim {
    private static final PrintStream OUT = System.out;

    private Victim() {}

    /**
     * The process.
     *
     * @param arguments the plan's seed, a file for the {@link Pulse}
     */
    public static void main(String[] arguments) throws Exception {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "error");
        Plan plan = Plan.of(Long.parseLong(arguments[0]));
        Pulse pulse = new Pulse(Path.of(arguments[1]));
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        boolean source = plan.side() == Side.SOURCE;
        try (ReferenceMachine machine = source ? Rig.used(plan.way()) : Rig.guest().build()) {
            Scene scene =
                    new Scene(
                            machine::instructions,
                            machine::instructions,
                            (side, before, call, _) -> stopAt(plan, side, before, call));
            Thread.ofPlatform().daemon().start(() -> beat(pulse, scene, plan, machine));
            Tap tap = new Tap(scene.ear(plan.side()));
            Plugins plugins = Plugins.discover();
            Engine engine =
                    new Engine(tap.plugins(plugins, new Faults().over(plugins.transport("tcp"))));
            var settings = plan.way().settings(plan.side(), Harm.KILL, null);
            Migration migration;
            if (source) {
                machine.enter(RunState.RUNNING);
                say("ready");
                migration = engine.send(tap.machine(machine), in.readLine(), settings);
            } else {
                machine.enter(RunState.INMIGRATE);
                migration = engine.receive(tap.machine(machine), "tcp:127.0.0.1:0", settings);
                say(migration.address().toString());
            }
            migration.await(Duration.ofDays(1));
            if (migration.state() == MigrationState.COMPLETED) say("over");
            in.readLine(); // until it is killed, or its starter is
        }
    }

    private static void say(String line) {
        OUT.println(line);
        OUT.flush();
    }

    private static void stopAt(Plan plan, Side side, boolean before, String call) {
        Moment moment = plan.moment();
        if (side != moment.side || before != moment.before || !moment.is(call)) return;
        say("moment");
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e); // nobody does that
        }
    }

    private static void beat(Pulse pulse, Scene scene, Plan plan, ReferenceMachine machine) {
        while (true) {
            pulse.beat(scene.since(plan.side()), machine.instructions());
            LockSupport.parkNanos(500_000);
        }
    }
}
