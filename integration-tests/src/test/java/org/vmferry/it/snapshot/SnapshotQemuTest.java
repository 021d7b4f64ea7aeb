package org.vmferry.it.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmferry.cli.Main;
import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.report.Inspection;
import org.vmferry.it.qemu.GuestRom;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.QemuBuilder;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Archives;
import org.vmferry.spi.machine.SectionStore;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Snapshots that a real QEMU wrote are read, and those that it gets back it runs on from. */
@RequiresQemu
class SnapshotQemuTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int MIB = 1 << 20;
    private static final int RAM = 64 * MIB;
    private static final int LINE = 9;

    /** In the CPU's view the BIOS lies over these bytes of pc.ram. */
    private static final int BIOS_FROM = 0xf0000, BIOS_TO = 0x100000;

    private static final GuestRom GUEST = GuestRom.counting().fill(2 * MIB, 8 * MIB);

    /** How the QEMU saves. */
    enum Saved {
        PLAIN_STREAM("pc", "", 0, false),
        SINGLE("pc", "mapped-ram", 0, false),
        Q35("q35", "mapped-ram", 0, false),
        MULTIFD("pc", "mapped-ram multifd", 0, false),
        MULTIFD_DIRECT("pc", "mapped-ram multifd direct-io", 0, false),
        AT_OFFSET("pc", "mapped-ram", 12345, false),
        LIVE("pc", "mapped-ram", 0, true);

        final String machine;
        final List<String> words;
        final int offset;
        final boolean live;

        Saved(String machine, String words, int offset, boolean live) {
            this.machine = machine;
            this.words = words.isEmpty() ? List.of() : List.of(words.split(" "));
            this.offset = offset;
            this.live = live;
        }

        /** Where the stream begins in a file. */
        String uri(Path file) {
            return "file:" + file + (offset > 0 ? ",offset=" + offset : "");
        }
    }

    @TempDir Path folder;

    @ParameterizedTest(name = "{0}")
    @EnumSource
    @Tag("MAP-1")
    @Tag("STR-9")
    void goesThroughUsAndComesBack(Saved saved) throws Exception {
        GuestRom rom = saved.live ? GUEST.dirty(16 * MIB, 8 * MIB).blink() : GUEST;
        QemuBuilder builder = Qemu.builder().machine(saved.machine).rom(rom);
        Path file = folder.resolve("qemu.save");
        try (Qemu source = builder.start()) {
            source.awaitSerial(5 * LINE, SOON);
            save(source, saved, file);
            Path snapshot = saved.offset == 0 ? file : tail(file, saved.offset);
            byte[] ram = source.memory(0, RAM);

            run("verify", snapshot.toString());
            checkExtracts(saved, snapshot, source, rom, ram);
            for (String format : List.of("mapped-ram", "stream")) {
                Path converted = folder.resolve("converted." + format);
                run("convert", snapshot.toString(), converted.toString(), "--format", format);
                assertSameMachine(saved.uri(snapshot), "file:" + converted);
                loads(builder, converted, format, ram, source.serial(), saved.live);
                Files.delete(converted);
            }
        }
    }

    private static void save(Qemu source, Saved saved, Path file) throws IOException {
        if (!saved.live) source.stop();
        source.setParameters(Map.of("max-bandwidth", 0));
        List<String> capabilities = new ArrayList<>(saved.words);
        if (capabilities.remove("direct-io")) source.setParameters(Map.of("direct-io", true));
        if (!capabilities.isEmpty()) source.setCapabilities(capabilities.toArray(String[]::new));
        if (saved.offset > 0) Files.write(file, new byte[saved.offset]);
        source.migrate(saved.uri(file));
        source.awaitMigration(SOON);
    }

    /**
     * A file whose stream begins at an offset is what libvirt keeps: its header, here of our
     * making, says where.
     */
    private Path tail(Path file, int offset) throws IOException {
        try (var channel =
                java.nio.channels.FileChannel.open(file, java.nio.file.StandardOpenOption.WRITE)) {
            ByteBuffer header = ByteBuffer.allocate(92).order(java.nio.ByteOrder.LITTLE_ENDIAN);
            header.put("LibvirtQemudSave".getBytes(StandardCharsets.US_ASCII));
            header.putInt(2).putInt(offset - 92).putInt(0).putInt(6).rewind();
            channel.write(header, 0);
        }
        return file;
    }

    private void checkExtracts(Saved saved, Path snapshot, Qemu source, GuestRom rom, byte[] ram)
            throws Exception {
        for (Inspection.Block block : Engine.create().inspect(saved.uri(snapshot)).blocks()) {
            Path out = folder.resolve("block");
            run("extract", snapshot.toString(), "--block", block.id(), "-o", out.toString());
            byte[] bytes = Files.readAllBytes(out);
            assertThat(bytes).hasSize((int) block.usedLength());
            if (block.id().equals("pc.ram")) {
                byte[] seen = ram.clone();
                Arrays.fill(seen, BIOS_FROM, BIOS_TO, (byte) 0);
                assertThat(Arrays.mismatch(bytes, seen)).isEqualTo(-1);
            } else if (block.id().equals("pc.bios")) {
                assertThat(bytes).isEqualTo(rom.image());
                assertThat(bytes)
                        .isEqualTo(
                                source.memory(0x1_0000_0000L - GuestRom.LENGTH, GuestRom.LENGTH));
            }
            Files.delete(out);
        }
    }

    private void loads(
            QemuBuilder builder,
            Path file,
            String format,
            byte[] ram,
            String before,
            boolean running)
            throws IOException {
        try (Qemu destination = builder.incoming().start()) {
            if (format.equals("mapped-ram")) destination.setCapabilities("mapped-ram");
            // A guest that was saved running would run on before its memory can be seen.
            if (running) destination.stop();
            destination.migrateIncoming("file:" + file);
            destination.awaitMigration(SOON);
            if (!running) {
                destination.awaitStatus("paused", SOON);
                assertThat(Arrays.mismatch(destination.memory(0, RAM), ram)).isEqualTo(-1);
                destination.cont();
            } else {
                assertThat(Arrays.mismatch(destination.memory(0, RAM), ram)).isEqualTo(-1);
                destination.cont();
            }
            GuestRom.lastCount(before + destination.awaitSerial(5 * LINE, SOON));
        }
    }

    private void assertSameMachine(String left, String right) throws Exception {
        Engine engine = Engine.create();
        try (var one = ArchiveMachine.in(folder);
                var two = ArchiveMachine.in(folder)) {
            Archives.receive(engine, one, left);
            Archives.receive(engine, two, right);
            SectionStore first = one.sections();
            SectionStore second = two.sections();
            assertThat(second.configuration().machine()).isEqualTo(first.configuration().machine());
            assertThat(described(second)).isEqualTo(described(first));
            List<SectionStore.Section> wanted = new ArrayList<>();
            first.sections().forEach(wanted::add);
            List<SectionStore.Section> got = new ArrayList<>();
            second.sections().forEach(got::add);
            assertThat(wanted).hasSizeGreaterThan(20);
            assertThat(got).isEqualTo(wanted);
        }
    }

    /** All but the configuration, which is each stream's own: DescriptionTest has that. */
    private static String described(SectionStore store) throws IOException {
        String json = new String(store.description(), StandardCharsets.UTF_8);
        return json.substring(json.indexOf("\"page_size\""));
    }

    @Test
    void aRefusalOfTheRealOneIsSeen() throws Exception {
        // The checks above mean something only if a QEMU does refuse what is wrong.
        Path file = folder.resolve("qemu.save");
        try (Qemu source = Qemu.builder().rom(GUEST).start()) {
            source.awaitSerial(LINE, SOON);
            save(source, Saved.SINGLE, file);
        }
        Path converted = folder.resolve("converted");
        run("convert", file.toString(), converted.toString(), "--format", "stream");
        byte[] bytes = Files.readAllBytes(converted);
        bytes[4 + 4 + 1 + 4] ^= 1; // the machine's name
        Files.write(converted, bytes);
        try (Qemu destination = Qemu.builder().rom(GUEST).incoming().start()) {
            destination.migrateIncoming("file:" + converted);
            org.assertj.core.api.Assertions.assertThatException()
                    .isThrownBy(() -> destination.awaitMigration(SOON));
        }
    }

    private static void run(String... arguments) {
        StringWriter err = new StringWriter();
        int exit =
                Main.commandLine()
                        .setOut(new PrintWriter(new StringWriter()))
                        .setErr(new PrintWriter(err))
                        .execute(arguments);
        assertThat(exit).as("%s: %s", String.join(" ", arguments), err).isZero();
    }
}
