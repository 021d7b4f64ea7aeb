package org.vmferry.it.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;

/** The driver itself: what other tests take for granted when they call a QEMU their referee. */
@RequiresQemu
class QemuTest {
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final int MIB = 1 << 20;
    private static final int RAM = 64 * MIB;
    private static final int LINE = 9;

    private static final GuestRom BUSY =
            GuestRom.counting().fill(2 * MIB, 8 * MIB).dirty(16 * MIB, 4 * MIB);

    @TempDir Path folder;

    @Test
    void theGuestCountsAndHasFilledItsMemory() throws IOException {
        GuestRom rom = BUSY.recheck();
        try (Qemu qemu = Qemu.builder().machine("q35").rom(rom).start()) {
            String serial = qemu.awaitSerial(20 * LINE, SOON);
            assertThat(GuestRom.lastCount(serial)).isGreaterThan(10);

            qemu.stop();
            assertThat(qemu.status()).isEqualTo("paused");
            byte[] ram = qemu.memory(0, RAM);
            for (int page = MIB; page < 12 * MIB; page += 4096) {
                assertThat(Arrays.copyOfRange(ram, page, page + 4096))
                        .as("page 0x%x", page)
                        .isEqualTo(rom.filledPage(page));
            }
            qemu.cont();
            qemu.awaitSerial(LINE, SOON);
            qemu.quit();
        }
    }

    @Test
    void theGuestFindsItsMemoryChanged() throws IOException {
        Path ram = folder.resolve("ram");
        GuestRom rom = BUSY.recheck();
        try (Qemu qemu = Qemu.builder().ramFile(ram).rom(rom).start()) {
            qemu.awaitSerial(5 * LINE, SOON);
            try (var file = FileChannel.open(ram, StandardOpenOption.WRITE)) {
                file.write(ByteBuffer.wrap(new byte[] {'!'}), 3 * MIB + 123);
            }
            qemu.awaitSerial("BAD 00300000\n", SOON);
            assertThatExceptionOfType(AssertionError.class)
                    .isThrownBy(() -> GuestRom.lastCount(qemu.serial()))
                    .withMessageContaining("BAD 00300000");
        }
    }

    @Test
    void aPausedGuestSurvivesInAMappedRamFile() throws IOException {
        Path file = folder.resolve("vm");
        try (Qemu source = Qemu.builder().rom(BUSY).start();
                Qemu destination = Qemu.builder().rom(BUSY).incoming().start()) {
            source.awaitSerial(5 * LINE, SOON);
            source.stop();
            source.setCapabilities("mapped-ram");
            source.migrate("file:" + file);
            assertThat(source.awaitMigration(SOON)).containsKey("total-time");

            destination.setCapabilities("mapped-ram");
            destination.migrateIncoming("file:" + file);
            destination.awaitMigration(SOON);
            destination.awaitStatus("paused", SOON);

            assertThat(destination.memory(0, RAM)).isEqualTo(source.memory(0, RAM));
            destination.cont();
            String more = destination.awaitSerial(5 * LINE, SOON);
            GuestRom.lastCount(source.serial() + more);
        }
    }

    @Test
    void aRunningGuestMovesOverTcp() throws IOException {
        try (Qemu source = Qemu.builder().machine("q35").rom(BUSY.blink()).start();
                Qemu destination = Qemu.builder().machine("q35").incoming().start()) {
            destination.setCapabilities("return-path");
            destination.migrateIncoming("tcp:127.0.0.1:0");
            move(source, destination, "tcp:127.0.0.1:" + destination.incomingPort());
        }
    }

