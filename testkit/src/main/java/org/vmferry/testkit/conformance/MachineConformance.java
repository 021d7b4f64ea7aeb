package org.vmferry.testkit.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.memory.ObservedRam;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.Status;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.testkit.fault.Fault;
import org.vmferry.testkit.fault.Faults;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * A whole host, through save, restore, live migration, cancel and failure: docs/spi/machine.md.
 *
 * <p>Its guest must write to RAM all the time while it runs. A few MiB of RAM are enough.
 */
@Status(Status.Level.STABLE)
public abstract class MachineConformance extends Conformance {
    /** So many that a log which forgets one in a thousand is caught. */
    private static final int STORES = 5000;

    private static final String NO_FAULT = "faultsAt(): no stream is as long";

    @TempDir Path folder;
    private final List<Machine> made = new ArrayList<>();
    private final List<Migration> begun = new ArrayList<>();
    private Plugins plugins;

    /** For the author's class. */
    protected MachineConformance() {}

    /**
     * Makes a machine.
     *
     * @return a new one, of the same make at each call, never started
     * @throws Exception if it can't be made
     */
    protected abstract Machine machine() throws Exception;

    /**
     * Gives back what a machine has.
     *
     * @param machine one of {@link #machine()}'s, in any run state
     * @throws Exception if that fails
     */
    protected void close(Machine machine) throws Exception {
        machine.enter(RunState.SHUTDOWN);
        if (machine instanceof AutoCloseable closeable) closeable.close();
    }

    /**
     * The plug-ins of its engine.
     *
     * @return by default all that are found
     */
    protected Plugins plugins() {
        return Plugins.discover();
    }

    /**
     * The settings of snapshots.
     *
     * @return by default none
     */
    protected Settings snapshotSettings() {
        return Settings.NONE;
    }

    /**
     * The settings of live migrations; they should let it switch over after a round or two.
     *
     * @return by default a downtime of up to 20 seconds
     */
    protected Settings liveSettings() {
        return Settings.NONE.parameter("downtime-limit", "20000");
    }

    /**
     * At which bytes of the stream it breaks down in the tests of failures. Those that the stream
     * does not reach are left out.
     *
     * @return ascending; some within the RAM
     */
    protected long[] faultsAt() {
        return new long[] {1, 5000, 200_000};
    }

    /**
     * Lets the guest of a machine that stands still go on for a while that its own clock measures:
     * instructions, ticks, frames. Two machines that are equal must come to the same. Without it
     * the suite can't see a register, or a whole CPU, that {@code devices()} leaves out.
     *
     * @param machine one of {@link #machine()}'s, which stands still, and does so when this returns
     * @param steps how far
     * @return what the guest has come to, which is compared with {@code equals}: its registers, its
     *     results, what the host can say of its state by other ways than {@code devices()}. By
     *     default empty: it can't be run so
     * @throws Exception if that fails
     */
    protected Optional<?> runFor(Machine machine, long steps) throws Exception {
        return Optional.empty();
    }

    /**
     * Stores a byte as the guest does, marks and all. Without it the suite can't see a log that
     * forgets a few stores: the guest may write to the same page again.
     *
     * @param machine one of {@link #machine()}'s, which stands still
     * @param block one of its {@code ram()}'s
     * @param offset in the block
     * @param value what to store
     * @return by default false: it can't be done
     * @throws Exception if that fails
     */
    protected boolean store(Machine machine, RamBlock block, long offset, byte value)
            throws Exception {
        return false;
    }

    @AfterEach
    final void closeAll() throws Exception {
        for (Migration migration : begun) migration.yank(); // of a test that failed amid it
        for (Machine machine : made) close(machine);
    }

    private Plugins found() {
        if (plugins == null) plugins = plugins();
        return plugins;
    }

    private Machine make() throws Exception {
        Machine machine = machine();
        made.add(machine);
        return machine;
    }

    private Observed observed() throws Exception {
        return new Observed(make(), quiet());
    }

