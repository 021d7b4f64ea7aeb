package org.vmferry.it.ownership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.it.qemu.GuestRom;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.QemuBinary;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Leftovers;
import org.vmferry.it.support.Relay;
import org.vmferry.it.support.Relay.Fault;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * A destination that is set otherwise, or falls silent, with a return path: the guest is never left
 * standing at home. Who runs is asked of the guests: their instructions, or stores, go on.
 */
@Timeout(120)
class StrandedTest {
    private static final Duration BOUND = Duration.ofSeconds(60);
    private static final Settings BACK =
            Settings.NONE.capability("return-path").parameter("max-bandwidth", "0");

    @TempDir Path folder;
    private final Engine engine = Engine.create();
    private final ReferenceMachine here = guest();
    private final ReferenceMachine there = guest();

    private static ReferenceMachine guest() {
        return ReferenceMachine.builder().ram(8 << 20).dirtyWindow(1000).dirtyEvery(300).build();
    }

    @BeforeEach
    void guestRuns() {
        here.runFor(1_000_000);
        here.enter(RunState.RUNNING);
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        here.close();
        there.close();
        Leftovers.assertNoThreadsAtAll();
    }

    private static Settings with(Settings settings, String words) {
        for (String word : words.split(" ")) {
            if (word.isEmpty()) continue;
            String[] pair = word.split("=");
            settings =
                    pair.length == 2
                            ? settings.parameter(pair[0], pair[1])
                            : settings.capability(word);
        }
        return settings;
    }

    private static String failure(Migration migration) throws Exception {
        assertThat(migration.await(BOUND)).as("%s ends in time", migration.name()).isTrue();
        assertThat(migration.state()).isEqualTo(MigrationState.FAILED);
        return catchThrowableOfType(MigrationException.class, migration::await).getMessage();
    }

    /** It counts on, and was never paused. */
    private static void assertGoesOn(LongSupplier guest, Migration save) {
        long now = guest.getAsLong();
        while (guest.getAsLong() <= now) LockSupport.parkNanos(200_000);
        assertThat(save.statistics().downtime()).as("ms of a pause").isZero();
    }

    private void assertRunsHereOnly(Migration save) {
        long never = there.instructions();
        assertGoesOn(here::instructions, save);
        assertThat(there.instructions()).as("it runs there").isEqualTo(never);
        assertThat(there.runState()).isEqualTo(RunState.PRELAUNCH);
    }

    @ParameterizedTest
    @CsvSource(
            textBlock =
                    """
                    '', 'multifd', 'channel'
                    'multifd multifd-channels=2', 'multifd multifd-channels=4', 'channel'
                    '', 'x-ignore-shared', 'x-ignore-shared'
                    """)
    @Tag("OWN-12")
    @Tag("RPT-6")
    void aWrongSettingIsToldBeforeThePause(String source, String destination, String said)
            throws Exception {
        Migration load =
                engine.receive(
                        there,
                        "tcp:127.0.0.1:0",
                        with(BACK.parameter("connect-timeout", "700"), destination));
        Migration save = engine.send(here, load.address().toString(), with(BACK, source));
        assertThat(failure(save))
                .startsWith("the destination failed to load the machine: ")
                .endsWith(failure(load))
                .contains(said);
        assertRunsHereOnly(save);
    }

    @Test
    @Tag("OWN-12")
    @Tag("RPT-5")
    void aLinkThatFallsSilentInARoundCostsNoPause() throws Exception {
        Settings limited = BACK.parameter("max-bandwidth", "4000000");
        Migration load = engine.receive(there, "tcp:127.0.0.1:0", BACK);
        try (Relay relay = new Relay(load.address().toString(), Fault.NONE)) {
            Migration save = engine.send(here, relay.address(), limited);
            while (load.state() != MigrationState.ACTIVE) LockSupport.parkNanos(200_000);
            relay.mute(); // all is taken, but nothing of it is answered
            save.change(
                    Settings.NONE
                            .parameter("max-bandwidth", "0")
                            .parameter("silence-timeout", "700"));
            assertThat(failure(save)).contains("taken all that was sent", "silence-timeout");
            assertGoesOn(here::instructions, save);
        }
        failure(load);
        assertThat(there.runState()).isEqualTo(RunState.PRELAUNCH);
    }

