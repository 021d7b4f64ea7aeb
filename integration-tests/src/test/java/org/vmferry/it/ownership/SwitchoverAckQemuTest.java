package org.vmferry.it.ownership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.it.qemu.GuestRom;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.QemuBuilder;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Leftovers;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** switchover-ack with a real QEMU, as source and as destination, of guests that run. */
@RequiresQemu
class SwitchoverAckQemuTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int MIB = 1 << 20;
    private static final int LINE = 9;

    @TempDir Path folder;
    private final Engine engine = Engine.create();
    private final QemuBuilder builder =
            Qemu.builder().rom(GuestRom.counting().fill(2 * MIB, 2 * MIB));

    @AfterEach
    void noThreadIsLeft() throws Exception {
        Leftovers.assertNoThreads();
    }

    private static List<String> capabilities(int channels, boolean ack) {
        List<String> names = new ArrayList<>(List.of("return-path"));
        if (channels > 0) names.add("multifd");
        if (ack) names.add("switchover-ack");
        return names;
    }

    private static Settings settings(int channels, boolean ack) {
        Settings settings = Settings.NONE.parameter("max-bandwidth", "0");
        for (String name : capabilities(channels, ack)) settings = settings.capability(name);
        return channels == 0 ? settings : settings.parameter("multifd-channels", "" + channels);
    }

    private static void set(Qemu qemu, int channels, boolean ack) throws Exception {
        qemu.setCapabilities(capabilities(channels, ack).toArray(String[]::new));
        qemu.setParameters(Map.of("max-bandwidth", 0, "multifd-channels", Math.max(1, channels)));
    }

    /** A guest that runs, from a QEMU that waits for our word to one whose word we wait for. */
    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    @Tag("RPT-10")
    void eachWaitsForTheOther(int channels) throws Exception {
        Settings ack = settings(channels, true);
        try (ArchiveMachine archive = ArchiveMachine.in(folder)) {
            String serial = fetch(archive, channels, true, ack);
            try (Qemu destination = builder.incoming().start();
                    RunningArchive guest = new RunningArchive(archive, 32 * MIB, MIB)) {
                set(destination, channels, true);
                destination.migrateIncoming("tcp:127.0.0.1:0");
                guest.enter(RunState.RUNNING);
                Migration outgoing = send(guest, destination, ack);
                destination.awaitMigration(SOON);
                outgoing.await();
                assertThat(outgoing.owner()).isEqualTo(GuestOwner.DESTINATION);
                GuestRom.lastCount(serial + destination.awaitSerial(5 * LINE, SOON));
            }
        }
    }

    /** A QEMU that has it set says its word also to a source that waits for none. */
    @Test
    @Tag("RPT-10")
    void aWordThatNobodyWaitsForIsIgnored() throws Exception {
        try (ArchiveMachine archive = ArchiveMachine.in(folder)) {
            fetch(archive, 0, false, settings(0, false));
            try (Qemu destination = builder.incoming().start();
                    RunningArchive guest = new RunningArchive(archive, 32 * MIB, MIB)) {
                set(destination, 0, true);
                destination.migrateIncoming("tcp:127.0.0.1:0");
                guest.enter(RunState.RUNNING);
                send(guest, destination, settings(0, false)).await();
                destination.awaitMigration(SOON);
            }
        }
    }

    @Test
    @Tag("RPT-10")
    @Tag("OWN-12")
    void aQemuWithoutItNeverSaysItAndTheGuestGoesOn() throws Exception {
        try (ArchiveMachine archive = ArchiveMachine.in(folder)) {
            fetch(archive, 0, false, settings(0, false));
            try (Qemu destination = builder.incoming().start();
                    RunningArchive guest = new RunningArchive(archive, 32 * MIB, MIB)) {
                set(destination, 0, false);
                destination.migrateIncoming("tcp:127.0.0.1:0");
                guest.enter(RunState.RUNNING);
                Migration outgoing =
                        send(
                                guest,
                                destination,
                                settings(0, true).parameter("silence-timeout", "2000"));
                assertThat(catchThrowableOfType(MigrationException.class, outgoing::await))
                        .hasMessageContaining("is switchover-ack set there too?");
                assertThat(outgoing.owner()).isEqualTo(GuestOwner.SOURCE);
                assertThat(guest.runState()).isEqualTo(RunState.RUNNING);
                assertThat(outgoing.statistics().downtime()).as("never paused").isZero();
            }
        }
    }

    /** Takes a running guest over; returns what it had written to its serial port. */
    private String fetch(ArchiveMachine archive, int channels, boolean ack, Settings settings)
            throws Exception {
        try (Qemu source = builder.start()) {
            source.awaitSerial(5 * LINE, SOON);
            set(source, channels, ack);
            Migration incoming = engine.receive(archive, "tcp:127.0.0.1:0", settings);
            source.migrate(incoming.address().toString());
            incoming.await();
            source.awaitMigration(SOON);
            return source.serial();
        }
    }

    private Migration send(RunningArchive guest, Qemu destination, Settings settings)
            throws Exception {
        return engine.send(guest, "tcp:127.0.0.1:" + destination.incomingPort(), settings);
    }
}
