package org.vmferry.testkit.conformance;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.discovery.RejectedPlugin;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.Mode;
import org.vmferry.spi.Status;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.notifier.MigrationEvent;
import org.vmferry.spi.notifier.MigrationEvent.PrecopyDone;
import org.vmferry.spi.notifier.MigrationEvent.PrecopyFailed;
import org.vmferry.spi.notifier.MigrationEvent.PrecopySetup;
import org.vmferry.spi.notifier.MigrationInfo;
import org.vmferry.spi.notifier.MigrationInfo.Direction;
import org.vmferry.spi.notifier.MigrationInfo.Kind;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.notifier.MigrationVeto;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;

/** A notifier: docs/spi/notifier.md. */
@Status(Status.Level.STABLE)
public abstract class NotifierConformance extends ProviderConformance<MigrationNotifier> {
    private static final AtomicInteger NUMBER = new AtomicInteger();

    @TempDir Path folder;

    /** For the author's class. */
    protected NotifierConformance() {}

    /**
     * The notifier in a state where it forbids a migration; also one that fails closed in a state
     * where it can't tell, and so throws something else.
     *
     * @return by default empty: it never does
     * @throws Exception if it can't be made
     */
    protected Optional<MigrationNotifier> forbidding() throws Exception {
        return Optional.empty();
    }

    /**
     * How long it may take at one event.
     *
     * @return by default 2 seconds; what it takes adds to the guest's downtime
     */
    protected Duration slowest() {
        return Duration.ofSeconds(2);
    }

    private record Told(String name, Direction direction, Kind kind, Options options)
            implements MigrationInfo {
        @Override
        public Address address() {
            return kind == Kind.LIVE
                    ? new Address("tcp", "192.0.2.1:4444")
                    : new Address("file", "/var/lib/machine.snap");
        }

        @Override
        public Optional<UUID> uuid() {
            return Optional.empty();
        }
    }

    /** Migrations that it wants to hear of, each with a name of its own. */
    private static List<MigrationInfo> heard(MigrationNotifier notifier) {
        List<MigrationInfo> heard = new ArrayList<>();
        for (Direction direction : Direction.values()) {
            for (Kind kind : Kind.values()) {
                String name = "migration-" + NUMBER.incrementAndGet();
                MigrationInfo one = new Told(name, direction, kind, Options.DEFAULTS);
                if (notifier.hears(one)) heard.add(one);
            }
        }
        needs(!heard.isEmpty(), "hears(): is false for all that the suite has");
        return heard;
    }

    /** Tells it; true if it vetoed. */
    private static boolean tell(MigrationNotifier notifier, MigrationEvent event) {
        String lookAt = "notify(): threw at " + event;
        return assertDoesNotThrow(
                () -> {
                    try {
                        notifier.notify(event);
                        return false;
                    } catch (MigrationVeto veto) {
                        if (event instanceof PrecopySetup) return true;
                        throw veto;
                    }
                },
                lookAt);
    }

    private static void migrations(MigrationNotifier notifier, Mode mode, boolean succeeds) {
        for (MigrationInfo one : heard(notifier)) {
            if (tell(notifier, new PrecopySetup(mode, one))) continue;
            tell(
                    notifier,
                    succeeds
                            ? new PrecopyDone(mode, one)
                            : new PrecopyFailed(mode, "the link was cut", one));
        }
    }

    @Test
    @Tag("NTF-1")
    final void whatItHearsDoesNotChange() throws Exception {
        MigrationNotifier notifier = provider();
        Set<Mode> modes = notifier.modes();
        assertFalse(modes.isEmpty(), "modes(): none, so it would never be told");
        assertEquals(modes, notifier.modes(), "modes(): differ from call to call");
        assertEquals(
                notifier.failsClosed(),
                notifier.failsClosed(),
                "failsClosed(): differs from call to call");
    }

    @Test
    @Tag("NTF-2")
    final void onlyASetUpMayBeForbidden() throws Exception {
        List<MigrationNotifier> both = new ArrayList<>(List.of(provider()));
        forbidding().ifPresent(both::add);
        for (MigrationNotifier notifier : both) {
            for (Mode mode : notifier.modes()) {
                for (MigrationInfo one : heard(notifier)) {
                    for (MigrationEvent event :
                            List.of(
                                    new PrecopyDone(mode, one),
                                    new PrecopyFailed(mode, "cancelled", one))) {
                        assertFalse(vetoes(notifier, event), "notify(): vetoes " + event);
                    }
                }
            }
        }
    }

    /** What else it throws in a state in which it forbids is logged. */
    private static boolean vetoes(MigrationNotifier notifier, MigrationEvent event) {
        try {
            notifier.notify(event);
            return false;
        } catch (MigrationVeto veto) {
            return true;
        } catch (Throwable other) {
            return false;
        }
    }