    /** One whose guest has run, and runs. */
    private Observed running() throws Exception {
        Observed observed = observed();
        observed.machine.enter(RunState.RUNNING);
        progresses(observed.machine, "enter(RUNNING): the guest must write to its RAM");
        return observed;
    }

    private void progresses(Machine machine, String lookAt) {
        assertEquals(RunState.RUNNING, machine.runState(), lookAt);
        Content before = Content.ram(machine);
        await(lookAt, () -> !Content.ram(machine).isSame(before));
    }

    private void standsStill(Machine machine, String lookAt) {
        assertNotEquals(RunState.RUNNING, machine.runState(), lookAt);
        Content before = Content.of(machine);
        LockSupport.parkNanos(quiet().toNanos());
        Content.requireSame(before, Content.of(machine), lookAt);
    }

    private void save(Observed source, Path file) throws Exception {
        Migration save = new Engine(found()).send(source, "file:" + file, snapshotSettings());
        over(save);
        save.await();
    }

    private Observed restored(Path file) throws Exception {
        Observed destination = observed();
        Migration load =
                new Engine(found()).receive(destination, "file:" + file, snapshotSettings());
        over(load);
        load.await();
        return destination;
    }

    /** A live migration that was begun, over a link with faults. */
    private final class Live {
        final Observed source;
        final Observed destination;
        final Faults link;
        final Migration in;
        final Migration out;

        Live(Observed source, Settings settings, Fault... faults) throws Exception {
            this.source = source;
            destination = observed();
            Plugins plugins = found();
            link = new Faults(faults);
            Engine engine = new Engine(plugins.plus(link.over(plugins.transport("tcp"))));
            in = engine.receive(destination, "tcp:127.0.0.1:0", settings);
            begun.add(in);
            out = engine.send(source, "faulty-" + in.address(), settings);
            begun.add(out);
        }

        void succeeds(String lookAt) throws Exception {
            try {
                over(out);
                out.await();
            } catch (Throwable e) {
                in.cancel(); // it may wait for ever
                throw e;
            }
            over(in);
            in.await();
            Content.requireSame(source.content(), destination.content(), lookAt);
            assertEquals(RunState.RUNNING, destination.entered(), lookAt);
            progresses(destination.machine, lookAt);
            standsStill(source.machine, "enter(POSTMIGRATE): it is the destination's now");
        }

        void fails() throws Exception {
            over(out);
            // A source that is cut off before it says what it is was nobody: another is waited for.
            if (in.state() == MigrationState.SETUP) in.cancel();
            over(in);
            assertNotEquals(MigrationState.COMPLETED, out.state(), "the migration completed");
            assertNotEquals(MigrationState.COMPLETED, in.state(), "the migration completed");
        }
    }

    @Test
    @Tag("MCH-1")
    final void itsTypeIsAName() throws Exception {
        Machine machine = make();
        String type = machine.type();
        int length = type.getBytes(StandardCharsets.UTF_8).length;
        assertTrue(length >= 1 && length <= 255, "type(): of " + length + " bytes");
        for (int i = 0; i < 3; i++)
            assertEquals(type, machine.type(), "type(): differs from call to call");
    }

    @Test
    @Tag("MCH-2")
    final void itSaysWhatItIsDoing() throws Exception {
        Machine machine = make();
        for (RunState state :
                List.of(
                        RunState.INMIGRATE,
                        RunState.RUNNING,
                        RunState.FINISH_MIGRATE,
                        RunState.RUNNING,
                        RunState.FINISH_MIGRATE,
                        RunState.POSTMIGRATE,
                        RunState.PAUSED)) {
            machine.enter(state);
            assertEquals(state, machine.runState(), "runState(): after enter(" + state + ")");
        }
    }

    @Test
    @Tag("MCH-3")
    final void whatIsStoppedStandsStill() throws Exception {
        Machine machine = running().machine;
        for (int i = 0; i < 5; i++) {
            machine.enter(RunState.PAUSED);
            standsStill(machine, "enter(PAUSED): RAM or devices changed after it returned");
            machine.enter(RunState.RUNNING);
        }
    }

