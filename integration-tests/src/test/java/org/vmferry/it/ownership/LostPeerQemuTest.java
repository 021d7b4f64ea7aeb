package org.vmferry.it.ownership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.Statistics;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.it.qemu.GuestRom;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.QemuBuilder;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Archives;
import org.vmferry.it.support.Leftovers;
import org.vmferry.it.support.Tools;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** A real QEMU as the other end: cancelled or killed half way, and one that takes a live guest. */
@RequiresQemu
class LostPeerQemuTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int MIB = 1 << 20;
    private static final int RAM = 64 * MIB;
    private static final int WINDOW = 16 * MIB;
    private static final int LINE = 9;
    private static final long HALF_WAY = 2 * MIB; // of some 10 MiB that are not zero

    @TempDir Path folder;
    private final Engine engine = Engine.create();
    private final QemuBuilder builder =
            Qemu.builder().rom(GuestRom.counting().fill(2 * MIB, 16 * MIB));

    @AfterEach
    void noThreadIsLeft() throws Exception {
        Leftovers.assertNoThreads();
    }

    private static Settings settings(int channels, boolean returnPath) {
        Settings settings = Settings.NONE.parameter("downtime-limit", "1");
        if (returnPath) settings = settings.capability("return-path");
        if (channels == 0) return settings;
        return settings.capability("multifd").parameter("multifd-channels", "" + channels);
    }

    private static void set(Qemu qemu, int channels, boolean returnPath, long bandwidth)
            throws Exception {
        if (channels > 0) qemu.setCapabilities("multifd");
        if (returnPath) qemu.setCapabilities("return-path");
        Map<String, Object> parameters = new HashMap<>(Map.of("max-bandwidth", bandwidth));
        if (channels > 0) parameters.put("multifd-channels", channels);
        qemu.setParameters(parameters);
    }

    private static void await(String what, BooleanSupplier condition) {
        long until = System.nanoTime() + SOON.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(until);
            LockSupport.parkNanos(1_000_000);
        }
    }

    private static void awaitHalfWay(Migration migration) {
        await(
                "half way",
                () -> {
                    Statistics now = migration.statistics();
                    assertThat(migration.state().isFinal()).as("over already: %s", now).isFalse();
                    return now.transferred() > HALF_WAY;
                });
    }

    @ParameterizedTest
    @CsvSource({"0, false", "0, true", "2, false", "2, true"})
    void aSourceThatIsCancelledHalfWay(int channels, boolean returnPath) throws Exception {
        try (Qemu source = builder.start();
                ArchiveMachine archive = ArchiveMachine.in(folder)) {
            source.awaitSerial(5 * LINE, SOON);
            set(source, channels, returnPath, 4 * MIB);
            Migration incoming =
                    engine.receive(archive, "tcp:127.0.0.1:0", settings(channels, false));
            source.migrate(incoming.address().toString());
            awaitHalfWay(incoming);
            source.execute("migrate_cancel", Map.of());
            assertThatThrownBy(incoming::await)
                    .isInstanceOf(MigrationException.class)
                    // With channels, the first of which it hears may be one of theirs.
                    .hasMessageMatching(
                            channels == 0
                                    ? "the stream ends at .* its source was cancelled or ended"
                                    : ".*(was cancelled or ended|ended before the SYNC|reset).*");
            assertThat(incoming.state()).isEqualTo(MigrationState.FAILED);
            assertThat(archive.runState()).as("never started").isEqualTo(RunState.INMIGRATE);
            source.awaitMigration("cancelled", SOON);
            assertThat(source.status()).isEqualTo("running");
            GuestRom.lastCount(source.awaitSerial(5 * LINE, SOON));
        }
    }

    /** What befalls a destination half way. */
    private interface Blow {
        void strike(Qemu destination, Migration outgoing) throws Exception;
    }

    @ParameterizedTest
    @CsvSource({"0, false", "0, true", "2, false", "2, true"})
    void aDestinationThatIsKilledHalfWay(int channels, boolean returnPath) throws Exception {
        destinationIsLost(
                channels,
                returnPath,
                (destination, outgoing) -> {
                    destination.process().destroyForcibly(); // SIGKILL
                    assertThat(outgoing.await(SOON)).as("it ends").isTrue();
                });
    }

    /** Its host answers, and it takes nothing: it is given up in time, and comes back too late. */
    @ParameterizedTest
    @CsvSource({"0, true", "2, false"})
    @Tag("OWN-1")
    void aDestinationThatStandsHalfWay(int channels, boolean returnPath) throws Exception {
        destinationIsLost(
                channels,
                returnPath,
                (destination, outgoing) -> {
                    outgoing.change(Settings.NONE.parameter("max-bandwidth", "0"));
                    outgoing.change(Settings.NONE.parameter("silence-timeout", "1000"));
                    Tools.signal(destination.process().pid(), "STOP");
                    assertThat(outgoing.await(SOON)).as("it ends").isTrue();
                    Tools.signal(destination.process().pid(), "CONT");
                    assertThat(outgoing.failure().orElseThrow())
                            .hasMessageContaining("1000 ms (silence-timeout)");
                });
    }

    private void destinationIsLost(int channels, boolean returnPath, Blow blow) throws Exception {
        try (Qemu origin = builder.start();
                ArchiveMachine archive = snapshot(origin);
                RunningArchive guest = new RunningArchive(archive, 32 * MIB, WINDOW);
                Qemu destination = builder.incoming().start()) {
            guest.enter(RunState.RUNNING);
            set(destination, channels, false, 0);
            destination.migrateIncoming("tcp:127.0.0.1:0");
            Migration outgoing =
                    engine.send(
                            guest,
                            "tcp:127.0.0.1:" + destination.incomingPort(),
                            settings(channels, returnPath).parameter("max-bandwidth", "4194304"));
            awaitHalfWay(outgoing);
            blow.strike(destination, outgoing);
            assertThat(outgoing.state()).isEqualTo(MigrationState.FAILED);
            assertThat(outgoing.owner()).isEqualTo(GuestOwner.SOURCE);
            assertThat(outgoing.statistics().downtime()).as("never paused").isZero();
            assertThat(guest.runState()).isEqualTo(RunState.RUNNING);
            long before = guest.stores();
            await("the guest runs on", () -> guest.stores() > before + 1000);
        }
    }

    /** It may go on, and is waited for, until somebody here says otherwise. */
    @ParameterizedTest
    @CsvSource({"0, true, true", "2, true, false"})
    @Tag("OWN-32")
    void aSourceThatStandsHalfWay(int channels, boolean returnPath, boolean goesOn)
            throws Exception {
        try (Qemu source = builder.start();
                ArchiveMachine archive = ArchiveMachine.in(folder)) {
            source.awaitSerial(5 * LINE, SOON);
            set(source, channels, returnPath, 4 * MIB);
            Migration incoming =
                    engine.receive(
                            archive,
                            "tcp:127.0.0.1:0",
                            settings(channels, returnPath).parameter("silence-timeout", "500"));
            source.migrate(incoming.address().toString());
            awaitHalfWay(incoming);
            Tools.signal(source.process().pid(), "STOP");
            assertThat(incoming.await(Duration.ofMillis(1500))).as("it waits").isFalse();
            if (!goesOn) incoming.cancel();
            else Tools.signal(source.process().pid(), "CONT");
            if (goesOn) source.setParameters(Map.of("max-bandwidth", 0));
            assertThat(incoming.await(SOON)).as("it ends").isTrue();
            Tools.signal(source.process().pid(), "CONT");
            if (goesOn) assertThat(incoming.state()).isEqualTo(MigrationState.COMPLETED);
            else assertThat(archive.runState()).as("never started").isEqualTo(RunState.INMIGRATE);
            source.awaitMigration(goesOn ? "completed" : "failed", SOON);
            assertThat(source.status()).isEqualTo(goesOn ? "postmigrate" : "running");
        }
    }

    /** The same guest arrives, with every store: so it is the loss that ends the ones above. */
    @ParameterizedTest
    @CsvSource({"0, false", "0, true", "2, true"})
    @Tag("DLG-4")
    void aDestinationThatTakesARunningGuest(int channels, boolean returnPath) throws Exception {
        try (Qemu origin = builder.start();
                ArchiveMachine archive = snapshot(origin);
                RunningArchive guest = new RunningArchive(archive, 32 * MIB, WINDOW);
                Qemu destination = builder.incoming().start()) {
            guest.enter(RunState.RUNNING);
            await("all of the window", () -> guest.stores() > WINDOW / 4096);
            set(destination, channels, false, 0);
            destination.stop(); // its memory is to be seen before it changes
            destination.migrateIncoming("tcp:127.0.0.1:0");
            Migration outgoing =
                    engine.send(
                            guest,
                            "tcp:127.0.0.1:" + destination.incomingPort(),
                            settings(channels, returnPath)
                                    .parameter("max-bandwidth", "67108864")
                                    .parameter("downtime-limit", "2000"));
            outgoing.await();
            destination.awaitMigration(SOON);
            assertThat(outgoing.statistics().dirtySyncCount()).isGreaterThan(1);
            assertThat(guest.runState()).isEqualTo(RunState.POSTMIGRATE);
            byte[] sent = Archives.ram(archive);
            byte[] arrived = destination.memory(0, RAM);
            Arrays.fill(arrived, 0xf0000, 0x100000, (byte) 0); // there the BIOS lies over it
            assertThat(Arrays.mismatch(arrived, sent)).isEqualTo(-1);
            long last = ByteBuffer.wrap(arrived).order(LITTLE_ENDIAN).getLong(32 * MIB + 4096 - 8);
            assertThat(last).as("written by our guest").isBetween(1L, guest.stores());
            destination.cont();
            GuestRom.lastCount(origin.serial() + destination.awaitSerial(5 * LINE, SOON));
        }
    }

    private ArchiveMachine snapshot(Qemu origin) throws Exception {
        Path file = folder.resolve("origin");
        origin.awaitSerial(5 * LINE, SOON);
        origin.stop();
        origin.setParameters(Map.of("max-bandwidth", 0));
        origin.migrate("file:" + file);
        origin.awaitMigration(SOON);
        ArchiveMachine archive = ArchiveMachine.in(folder);
        engine.receive(archive, "file:" + file, Settings.NONE).await();
        return archive;
    }
}
