package org.vmferry.it.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.qemu.GuestRom;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.QmpClient;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Archives;
import org.vmferry.it.support.Commands;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/** What a real QEMU seldom does, but does. */
@RequiresQemu
class OddButRealQemuTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int MIB = 1 << 20;

    @TempDir Path folder;

    private static void awaitXbzrle(Qemu source) throws IOException {
        long end = System.nanoTime() + SOON.toNanos();
        while (true) {
            Map<String, Object> now = source.migration();
            Object cache = now.get("xbzrle-cache");
            if (cache != null && (Long) QmpClient.object(cache).get("pages") > 100) return;
            assertThat(System.nanoTime()).as("no XBZRLE page came: %s", now).isLessThan(end);
            assertThat(now.get("status")).isNotEqualTo("completed");
            LockSupport.parkNanos(200_000);
        }
    }

    @Test
    @Tag("RAM-11")
    void xbzrle() throws Exception {
        Path file = folder.resolve("qemu.save");
        GuestRom rom = GuestRom.counting().fill(2 * MIB, MIB).dirty(8 * MIB, 16 * MIB).spin(1000);
        try (Qemu source = Qemu.builder().memory(32).rom(rom).start()) {
            source.awaitSerial("00000003", SOON);
            source.setCapabilities("xbzrle");
            source.setParameters(Map.of("max-bandwidth", 64 * MIB, "downtime-limit", 1));
            source.migrate("file:" + file);
            awaitXbzrle(source);
            source.setParameters(Map.of("max-bandwidth", 0, "downtime-limit", 100_000));
            source.awaitMigration(SOON);
            byte[] ram = source.memory(0, 32 * MIB);
            Arrays.fill(ram, 0xf0000, 0x100000, (byte) 0);

            Commands.ending(0, "verify", file);
            Path raw = folder.resolve("raw");
            Commands.ending(0, "extract", file, "--block", "pc.ram", "-o", raw);
            assertThat(Arrays.mismatch(Files.readAllBytes(raw), ram)).isEqualTo(-1);
            Path converted = folder.resolve("converted");
            Commands.ending(0, "convert", file, converted, "--format", "mapped-ram");
            Files.delete(raw);
            Commands.ending(0, "extract", converted, "--block", "pc.ram", "-o", raw);
            assertThat(Arrays.mismatch(Files.readAllBytes(raw), ram)).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @CsvSource({"pc-i440fx-10.0", "pc-i440fx-9.2"})
    @Tag("STR-6")
    void postcopyThatWasOnlyAnnounced(String machine) throws Exception {
        Settings settings = Settings.NONE.capability("return-path");
        Engine engine = Engine.create();
        try (Qemu source =
                        Qemu.builder()
                                .machine(machine)
                                .memory(8)
                                .rom(GuestRom.counting().fill(2 * MIB, MIB))
                                .start();
                ArchiveMachine archive = ArchiveMachine.in(folder)) {
            source.awaitSerial("00000003", SOON);
            source.setCapabilities("postcopy-ram");
            var load = engine.receive(archive, "unix:" + folder.resolve("socket"), settings);
            source.migrate("unix:" + folder.resolve("socket"));
            source.awaitMigration(SOON);
            load.await();
            assertThat(Archives.mismatch(archive, source.memory(0, 8 * MIB))).isEqualTo(-1);
        }
    }

    /** A guest in this state no QEMU loads; with one that nobody knows it is as good. */
    @ParameterizedTest
    @CsvSource({"debug", "save-vm", "restore-vm", "colo", "watchdog", "some-new-state"})
    @Tag("STR-11")
    void anyRunStateIsKept(String state) throws Exception {
        Path file = folder.resolve("qemu.save");
        try (Qemu source = Qemu.builder().memory(8).paused().start()) {
            source.migrate("file:" + file);
            source.awaitMigration(SOON);
        }
        String bytes = Files.readString(file, StandardCharsets.ISO_8859_1);
        String before = "\0\0\0\12prelaunch";
        assertThat(bytes).containsOnlyOnce(before);
        String after = "\0\0\0" + (char) (state.length() + 1) + state;
        String pad = "\0".repeat(Math.abs(before.length() - after.length()));
        bytes =
                after.length() < before.length()
                        ? bytes.replace(before, after + pad)
                        : bytes.replace(before + pad, after);
        Files.writeString(file, bytes, StandardCharsets.ISO_8859_1);
        for (String format : new String[] {"mapped-ram", "stream"}) {
            Path converted = folder.resolve(format);
            Commands.ending(0, "convert", file, converted, "--format", format);
            assertThat(Commands.ending(0, "inspect", converted, "--device", "globalstate").out())
                    .contains("'" + state + "'");
            Commands.ending(0, "verify", converted);
        }
        // Back in the first format it is the same, but for the trailer.
        byte[] again = Files.readAllBytes(folder.resolve("stream"));
        assertThat(new String(again, StandardCharsets.ISO_8859_1)).contains(after);
    }

    /** As gdb does it: one instruction, after which the guest stands in its debugger. */
    private static void step(SocketChannel gdb) throws IOException {
        gdb.write(ByteBuffer.wrap("+$s#73".getBytes(StandardCharsets.US_ASCII)));
        ByteBuffer said = ByteBuffer.allocate(1000);
        String all = "";
        while (!all.matches("(?s).*\\$T05[^#]*#..")) {
            assertThat(gdb.read(said)).as(all).isPositive();
            all = new String(said.array(), 0, said.position(), StandardCharsets.US_ASCII);
        }
    }

    @Test
    @Tag("STR-11")
    void aSnapshotInADebugger() throws Exception {
        Path socket = folder.resolve("gdb");
        Path file = folder.resolve("qemu.save");
        byte[] ram;
        try (Qemu source =
                        Qemu.builder()
                                .memory(8)
                                .rom(GuestRom.counting().fill(2 * MIB, MIB))
                                .options("-gdb", "unix:" + socket + ",server=on,wait=off")
                                .start();
                SocketChannel gdb = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            source.awaitSerial("00000002", SOON);
            gdb.connect(UnixDomainSocketAddress.of(socket));
            step(gdb);
            assertThat(source.status()).isEqualTo("debug");
            ram = source.memory(0, 8 * MIB);
            Arrays.fill(ram, 0xf0000, 0x100000, (byte) 0);
            source.migrate("file:" + file);
            source.awaitMigration(SOON);
        }
        assertThat(Commands.ending(0, "inspect", file, "--device", "globalstate").out())
                .contains("'debug'");
        Commands.ending(0, "verify", file);
        Path raw = folder.resolve("raw");
        Commands.ending(0, "extract", file, "--block", "pc.ram", "-o", raw);
        assertThat(Arrays.mismatch(Files.readAllBytes(raw), ram)).isEqualTo(-1);
    }

    @Test
    void namesOf240Bytes() throws Exception {
        String name = "n".repeat(240);
        Path file = folder.resolve("qemu.save");
        byte[] ram;
        try (Qemu source =
                Qemu.builder()
                        .machine("pc,memory-backend=" + name)
                        .memory(8)
                        .rom(GuestRom.counting().fill(2 * MIB, MIB))
                        .options("-object", "memory-backend-ram,size=8M,id=" + name)
                        .start()) {
            source.awaitSerial("00000002", SOON);
            source.stop();
            ram = source.memory(0, 8 * MIB);
            Arrays.fill(ram, 0xf0000, 0x100000, (byte) 0);
            source.migrate("file:" + file);
            source.awaitMigration(SOON);
        }
        Path converted = folder.resolve("converted");
        Path raw = folder.resolve("raw");
        Commands.ending(0, "convert", file, converted, "--format", "mapped-ram");
        Commands.ending(0, "extract", converted, "--block", name, "-o", raw);
        assertThat(Arrays.mismatch(Files.readAllBytes(raw), ram)).isEqualTo(-1);
        assertThat(Commands.ending(0, "inspect", converted).out()).contains(name);
    }
}