    @Test
    @Tag("MCH-4")
    final void aPauseEnds() throws Exception {
        Machine machine = running().machine;
        machine.enter(RunState.PAUSED);
        machine.enter(RunState.RUNNING);
        progresses(machine, "enter(RUNNING): after a pause the guest must run on");
    }

    private static List<String> names(List<DeviceState> devices) {
        return devices.stream().map(device -> device.id() + "/" + device.instance()).toList();
    }

    @Test
    @Tag("MCH-5")
    final void itsDevicesAreTheSame() throws Exception {
        Machine machine = make();
        List<String> names = names(machine.devices());
        assertEquals(
                names.size(),
                names.stream().distinct().count(),
                "devices(): name and instance are not unique: " + names);
        for (RunState state : List.of(RunState.RUNNING, RunState.PAUSED)) {
            machine.enter(state);
            assertEquals(names, names(machine.devices()), "devices(): other ones when " + state);
        }
    }

    @Test
    @Tag("MCH-6")
    final void aStoppedMachineIsRestoredEqual() throws Exception {
        Observed source = running();
        source.machine.enter(RunState.PAUSED);
        Content content = Content.of(source.machine);
        Path file = folder.resolve("paused");
        save(source, file);
        Machine restored = restored(file).machine;
        assertEquals(RunState.PAUSED, restored.runState(), "enter(), runState(): it was paused");
        Content.requireSame(
                content,
                Content.of(restored),
                "ram(), devices(): what was saved is not what was loaded");
    }

    @Test
    @Tag("MCH-7")
    final void aRunningMachineIsMigratedEqual() throws Exception {
        new Live(running(), liveSettings())
                .succeeds("ram(), dirtyLog(), devices(): the destination differs from the source");
    }

    @Test
    @Tag("MCH-8")
    final void aFailureLeavesTheGuestRunning() throws Exception {
        String lookAt = "dirtyLog().stop(), enter(): after a failure the guest must run on";
        boolean any = false;
        for (long at : faultsAt()) {
            Live cut = new Live(running(), liveSettings(), Fault.cut(at));
            over(cut.out);
            if (!cut.link.awaitStruck(Duration.ZERO)) continue;
            any = true;
            cut.fails();
            progresses(cut.source.machine, lookAt + " (the link was cut)");

            Live stall = new Live(running(), liveSettings(), Fault.stall(at));
            assertTrue(stall.link.awaitStruck(patience()), "the stream is shorter than before");
            assertTrue(stall.out.cancel(), "a migration that hangs was not to be cancelled");
            stall.fails();
            progresses(stall.source.machine, lookAt + " (it was cancelled)");
        }
        needs(any, NO_FAULT);
    }

    @Test
    @Tag("MCH-9")
    final void aCancelAtTheSwitchOverLeavesTheGuestRunning() throws Exception {
        Observed source = running();
        cancelledAtItsSwitchOver(source);
        progresses(source.machine, "enter(RUNNING): it was cancelled, and must run on");
    }

    private void cancelledAtItsSwitchOver(Observed source) throws Exception {
        Live live = new Live(source, liveSettings().capability("pause-before-switchover"));
        await(
                () -> "the migration never came to its switch-over" + where(live.out),
                () -> live.out.state() == MigrationState.PRE_SWITCHOVER);
        assertNotEquals(RunState.RUNNING, source.runState(), "enter(FINISH_MIGRATE)");
        assertTrue(live.out.cancel(), "a migration at its switch-over was not to be cancelled");
        live.fails();
    }

    @Test
    @Tag("MCH-10")
    final void theNextMigrationIsAsGood() throws Exception {
        Observed source = running();
        cancelledAtItsSwitchOver(source); // the log has been in use then
        new Live(source, liveSettings())
                .succeeds("dirtyLog(): after a failure the next migration differs from its source");
    }

