package org.vmferry.it.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.json.Json;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.Inspection;
import org.vmferry.it.qemu.GuestRom;
import org.vmferry.it.support.Commands;
import org.vmferry.it.support.DescribedStream;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore.Fact;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/**
 * Snapshots that releases have written, kept in the tree: every later version reads them. A release
 * that writes anything differently adds a folder ({@link GoldenMachine#main}), and changes none.
 */
class GoldenFilesTest {

    @TempDir Path folder;

    private Path golden(Path packed) throws IOException {
        Path file = folder.resolve(name(packed));
        try (InputStream bytes = new GZIPInputStream(Files.newInputStream(packed))) {
            Files.copy(bytes, file);
        }
        return file;
    }

    private static String name(Path packed) {
        return packed.getFileName().toString().replace(".gz", "");
    }

    /** Of all releases. */
    private static List<Path> files() throws Exception {
        Path releases = Path.of(GoldenFilesTest.class.getResource("/golden").toURI());
        try (Stream<Path> all = Files.walk(releases)) {
            return all.filter(file -> file.toString().endsWith(".gz")).sorted().toList();
        }
    }

    static Stream<Path> hosts() throws Exception {
        return files().stream().filter(file -> GoldenMachine.HOSTS.containsKey(name(file)));
    }

    static Stream<Path> qemus() throws Exception {
        return files().stream().filter(file -> GoldenMachine.QEMUS.contains(name(file)));
    }

    private static void loads(Path file, List<String> capabilities) throws Exception {
        GoldenMachine machine = new GoldenMachine();
        Settings settings = Settings.NONE;
        for (String name : capabilities) settings = settings.capability(name);
        Engine.create().receive(machine, "file:" + file, settings).await();
        assertThat(machine.state).isEqualTo(RunState.GUEST_PANICKED);
        for (int i = 0; i < machine.ram.length; i++) {
            if (machine.ram[i] != GoldenMachine.ram(i)) {
                assertThat(machine.ram[i]).as("byte %d", i).isEqualTo(GoldenMachine.ram(i));
            }
        }
        assertThat(machine.ram[0]).isEqualTo((byte) 1);
        assertThat(machine.ram[GoldenMachine.PAGE + 64]).isEqualTo((byte) 3);
        for (int i = 0; i < GoldenMachine.PAGE; i++) {
            assertThat(machine.rom[i]).isEqualTo((byte) ~i);
        }
        assertThat(machine.device.number).isEqualTo(Long.MIN_VALUE + 5);
        assertThat(machine.device.text).isEqualTo("Grüße");
    }

    @ParameterizedTest
    @MethodSource("hosts")
    void aHostLoadsItsOwn(Path packed) throws Exception {
        Path file = golden(packed);
        List<String> capabilities = GoldenMachine.HOSTS.get(name(packed));
        loads(file, capabilities);

        Inspection inspection =
                Engine.create().inspect("file:" + file, cancel -> {}, device -> true);
        assertThat(inspection.machine()).isEqualTo("golden-1");
        assertThat(inspection.pageSize()).isEqualTo(4096);
        assertThat(inspection.damage()).isEmpty();
        assertThat(inspection.facts())
                .contains(new Fact("uuid", "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"))
                .anyMatch(f -> f.key().equals("writer") && f.value().startsWith("vmferry "));
        assertThat(inspection.blocks().stream().map(b -> b.id() + " " + b.usedLength()))
                .containsExactly("golden.ram 163840", "/rom@golden 4096");
        assertThat(inspection.blocks().getFirst().present().cardinality()).isEqualTo(27);
        assertThat(inspection.devices())
                .containsExactly(
                        new Inspection.Device("golden-device", 2, 3, 4 + 8 + 2 + 7),
                        new Inspection.Device("globalstate", 0, 1, 104));
        DescribedStream.check(file);

        // And what is made of it is read the same.
        for (String format : List.of("stream", "mapped-ram")) {
            Path converted = folder.resolve("converted");
            convert(file, converted, format);
            loads(converted, format.equals("stream") ? List.of() : List.of("mapped-ram"));
            Files.delete(converted);
        }
    }

    private static void convert(Path from, Path to, String format) {
        Commands command = new Commands();
        assertThat(command.run("convert", from, to, "--format", format)).as(command.err()).isZero();
    }

    @ParameterizedTest
    @MethodSource("qemus")
    void aQemusMachineIsWhole(Path packed) throws Exception {
        Path file = golden(packed);
        check(file);
        for (String format : List.of("stream", "mapped-ram")) {
            Path converted = folder.resolve("converted");
            convert(file, converted, format);
            check(converted);
            Files.delete(converted);
        }
    }

    private void check(Path file) throws Exception {
        Commands command = new Commands();
        assertThat(command.run("verify", file)).as(command.err()).isZero();
        Inspection inspection =
                Engine.create().inspect("file:" + file, cancel -> {}, device -> true);
        assertThat(inspection.machine()).isEqualTo("pc-i440fx-10.0");
        assertThat(inspection.devices()).hasSize(31);
        Path bios = folder.resolve("bios");
        assertThat(command.run("extract", file, "--block", "pc.bios", "-o", bios)).isZero();
        byte[] bytes = Files.readAllBytes(bios);
        assertThat(Arrays.copyOfRange(bytes, 0xfff0, 0xfff3))
                .containsExactly(0xe9, 0x0d, 0xff); // the guest's first instruction
        assertThat(bytes).isEqualTo(GuestRom.counting().image());
        Files.delete(bios);
        Commands shown = new Commands();
        assertThat(shown.run("inspect", file, "--device", "cpu", "--json")).isZero();
        Map<?, ?> tree = (Map<?, ?>) Json.parse(shown.out());
        Map<?, ?> cpu = (Map<?, ?>) ((List<?>) tree.get("devices")).getFirst();
        assertThat(value(cpu, "env.eip")).isEqualTo(0xfff0L);
        assertThat(value(cpu, "env.cr[0]")).isEqualTo(0x6000_0010L);
        Commands state = new Commands();
        assertThat(state.run("inspect", file, "--device", "globalstate")).isZero();
        assertThat(state.out()).contains("'prelaunch'");
    }

    private static Object value(Map<?, ?> device, String name) {
        return ((List<?>) device.get("fields"))
                .stream()
                        .map(field -> (Map<?, ?>) field)
                        .filter(field -> name.equals(field.get("name")))
                        .findFirst()
                        .orElseThrow()
                        .get("value");
    }

    @Test
    void eachIsSmallAndTried() throws Exception {
        assertThat(files()).hasSizeGreaterThanOrEqualTo(6);
        assertThat(Stream.concat(hosts(), qemus())).containsExactlyInAnyOrderElementsOf(files());
        for (Path packed : files()) assertThat(Files.size(packed)).isLessThan(24 << 10);
    }
}