    @Test
    void severalBlocksMoveOverUnixSockets() throws IOException {
        var three = Qemu.builder().memory(96).blocks(3);
        GuestRom rom = GuestRom.counting().dirty(30 * MIB, 40 * MIB);
        try (Qemu source = three.rom(rom).start();
                Qemu destination = three.incoming().start()) {
            String blocks =
                    (String)
                            source.execute(
                                    "human-monitor-command",
                                    Map.of("command-line", "info ramblock"));
            assertThat(blocks).contains("ram0", "ram1", "ram2").doesNotContain("pc.ram");
            String uri = "unix:" + folder.resolve("socket");
            destination.setCapabilities("return-path", "multifd");
            source.setCapabilities("multifd");
            destination.migrateIncoming(uri);
            move(source, destination, uri);
        }
    }

    private static void move(Qemu source, Qemu destination, String uri) throws IOException {
        source.awaitSerial(5 * LINE, SOON);
        source.setCapabilities("return-path");
        source.setParameters(Map.of("max-bandwidth", 0, "downtime-limit", 1000));
        source.migrate(uri);
        source.awaitMigration(SOON);
        assertThat(source.status()).isEqualTo("postmigrate");
        destination.awaitStatus("running", SOON);
        GuestRom.lastCount(source.serial() + destination.awaitSerial(5 * LINE, SOON));
    }

    @Test
    void aFailedLoadTellsWhy() throws IOException {
        Path file = Files.write(folder.resolve("vm"), new byte[100]);
        try (Qemu destination = Qemu.builder().incoming().start()) {
            destination.migrateIncoming("file:" + file);
            assertThatExceptionOfType(MigrationFailedException.class)
                    .isThrownBy(() -> destination.awaitMigration(SOON))
                    .withMessageContaining("failed");
            assertThat(destination.process().isAlive()).isTrue();
        }
    }

    @Test
    void devicesCanBeSavedAlone() throws IOException {
        try (Qemu qemu = Qemu.builder().paused().start()) {
            Path file = folder.resolve("devices");
            qemu.saveDevices(file);
            assertThat(Files.readAllBytes(file)).startsWith('Q', 'E', 'V', 'M', 0, 0, 0, 3);
        }
    }

    @Test
    void aQemuThatDoesNotStartTellsWhy() {
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> Qemu.builder().machine("abacus").start())
                .withMessageContaining("exited with 1")
                .withMessageContaining("abacus");
    }

    @Test
    void closingKillsAndTidiesUp() throws IOException {
        Qemu qemu = Qemu.builder().start();
        qemu.close();
        assertThat(qemu.process().isAlive()).isFalse();
        assertThat(qemu.folder()).doesNotExist();
        assertThatExceptionOfType(IOException.class).isThrownBy(qemu::status);
        qemu.close();
    }

    @Test
    void qmpHasErrorsEventsAndDeadlines() throws IOException {
        try (Qemu qemu = Qemu.builder().start()) {
            assertThat(qemu.qmp().version()).startsWith(qemu.binary().major() + ".");
            assertThatExceptionOfType(QmpException.class)
                    .isThrownBy(() -> qemu.execute("no-such-thing", Map.of()))
                    .matches(e -> e.errorClass().equals("CommandNotFound"))
                    .withMessageContaining("no-such-thing");
            qemu.stop();
            qemu.cont();
            assertThat(qemu.qmp().awaitEvent("RESUME", SOON).data()).isEmpty();
            assertThat(qemu.qmp().takeEvents()).extracting(QmpEvent::name).containsExactly("STOP");
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> qemu.qmp().awaitEvent("NEVER", Duration.ofMillis(20)))
                    .withMessageContaining("NEVER");
        }
    }

    @Test
    @RequiresQemu(old = true)
    void theOldQemuRunsTheGuestAndHandsItToTheNewOne() throws IOException {
        var builder = Qemu.builder().machine("pc-i440fx-7.2").rom(BUSY);
        try (Qemu source = builder.binary(QemuBinary.old().orElseThrow()).start();
                Qemu destination =
                        builder.binary(QemuBinary.current().orElseThrow()).incoming().start()) {
            assertThat(source.qmp().version()).startsWith("7.2.");
            String uri = "unix:" + folder.resolve("socket");
            destination.migrateIncoming(uri);
            move(source, destination, uri);
        }
    }
}
