package org.vmferry.it.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.it.qemu.GuestRom;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.QemuBuilder;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Commands;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/**
 * A guest with virtio-mem, whose QEMU sends a section between RAM's START and its first page: QEMU
 * loads what we have made of it.
 */
@RequiresQemu
@Timeout(180)
class VirtioMemQemuTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int RAM = 8 << 20;

    @TempDir Path folder;

    private static QemuBuilder guest() {
        return Qemu.builder()
                .memory(8)
                .rom(GuestRom.counting().fill(2 << 20, 1 << 20))
                .options("-m", "8M,maxmem=64M")
                .options("-object", "memory-backend-ram,id=vmem0,size=8M")
                .options("-device", "virtio-mem-pci,id=vm0,memdev=vmem0,requested-size=4M");
    }

    private static void run(Object... arguments) {
        Commands command = new Commands();
        assertThat(command.run(arguments)).as(command.err()).isZero();
    }

    private static byte[] paused(Qemu source) throws IOException {
        source.awaitSerial(9, SOON);
        source.stop();
        source.setParameters(Map.of("max-bandwidth", 0));
        return source.memory(0, RAM);
    }

    private static void loads(Path file, String format, byte[] ram) throws IOException {
        try (Qemu destination = guest().incoming().start()) {
            if (format.equals("mapped-ram")) destination.setCapabilities("mapped-ram");
            destination.migrateIncoming("file:" + file);
            destination.awaitMigration(SOON);
            destination.awaitStatus("paused", SOON);
            assertThat(Arrays.mismatch(destination.memory(0, RAM), ram)).isEqualTo(-1);
            destination.cont();
            destination.awaitSerial(9, SOON);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "mapped-ram"})
    @Tag("STR-22")
    void aFileIsConvertedAndLoaded(String capability) throws Exception {
        Path file = folder.resolve("qemu.save");
        byte[] ram;
        try (Qemu source = guest().start()) {
            ram = paused(source);
            if (!capability.isEmpty()) source.setCapabilities(capability);
            source.migrate("file:" + file);
            source.awaitMigration(SOON);
        }
        run("verify", file);
        for (String format : List.of("mapped-ram", "stream")) {
            Path converted = folder.resolve("converted." + format);
            run("convert", file, converted, "--format", format);
            loads(converted, format, ram);
            Files.delete(converted);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "return-path", "multifd", "return-path multifd"})
    @Tag("STR-22")
    void itGoesThroughASocketAndBack(String words) throws Exception {
        List<String> capabilities = words.isEmpty() ? List.of() : List.of(words.split(" "));
        Path file = folder.resolve("received");
        Path socket = folder.resolve("s");
        List<Object> options = new ArrayList<>();
        for (String word : capabilities) options.addAll(List.of("--capability", word));
        List<Object> receive = new ArrayList<>(List.of("receive", "unix:" + socket, "-o", file));
        receive.addAll(options);
        byte[] ram;
        try (Qemu source = guest().start()) {
            ram = paused(source);
            source.setCapabilities(capabilities.toArray(String[]::new));
            Commands command = new Commands();
            FutureTask<Integer> status = command.begin(receive.toArray());
            Commands.await(socket);
            source.migrate("unix:" + socket);
            source.awaitMigration(SOON);
            assertThat(status.get(60, TimeUnit.SECONDS)).as(command::err).isZero();
        }
        try (Qemu destination = guest().incoming().start()) {
            destination.setCapabilities(capabilities.toArray(String[]::new));
            Path back = folder.resolve("b");
            destination.migrateIncoming("unix:" + back);
            Commands.await(back);
            List<Object> send = new ArrayList<>(List.of("send", file, "unix:" + back));
            send.addAll(options);
            run(send.toArray());
            destination.awaitMigration(SOON);
            assertThat(Arrays.mismatch(destination.memory(0, RAM), ram)).isEqualTo(-1);
        }
    }
}
