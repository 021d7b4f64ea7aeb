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
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.notifier.MigrationVeto;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A notifier: docs/spi/notifier.md. */
@Status(Status.Level.STABLE)
public abstract class NotifierConformance extends ProviderConformance<MigrationNotifier> {
    @TempDir Path folder;

    /** For the author's class. */
    protected NotifierConformance() {}

    /**
     * The notifier in a state where it forbids a migration.
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

    private static void migration(MigrationNotifier notifier, Mode mode, boolean succeeds) {
        if (tell(notifier, new PrecopySetup(mode))) return;
        tell(
                notifier,
                succeeds ? new PrecopyDone(mode) : new PrecopyFailed(mode, "the link was cut"));
    }

    @Test
    @Tag("NTF-1")
    final void itsModesDoNotChange() throws Exception {
        MigrationNotifier notifier = provider();
        Set<Mode> modes = notifier.modes();
        assertFalse(modes.isEmpty(), "modes(): none, so it would never be told");
        assertEquals(modes, notifier.modes(), "modes(): differ from call to call");
    }

    @Test
    @Tag("NTF-2")
    final void onlyASetUpMayBeForbidden() throws Exception {
        List<MigrationNotifier> both = new ArrayList<>(List.of(provider()));
        forbidding().ifPresent(both::add);
        for (MigrationNotifier notifier : both) {
            for (Mode mode : notifier.modes()) {
                for (MigrationEvent event :
                        List.of(new PrecopyDone(mode), new PrecopyFailed(mode, "cancelled"))) {
                    assertDoesNotThrow(
                            () -> notifier.notify(event), "notify(): a veto is for PRECOPY_SETUP");
                }
            }
        }
    }

    @Test
    @Tag("NTF-3")
    final void anyNumberOfMigrations() throws Exception {
        MigrationNotifier notifier = provider();
        Mode mode = notifier.modes().iterator().next();
        for (int i = 0; i < 6; i++) migration(notifier, mode, i % 2 == 0);
        List<Call<Void>> atOnce = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            boolean succeeds = i % 2 == 0;
            atOnce.add(
                    begin(
                            () -> {
                                for (int n = 0; n < 50; n++) migration(notifier, mode, succeeds);
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
            for (MigrationEvent event :
                    List.of(
                            new PrecopySetup(mode),
                            new PrecopyDone(mode),
                            new PrecopySetup(mode),
                            new PrecopyFailed(mode, "cancelled"))) {
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
        PrecopySetup event = new PrecopySetup(notifier.modes().iterator().next());
        Throwable veto =
                refused(
                        "notify(): forbidding() gave a notifier that does not veto",
                        () -> notifier.notify(event),
                        MigrationVeto.class);
        assertTrue(
                veto.getMessage() != null && !veto.getMessage().isBlank(),
                "notify(): a veto without a reason");
    }

    @Test
    @Tag("NTF-6")
    final void migrationsSucceedWithIt() throws Exception {
        MigrationNotifier notifier = provider();
        for (RejectedPlugin rejected : Plugins.of(List.of(notifier)).rejected())
            fail("the engine does not take it: " + rejected.sentence());
        Engine engine = new Engine(Plugins.discover().plus(notifier));
        for (Mode mode : notifier.modes()) {
            Settings settings = Settings.NONE.parameter("mode", mode.wireName());
            try (ReferenceMachine machine =
                    ReferenceMachine.builder().ram(1 << 20).dirtyWindow(9).build()) {
                machine.enter(RunState.PAUSED);
                Migration save =
                        engine.send(machine, "file:" + folder.resolve(mode.name()), settings);
                over(save);
                assertEquals(
                        MigrationState.COMPLETED,
                        save.state(),
                        "provider(): is to be one that lets a migration pass");
            }
        }
    }
}
