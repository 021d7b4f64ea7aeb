package org.vmferry.it.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.Inspection;
import org.vmferry.it.qemu.GuestRom;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.QemuBuilder;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Commands;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** A QEMU that leaves its shared RAM out: what is kept of it says so, and is no zeros. */
@RequiresQemu
@Tag("RAM-10")
@Tag("TRL-7")
class IgnoreSharedQemuTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int MIB = 1 << 20;
    private static final int LINE = 9;

    private static final GuestRom GUEST = GuestRom.counting().fill(2 * MIB, 4 * MIB);

    @TempDir Path folder;
    private Commands said;

    private int run(Object... arguments) {
        said = new Commands();
        return said.run(arguments);
    }

    private QemuBuilder qemu() {
        return Qemu.builder().ramFile(folder.resolve("ram")).rom(GUEST);
    }

    /** Saves a guest without its RAM, which stays in a file; returns what it has printed. */
    private String save(Path stream) throws IOException {
        try (Qemu source = qemu().start()) {
            source.awaitSerial(5 * LINE, SOON);
            source.setCapabilities("x-ignore-shared");
            source.setParameters(Map.of("max-bandwidth", 0));
            source.migrate("file:" + stream);
            source.awaitMigration(SOON);
            return source.serial();
        }
    }

    private void assertMissed(Path file) throws IOException {
        assertThat(run("verify", file)).as(said.err()).isEqualTo(3);
        assertThat(said.out()).contains("sound", "the RAM of block 'pc.ram' (64 MiB)");
        assertThat(said.out()).hasLineCount(2); // no other block
        Path raw = folder.resolve("raw");
        assertThat(run("extract", file, "--block", "pc.ram", "-o", raw)).isEqualTo(1);
        assertThat(said.err()).contains("block 'pc.ram' is not in");
        assertThat(run("extract", file, "--block", "pc.ram", "-o", raw, "--rescue")).isEqualTo(1);
        assertThat(said.err()).contains("block 'pc.ram' is not in");
        assertThat(raw).doesNotExist();
        assertThat(run("extract", file, "--block", "pc.bios", "-o", raw)).isZero();
        assertThat(raw).hasBinaryContent(GUEST.image());
        Files.delete(raw);
    }

    /** Not even where the devices can't be told apart, so that nobody reads what is said behind. */
    private void assertIsNeverZeros(Path kept) throws IOException {
        byte[] all = Files.readAllBytes(kept);
        int name = new String(all, StandardCharsets.ISO_8859_1).lastIndexOf("\"vmmouse\"");
        all[name + 1] = 'V';
        Path broken = Files.write(folder.resolve("broken"), all);
        Path raw = folder.resolve("raw");
        assertThat(run("extract", broken, "--block", "pc.ram", "-o", raw)).isEqualTo(1);
        assertThat(said.err()).contains("block 'pc.ram' is not in");
        assertThat(raw).doesNotExist();
        Files.delete(broken);
    }

    @Test
    @Tag("OWN-30")
    void theGuestGoesOnOnlyWhereItsRamIs() throws Exception {
        Path stream = folder.resolve("vm.stream");
        String before = save(stream);
        Path kept = folder.resolve("vm.snap");
        Path again = folder.resolve("again.stream");
        assertThat(run("receive", "file:" + stream, "-o", kept, "-c", "x-ignore-shared"))
                .as(said.err())
                .isZero();
        assertThat(run("convert", kept, again, "--format", "stream")).isZero();
        for (Path file : new Path[] {stream, kept, again}) assertMissed(file);
        assertIsNeverZeros(kept);

        String socket = "unix:" + folder.resolve("socket");
        try (Qemu destination = qemu().incoming().start()) {
            destination.setCapabilities("x-ignore-shared");
            destination.migrateIncoming(socket);
            assertThat(run("send", kept, socket)).isEqualTo(1);
            assertThat(said.err()).contains("block 'pc.ram'", "Set x-ignore-shared");
            assertThat(run("send", kept, socket, "-c", "x-ignore-shared")).as(said.err()).isZero();
            destination.awaitMigration(SOON);
            GuestRom.lastCount(before + destination.awaitSerial(5 * LINE, SOON));
        }
        try (Qemu destination = qemu().incoming().start()) {
            destination.setCapabilities("x-ignore-shared");
            destination.migrateIncoming("file:" + again);
            destination.awaitMigration(SOON);
        }
    }

    /** A QEMU 10.0 writes guest addresses before the headers, and then can't load the file. */
    @Test
    @Tag("MAP-18")
    void bothCapabilitiesAreReadWhereNothingIsShared() throws Exception {
        Path pair = folder.resolve("pair");
        QemuBuilder builder = Qemu.builder().memory(16).blocks(2).rom(GUEST).paused();
        try (Qemu source = builder.start()) {
            source.setCapabilities("x-ignore-shared", "mapped-ram");
            source.migrate("file:" + pair);
            source.awaitMigration(SOON);
        }
        assertThat(run("verify", pair)).as(said.err()).isZero();
        assertThat(run("inspect", pair)).isZero();
        assertThat(said.out()).contains("x-ignore-shared, mapped-ram");
        Path raw = folder.resolve("raw");
        assertThat(run("extract", pair, "--block", "pc.bios", "-o", raw)).isZero();
        assertThat(raw).hasBinaryContent(GUEST.image());
        for (String format : new String[] {"mapped-ram", "stream"}) {
            Path file = folder.resolve(format);
            assertThat(run("convert", pair, file, "--format", format)).as(said.err()).isZero();
            try (Qemu destination = builder.incoming().start()) {
                if (format.equals("mapped-ram")) destination.setCapabilities(format);
                destination.migrateIncoming("file:" + file);
                destination.awaitMigration(SOON);
            }
        }
    }

    /** No block of its own is missed, whoever brings its pages. */
    @ParameterizedTest
    @CsvSource({"multifd,multifd", "multifd,legacy", "events,multifd"})
    void overChannelsItIsSeenToo(String capability, String zeroPages) throws Exception {
        Engine engine = Engine.create();
        Settings settings = Settings.NONE.capability("x-ignore-shared").capability(capability);
        try (Qemu source = qemu().start();
                ArchiveMachine archive = ArchiveMachine.in(folder)) {
            source.setCapabilities("x-ignore-shared", capability);
            source.setParameters(Map.of("max-bandwidth", 0, "zero-page-detection", zeroPages));
            Migration load = engine.receive(archive, "unix:" + folder.resolve("socket"), settings);
            source.migrate(load.address().toString());
            load.await();
            source.awaitMigration(SOON);
            assertThat(archive.missing()).containsExactly("pc.ram");
            Path kept = folder.resolve("kept");
            engine.send(archive, "file:" + kept, Settings.NONE.capability("x-ignore-shared"))
                    .await();
            assertThat(engine.inspect("file:" + kept).blocks().stream())
                    .filteredOn(Inspection.Block::missing)
                    .extracting(Inspection.Block::id)
                    .containsExactly("pc.ram");
        }
    }
}
