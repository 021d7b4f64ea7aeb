package org.vmferry.it.faults.thousand;

import org.vmferry.engine.Engine;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.notifier.MigrationEvent;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.testkit.machine.HostMemory;
import org.vmferry.testkit.machine.ReferenceMachine;
import org.vmferry.testkit.machine.ReferenceMachineBuilder;
import org.vmferry.testkit.tls.TestCertificates;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What all runs of a process share: a folder, certificates, plug-ins, and what a way calls. */
final class Rig {
    private static final long BEFORE = 300_000; // instructions that the guest has run

    final Path folder;
    final Plugins plugins = Plugins.discover();
    final MigrationNotifier notifier =
            new MigrationNotifier() {
                @Override
                public String id() {
                    return "witness";
                }

                @Override
                public void notify(MigrationEvent event) {}
            };
    private final Path pki;
    private final Path snapshots;
    private final Set<Boolean> warm = new HashSet<>();
    private final Map<Way, Scene> clean = new HashMap<>();

    /** In an empty folder. */
    Rig(Path folder) throws IOException {
        pki = folder.resolve("pki");
        snapshots = Files.createDirectory(folder.resolve("snapshots"));
        this.folder = Files.createDirectory(folder.resolve("work"));
    }

    /** What is loaded once, the JDK's files too, is loaded before anything is counted. */
    void warmUp(Way way) throws Exception {
        if (!warm.add(way.tls())) return;
        Way first = new Way(Way.Link.TCP, "zstd", way.tls(), true, false, false);
        new FaultRun(this, nothing(first), List.of()).outcome();
    }

    private static Plan nothing(Way way) {
        return new Plan(-1, way, Harm.NONE, Side.SOURCE, Moment.SET_UP, 0, 0);
    }

    /** The guest: it checks its own RAM as it goes. */
    static ReferenceMachineBuilder guest() {
        return ReferenceMachine.builder().ram(2 << 20).dirtyWindow(60).dirtyEvery(1500);
    }

    /** The same, where a way wants it to be. */
    static ReferenceMachineBuilder guest(Way way) {
        ReferenceMachineBuilder guest = guest();
        if (!way.strange()) return guest;
        return way.mapped() ? guest.adopting() : guest.hostMemory(HostMemory.BYTES);
    }

    /** One that has run for a while. */
    static ReferenceMachine used(Way way) {
        ReferenceMachine machine = guest(way).build();
        machine.runFor(BEFORE);
        return machine;
    }

    /** Those of a way; null if it needs none. */
    TestCertificates certificates(Way way) throws IOException {
        return way.tls() ? TestCertificates.in(pki) : null;
    }

    /** A file that a guest was saved into, as a way has it. */
    Path snapshot(Way way) throws Exception {
        Path file = snapshots.resolve(way.mapped() ? "mapped" : "stream");
        if (Files.exists(file)) return file;
        try (ReferenceMachine machine = used(way)) {
            machine.enter(RunState.RUNNING);
            new Engine(plugins)
                    .send(
                            machine,
                            "file:" + file,
                            new Way(Way.Link.SAVE, way.codec(), false, false, false, way.mapped())
                                    .settings(Side.SOURCE, Harm.NONE, null))
                    .await();
        }
        return file;
    }

    /** Which calls a side has from a plan's moment on, if nothing goes wrong. */
    List<String> callbacks(Plan plan) throws Exception {
        warmUp(plan.way());
        Scene scene = clean.get(plan.way());
        if (scene == null) {
            FaultRun run = new FaultRun(this, nothing(plan.way()), List.of());
            Outcome outcome = run.outcome();
            Verdict verdict = Verdict.of(outcome);
            if (!verdict.violations().isEmpty()) {
                throw new AssertionError("without a fault: " + verdict.violations() + outcome);
            }
            scene = run.scene();
            clean.put(plan.way(), scene);
        }
        return scene.callsSince(plan.side(), plan.moment());
    }
}