    @Test
    @Tag("NTF-3")
    final void anyNumberOfMigrations() throws Exception {
        MigrationNotifier notifier = provider();
        Mode mode = notifier.modes().iterator().next();
        for (int i = 0; i < 6; i++) migrations(notifier, mode, i % 2 == 0);
        List<Call<Void>> atOnce = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            boolean succeeds = i % 2 == 0;
            atOnce.add(
                    begin(
                            () -> {
                                for (int n = 0; n < 50; n++) migrations(notifier, mode, succeeds);
                                return null;
                            }));
        }
        for (Call<Void> one : atOnce) end(one, "notify(): hangs with several migrations");
    }

    @Test
    @Tag("NTF-4")
    final void itReturnsSoon() throws Exception {
        MigrationNotifier notifier = provider();
        for (Mode mode : notifier.modes()) {
            MigrationInfo one = heard(notifier).getFirst();
            for (MigrationEvent event :
                    List.of(
                            new PrecopySetup(mode, one),
                            new PrecopyDone(mode, one),
                            new PrecopySetup(mode, one),
                            new PrecopyFailed(mode, "cancelled", one))) {
                long began = System.nanoTime();
                tell(notifier, event);
                Duration took = Duration.ofNanos(System.nanoTime() - began);
                assertTrue(
                        took.compareTo(slowest()) <= 0,
                        "notify(): took %s at %s".formatted(took, event));
            }
        }
    }

    @Test
    @Tag("NTF-5")
    final void aVetoHasAReason() throws Exception {
        needs(forbidding().isPresent(), "forbidding(): gives no notifier");
        MigrationNotifier notifier = forbidding().get();
        Mode mode = notifier.modes().iterator().next();
        PrecopySetup event = new PrecopySetup(mode, heard(notifier).getFirst());
        Throwable veto =
                refused(
                        "notify(): forbidding() gave a notifier that does not veto",
                        () -> notifier.notify(event),
                        notifier.failsClosed() ? Throwable.class : MigrationVeto.class);
        assertTrue(
                veto.getMessage() != null && !veto.getMessage().isBlank(),
                "notify(): a veto without a reason");
    }

    /** An engine that tells it alone: its jar, in the class path, has one of the same id. */
    private static Engine engine(MigrationNotifier notifier) {
        Plugins plugins = Plugins.builtIn().plus(notifier);
        for (RejectedPlugin rejected : plugins.rejected())
            fail("the engine does not take it: " + rejected.sentence());
        return new Engine(plugins);
    }

    private static ReferenceMachine machine(RunState state) throws Exception {
        ReferenceMachine machine = ReferenceMachine.builder().ram(1 << 20).dirtyWindow(9).build();
        machine.enter(state);
        return machine;
    }

    @Test
    @Tag("NTF-6")
    final void migrationsSucceedWithIt() throws Exception {
        MigrationNotifier notifier = provider();
        Engine engine = engine(notifier);
        for (Mode mode : notifier.modes()) {
            Settings settings = Settings.NONE.parameter("mode", mode.wireName());
            String file = "file:" + folder.resolve(mode.name());
            try (ReferenceMachine from = machine(RunState.PAUSED);
                    ReferenceMachine to = machine(RunState.INMIGRATE)) {
                passes(engine.send(from, file, settings));
                passes(engine.receive(to, file, settings));
            }
        }
    }

    private void passes(Migration migration) throws Exception {
        over(migration);
        assertEquals(
                MigrationState.COMPLETED,
                migration.state(),
                "provider(): is to be one that lets a migration pass");
    }

    @Test
    @Tag("NTF-7")
    final void whatItForbidsDoesNotHappen() throws Exception {
        needs(forbidding().isPresent(), "forbidding(): gives no notifier");
        MigrationNotifier notifier = forbidding().get();
        Told save = new Told("save", Direction.OUTGOING, Kind.SNAPSHOT, Options.DEFAULTS);
        Told restore = new Told("restore", Direction.INCOMING, Kind.SNAPSHOT, Options.DEFAULTS);
        boolean saves = notifier.hears(save);
        needs(saves || notifier.hears(restore), "hears(): is false for a snapshot");
        Path file = folder.resolve("forbidden");
        Settings settings =
                Settings.NONE.parameter("mode", notifier.modes().iterator().next().wireName());
        try (ReferenceMachine machine = machine(saves ? RunState.PAUSED : RunState.INMIGRATE)) {
            if (!saves) {
                try (ReferenceMachine saved = machine(RunState.PAUSED)) {
                    passes(new Engine(Plugins.builtIn()).send(saved, "file:" + file, settings));
                }
            }
            RunState before = machine.runState();
            Engine engine = engine(notifier);
            Migration migration =
                    saves
                            ? engine.send(machine, "file:" + file, settings)
                            : engine.receive(machine, "file:" + file, settings);
            over(migration);
            assertEquals(
                    MigrationState.FAILED,
                    migration.state(),
                    "notify(): only a veto forbids, or anything of one whose failsClosed() is"
                            + " true");
            String why = migration.failure().orElseThrow().getMessage();
            assertTrue(why.contains("forbids it"), "the migration failed otherwise: " + why);
            assertEquals(before, machine.runState(), "the forbidden migration changed the guest");
            assertEquals(!saves, Files.exists(file), "the forbidden migration wrote a file");
        }
    }
}
