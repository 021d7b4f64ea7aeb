package org.vmferry.it.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.json.Json;
import org.vmferry.engine.report.Inspection;
import org.vmferry.it.qemu.GuestRom;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.QemuBinary;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Commands;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What inspect tells of devices and of RAM's places is what the QEMU itself says. */
@RequiresQemu
class InspectQemuTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Pattern SEEN =
            Pattern.compile("\\s*(\\w{16})-(\\w{16}) \\(prio \\S+, ram\\): (\\S+)(?: @(\\w{16}))?");
    private static final List<String> REGISTERS =
            List.of("EAX", "ECX", "EDX", "EBX", "ESP", "EBP", "ESI", "EDI");

    @TempDir Path folder;

    private static String monitor(Qemu qemu, String command) throws IOException {
        return (String) qemu.execute("human-monitor-command", Map.of("command-line", command));
    }

    private Path save(Qemu source, String... capabilities) throws IOException {
        Path file = folder.resolve("qemu.save");
        source.setParameters(Map.of("max-bandwidth", 0));
        source.setCapabilities(capabilities);
        source.migrate("file:" + file);
        source.awaitMigration(SOON);
        return file;
    }

    private static BigInteger register(String said, String name) {
        Matcher matcher = Pattern.compile(name + "\\s*=([0-9a-f]+)").matcher(said);
        assertThat(matcher.find()).as("%s in %s", name, said).isTrue();
        return new BigInteger(matcher.group(1), 16);
    }

    private static String line(String name, BigInteger value, int digits) {
        return "%s +0x%s  %s"
                .formatted(
                        Pattern.quote(name),
                        "0".repeat(digits - value.toString(16).length()) + value.toString(16),
                        value);
    }

    @Test
    @Tag("STR-15")
    void registersAreThoseOfInfoRegisters() throws Exception {
        String registers;
        Path file;
        try (Qemu source =
                Qemu.builder()
                        .memory(16)
                        .rom(GuestRom.counting().fill(2 << 20, 1 << 20))
                        .options("-smp", "2")
                        .start()) {
            source.awaitSerial("00000003", SOON);
            source.stop();
            registers = monitor(source, "info registers");
            file = save(source, "mapped-ram");
        }
        String shown =
                Commands.ending(0, "inspect", file, "--device", "cpu", "--instance", 0).out();
        for (int i = 0; i < REGISTERS.size(); i++) {
            BigInteger value = register(registers, REGISTERS.get(i));
            assertThat(shown).containsPattern(line("env.regs[" + i + "]", value, 16));
        }
        assertThat(register(registers, "EIP")).isPositive();
        assertThat(shown).containsPattern(line("env.eip", register(registers, "EIP"), 16));
        for (String control : List.of("0", "2", "3", "4")) {
            BigInteger value = register(registers, "CR" + control);
            assertThat(shown).containsPattern(line("env.cr[" + control + "]", value, 16));
        }
        assertThat(register(registers, "CR0").testBit(0)).as("protected mode").isTrue();
        assertThat(shown).contains("env.segs[1]").doesNotContain("instance 1");

        // Both of them; and for programs.
        Map<?, ?> tree =
                (Map<?, ?>)
                        Json.parse(
                                Commands.ending(0, "inspect", file, "--device", "cpu", "--json")
                                        .out());
        List<?> devices = (List<?>) tree.get("devices");
        assertThat(devices).hasSize(2);
        Map<?, ?> eip =
                ((List<?>) ((Map<?, ?>) devices.getFirst()).get("fields"))
                        .stream()
                                .map(field -> (Map<?, ?>) field)
                                .filter(field -> field.get("name").equals("env.eip"))
                                .findFirst()
                                .orElseThrow();
        assertThat(eip.get("value")).isEqualTo(register(registers, "EIP").longValueExact());
        assertThat(eip.get("offset")).isEqualTo(128L);

        assertThat(Commands.ending(1, "inspect", file, "--device", "cpus").err())
                .contains("there is no device 'cpus' in it", "'cpu' 0+1, ", "'globalstate' 0");
        assertThat(Commands.ending(1, "inspect", file, "--device", "cpu", "--instance", 2).err())
                .contains("no device 'cpu' instance 2");
        Commands.ending(2, "inspect", file, "--instance", 2);
        assertThat(Commands.ending(0, "inspect", file, "--device", "globalstate").out())
                .contains("runstate", "'paused'");
    }

    @Test
    @Tag("STR-15")
    void everyFieldOfARichMachineHasAName() throws Exception {
        Path file;
        try (Qemu source =
                Qemu.builder()
                        .machine("q35")
                        .memory(16)
                        .paused()
                        .options("-device", "virtio-net-pci", "-device", "qemu-xhci")
                        .options("-device", "VGA", "-device", "virtio-rng-pci")
                        .start()) {
            file = save(source);
        }
        Inspection inspection =
                Engine.create().inspect("file:" + file, cancel -> {}, device -> true);
        assertThat(inspection.devices()).hasSizeGreaterThan(30);
        for (Inspection.Device device : inspection.devices()) {
            var fields = inspection.contents().fields(device);
            assertThat(fields.stream().mapToLong(field -> field.bytes().remaining()).sum())
                    .isEqualTo(device.bytes());
            if (device.bytes() == 0) continue;
            assertThat(fields).as(device.name()).noneMatch(field -> field.name().isEmpty());
        }
    }

    @Test
    void withoutADescriptionNamesAreLost() throws Exception {
        Path file;
        try (Qemu source =
                Qemu.builder().machine("pc,suppress-vmdesc=on").memory(16).paused().start()) {
            file = save(source, "mapped-ram");
        }
        assertThat(Commands.ending(0, "inspect", file, "--device", "globalstate").out())
                .contains("the stream has no VMDESCRIPTION", "70 72 65 6c 61 75 6e 63 68");
    }

    /** Every piece of RAM that the QEMU shows its guest is where inspect says. */
    private void checkPlaces(Qemu source, String... blocks) throws Exception {
        String seen = monitor(source, "info mtree -f");
        Path file = save(source, "mapped-ram");
        int checked = 0;
        Inspection inspection = Engine.create().inspect("file:" + file);
        for (String name : blocks) {
            Inspection.Block block =
                    inspection.blocks().stream()
                            .filter(b -> b.id().equals(name))
                            .findFirst()
                            .orElseThrow();
            long last = 0;
            for (String line : seen.lines().toList()) {
                Matcher matcher = SEEN.matcher(line);
                if (!matcher.matches() || !matcher.group(3).equals(name)) continue;
                long from = Long.parseLong(matcher.group(1), 16);
                long to = Long.parseLong(matcher.group(2), 16);
                long offset = matcher.group(4) == null ? 0 : Long.parseLong(matcher.group(4), 16);
                last = Math.max(last, offset + to + 1 - from);
                assertThat(block.guest())
                        .as(line)
                        .anyMatch(
                                range ->
                                        range.address() <= from
                                                && to < range.address() + range.length()
                                                && from - range.address()
                                                        == offset - range.offset());
                checked++;
            }
            assertThat(last).as(seen).isEqualTo(block.usedLength());
            assertThat(block.guest().stream().mapToLong(Inspection.Range::length).sum())
                    .isEqualTo(block.usedLength());
        }
        assertThat(checked).isGreaterThanOrEqualTo(blocks.length);
        Path raw = folder.resolve("raw");
        var command = Commands.ending(0, "extract", file, "--block", blocks[0], "-o", raw);
        Inspection.Block first =
                inspection.blocks().stream()
                        .filter(block -> block.id().equals(blocks[0]))
                        .findFirst()
                        .orElseThrow();
        assertThat(first.guest()).isNotEmpty();
        for (Inspection.Range range : first.guest()) {
            String place =
                    "guest address 0x%x is its byte 0x%x"
                            .formatted(range.address(), range.offset());
            assertThat(command.err()).contains(place);
            assertThat(Commands.ending(0, "inspect", file).out()).contains(place);
        }
        Files.delete(raw);
        Files.delete(file);
    }

    @ParameterizedTest
    @CsvSource({
        "'pc,max-ram-below-4g=64M', 128",
        "'q35,max-ram-below-4g=64M', 96",
        "pc, 64",
        "q35, 8",
    })
    void ramIsWhereInfoMtreeHasIt(String machine, int mebibytes) throws Exception {
        try (Qemu source = Qemu.builder().machine(machine).memory(mebibytes).paused().start()) {
            checkPlaces(source, "pc.ram");
        }
    }

    @ParameterizedTest
    @Tag("stress")
    @CsvSource({
        "x86_64, pc, 3583, pc.ram",
        "x86_64, pc, 3584, pc.ram",
        "x86_64, pc, 5120, pc.ram",
        "x86_64, q35, 2815, pc.ram",
        "x86_64, q35, 2816, pc.ram",
        "x86_64, q35, 4096, pc.ram",
        "x86_64, microvm, 3072, microvm.ram",
        "x86_64, microvm, 4096, microvm.ram",
        "aarch64, virt, 64, mach-virt.ram",
        "arm, virt, 64, mach-virt.ram",
        "riscv64, virt, 64, riscv_virt_board.ram",
        "riscv32, virt, 64, riscv_virt_board.ram",
        "loongarch64, virt, 1024, loongarch.ram",
        "m68k, virt, 64, m68k_virt.ram",
    })
    void ramOfManyMachinesIsWhereInfoMtreeHasIt(
            String target, String machine, int mebibytes, String block) throws Exception {
        QemuBinary x86 = QemuBinary.current().orElseThrow();
        Path path = x86.path().resolveSibling("qemu-system-" + target);
        assertThat(path).isExecutable();
        QemuBinary qemu = new QemuBinary(path, x86.major(), x86.minor());
        try (Qemu source =
                Qemu.builder().binary(qemu).machine(machine).memory(mebibytes).paused().start()) {
            checkPlaces(source, block);
        }
    }
}