    @Test
    @Tag("OWN-13")
    @Tag("RPT-5")
    void aLinkThatFallsSilentInThePauseGivesTheGuestBack() throws Exception {
        Migration load = engine.receive(there, "tcp:127.0.0.1:0", BACK);
        try (Relay relay = new Relay(load.address().toString(), Fault.NONE)) {
            Migration save =
                    engine.send(here, relay.address(), BACK.capability("pause-before-switchover"));
            while (save.state() != MigrationState.PRE_SWITCHOVER) LockSupport.parkNanos(200_000);
            long paused = here.instructions();
            relay.mute();
            save.change(Settings.NONE.parameter("silence-timeout", "700"));
            save.proceed();
            assertThat(failure(save)).contains("loaded every device", "700 ms (silence-timeout)");
            while (here.instructions() <= paused) LockSupport.parkNanos(200_000);
            assertThat(save.statistics().downtime()).isGreaterThan(600);
        }
        failure(load);
        assertThat(there.runState()).isEqualTo(RunState.PRELAUNCH);
    }

    /** Nothing is sent then, and nobody else would notice before the operator's word. */
    @Test
    @Tag("OWN-2")
    @Tag("RPT-9")
    void aDestinationThatEndsBeforeTheSwitchOverIsNoticed() throws Exception {
        Migration load = engine.receive(there, "tcp:127.0.0.1:0", BACK);
        try (Relay relay = new Relay(load.address().toString(), Fault.NONE)) {
            Migration save =
                    engine.send(here, relay.address(), BACK.capability("pause-before-switchover"));
            while (save.state() != MigrationState.PRE_SWITCHOVER) LockSupport.parkNanos(200_000);
            long paused = here.instructions();
            relay.close(); // as a process ends that is killed
            assertThat(failure(save)).startsWith("the destination was lost: ");
            while (here.instructions() <= paused) LockSupport.parkNanos(200_000);
        }
        failure(load);
        assertThat(there.runState()).isEqualTo(RunState.PRELAUNCH);
    }

    /** A QEMU that waits for channels says nothing: the limit is the source's own. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @RequiresQemu(old = true)
    @Tag("OWN-12")
    @Tag("RPT-5")
    void aQemuThatWaitsForChannelsGetsNoGuest(boolean old) throws Exception {
        QemuBinary binary = (old ? QemuBinary.old() : QemuBinary.current()).orElseThrow();
        var builder = Qemu.builder().binary(binary).rom(GuestRom.counting());
        try (Qemu origin = builder.start();
                ArchiveMachine archive = ArchiveMachine.in(folder)) {
            Migration saved = engine.receive(archive, "tcp:127.0.0.1:0", Settings.NONE);
            origin.migrate(saved.address().toString());
            saved.await();
            try (RunningArchive guest = new RunningArchive(archive, 32 << 20, 1 << 20);
                    Qemu destination = builder.incoming().start()) {
                guest.enter(RunState.RUNNING);
                destination.setCapabilities("multifd");
                destination.setParameters(Map.of("multifd-channels", 2));
                destination.migrateIncoming("tcp:127.0.0.1:0");
                Migration save =
                        engine.send(
                                guest,
                                "tcp:127.0.0.1:" + destination.incomingPort(),
                                BACK.parameter("silence-timeout", "1000"));
                assertThat(failure(save)).contains("1000 ms (silence-timeout)");
                assertGoesOn(guest::stores, save);
            }
        }
    }

    /** The other way round: the QEMU's guest goes on, as it hears of our failure. */
    @Test
    @RequiresQemu
    @Tag("OWN-12")
    void aQemuSourceHearsOfOurWrongSetting() throws Exception {
        try (Qemu source = Qemu.builder().rom(GuestRom.counting()).start();
                ArchiveMachine archive = ArchiveMachine.in(folder)) {
            source.awaitSerial(30, BOUND);
            source.setCapabilities("return-path");
            Migration load =
                    engine.receive(
                            archive, "tcp:127.0.0.1:0", with(BACK, "multifd connect-timeout=700"));
            source.migrate(load.address().toString());
            assertThat(failure(load)).contains("channel");
            source.awaitMigration("failed", BOUND);
            GuestRom.lastCount(source.awaitSerial(30, BOUND));
            assertThat(archive.runState()).isEqualTo(RunState.INMIGRATE);
        }
    }
}