    @Test
    @Tag("MCH-11")
    final void aSnapshotsMachineRunsOn() throws Exception {
        Observed source = running();
        Path file = folder.resolve("live");
        save(source, file);
        Content.requireSame(
                source.content(), restored(file).content(), "ram(), dirtyLog(): a live snapshot");
        source.machine.enter(RunState.RUNNING);
        progresses(source.machine, "enter(RUNNING): after a snapshot the host may go on");
    }

    @Test
    @Tag("MCH-12")
    final void whatIsNotWholeNeverRuns() throws Exception {
        boolean any = false;
        for (long at : faultsAt()) {
            Live live = new Live(running(), liveSettings(), Fault.cut(at));
            over(live.out);
            if (!live.link.awaitStruck(Duration.ZERO)) continue;
            any = true;
            live.fails();
            assertNotEquals(RunState.RUNNING, live.destination.entered(), "the engine started it");
            standsStill(
                    live.destination.machine,
                    "ramTarget(), load(): a machine runs that was not loaded to the end");
        }
        needs(any, NO_FAULT);
    }

    @Test
    @Tag("MCH-13")
    final void machinesAreApart() throws Exception {
        Machine still = make();
        Content before = Content.of(still);
        Machine busy = running().machine;
        busy.enter(RunState.PAUSED);
        Content.requireSame(
                before, Content.of(still), "machine(): one runs, and another one changed");
    }

    @Test
    @Tag("MCH-14")
    final void aFullDiskLeavesTheGuestRunning() throws Exception {
        boolean any = false;
        for (long at : faultsAt()) {
            Observed source = running();
            Faults disk = new Faults(Fault.full(at));
            Path file = folder.resolve("full-" + at);
            Migration save =
                    new Engine(found().plus(disk.over(found().transport("file"))))
                            .send(source, "faulty-file:" + file, snapshotSettings());
            over(save);
            if (!disk.awaitStruck(Duration.ZERO)) continue;
            any = true;
            assertEquals(MigrationState.FAILED, save.state(), "the disk was full");
            assertFalse(Files.exists(file), "the disk was full, and a snapshot is there");
            progresses(
                    source.machine,
                    "dirtyLog().stop(), enter(): the disk was full, the guest must run on");
        }
        needs(any, NO_FAULT);
    }

    @Test
    @Tag("MCH-15")
    final void whatIsRestoredComputesTheSame() throws Exception {
        for (int i = 0; i < 2; i++) {
            Observed source = running();
            source.machine.enter(RunState.PAUSED);
            Path file = folder.resolve("paused-" + i);
            save(source, file);
            Machine restored = restored(file).machine;
            source.machine.enter(RunState.PAUSED); // after a snapshot it is the host's again
            for (long steps : new long[] {1, 1000, 100_000}) {
                Optional<?> wanted = runFor(source.machine, steps);
                if (wanted.isEmpty()) {
                    cannotSee("runFor() is not there: whether devices() leaves something out");
                }
                assertEquals(
                        wanted,
                        runFor(restored, steps),
                        "devices(), ram(): after "
                                + steps
                                + " steps the restored guest has come to something else: a part of"
                                + " its state is in no device and in no RAM block");
            }
        }
    }

    @Test
    @Tag("MCH-16")
    final void everyStoreIsMarked() throws Exception {
        Machine machine = make();
        machine.enter(RunState.PAUSED);
        RamProvider ram = machine.ram();
        // A host without a log has the engine's.
        DirtyLog log = ram.dirtyLog().orElseGet(() -> new ObservedRam(ram.blocks()));
        log.start();
        try {
            boolean made =
                    EachPageStored.check(
                            ram.blocks(),
                            log,
                            STORES,
                            block -> (offset, value) -> store(machine, block, offset, value));
            if (!made) cannotSee("store() is not there: whether each store is marked");
        } finally {
            log.stop();
        }
    }
}
