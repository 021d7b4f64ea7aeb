package org.vmferry.it.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.it.qemu.GuestRom;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Archives;
import org.vmferry.it.support.Leftovers;
import org.vmferry.spi.machine.RunState;

import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** A real QEMU connects with another number of channels, or beside strangers. */
@RequiresQemu
class ArrivalsQemuTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int LINE = 9;
    private static final int RAM = 64 << 20;

    @TempDir Path folder;
    private final Engine engine = Engine.create();

    @AfterEach
    void noThreadIsLeft() throws Exception {
        Leftovers.assertNoThreads();
    }

    private static void set(Qemu qemu, int channels, int bandwidth) throws Exception {
        qemu.setCapabilities("multifd", "return-path");
        qemu.setParameters(Map.of("multifd-channels", channels, "max-bandwidth", bandwidth));
    }

    private static Settings channels(int count) {
        return Settings.NONE
                .capability("multifd")
                .parameter("multifd-channels", "" + count)
                .parameter("connect-timeout", "2000");
    }

    private static Qemu running() throws Exception {
        Qemu qemu = Qemu.builder().rom(GuestRom.counting().fill(2 << 20, 16 << 20)).start();
        qemu.awaitSerial(5 * LINE, SOON);
        return qemu;
    }

    @ParameterizedTest(name = "{0} to {1}")
    @CsvSource({"4, 2", "3, 1", "8, 4", "1, 2", "2, 4"})
    @Tag("ARR-4")
    @Tag("ARR-5")
    @Tag("OWN-22")
    void otherCountsFailBothAndTheGuestRunsOn(int there, int here) throws Exception {
        try (Qemu source = running();
                ArchiveMachine archive = ArchiveMachine.in(folder)) {
            // Still in its rounds when it is refused: QEMU 10.0 may hang for good, monitor and
            // guest with it, where a
            // channel breaks while it completes, whoever its destination is (docs/operations.md).
            set(source, there, 1 << 20);
            Migration incoming = engine.receive(archive, "tcp:127.0.0.1:0", channels(here));
            source.migrate(incoming.address().toString());
            assertThat(incoming.await(SOON)).as("it ends").isTrue();
            assertThat(incoming.state()).isEqualTo(MigrationState.FAILED);
            assertThat(incoming.failure().orElseThrow()).hasMessageContaining("multifd-channels");
            assertThat(archive.runState()).isEqualTo(RunState.INMIGRATE);
            source.awaitMigration("failed", SOON);
            source.awaitStatus("running", SOON);
            GuestRom.lastCount(source.awaitSerial(5 * LINE, SOON));
        }
    }

    @Test
    @Tag("ARR-3")
    @Tag("OWN-24")
    void strangersBesideAQemu() throws Exception {
        try (Qemu source = running();
                ArchiveMachine archive = ArchiveMachine.in(folder)) {
            set(source, 2, 0);
            Migration incoming = engine.receive(archive, "tcp:127.0.0.1:0", channels(2));
            String address = incoming.address().target();
            int port = Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
            InetAddress here = InetAddress.getLoopbackAddress();
            try (Socket get = new Socket(here, port);
                    Socket one = new Socket(here, port);
                    Socket silent = new Socket(here, port)) {
                get.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes());
                one.getOutputStream().write(1);
                one.close();
                source.stop();
                source.migrate(incoming.address().toString());
                incoming.await();
                assertThat(silent.getInputStream().read()).as("it is let go").isEqualTo(-1);
            }
            source.awaitMigration("completed", SOON);
            assertThat(Archives.mismatch(archive, source.memory(0, RAM))).isEqualTo(-1);
        }
    }
}
