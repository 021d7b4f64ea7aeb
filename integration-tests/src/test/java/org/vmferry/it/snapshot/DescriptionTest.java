package org.vmferry.it.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Commands;
import org.vmferry.it.support.DescribedStream;
import org.vmferry.it.support.Relay;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** The VMDESCRIPTION of each kind of stream that is written here describes the bytes before it. */
@Tag("STR-14")
class DescriptionTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final String LONGEST_NAME = "é".repeat(127);

    @TempDir Path folder;

    /** A host of our own. */
    private record Host(int pageSize, boolean empty, MemorySegment memory) implements Machine {
        Host(int pageSize, boolean empty) {
            this(pageSize, empty, MemorySegment.ofArray(new byte[4 * pageSize]));
            memory.set(java.lang.foreign.ValueLayout.JAVA_BYTE, pageSize, (byte) 0x5);
        }

        @Override
        public String type() {
            return "höst-1.0";
        }

        @Override
        public Optional<UUID> uuid() {
            return Optional.of(new UUID(7, 8));
        }

        @Override
        public RunState runState() {
            return RunState.PAUSED;
        }

        @Override
        public void enter(RunState state) {}

        @Override
        public RamProvider ram() {
            return () -> List.of(RamBlock.of("host.ram", memory, pageSize));
        }

        @Override
        public List<DeviceState> devices() {
            if (empty) return List.of();
            return List.of(new Device("none", 0, 0), new Device(LONGEST_NAME, -1, 70_000));
        }
    }

    /** Its bytes look like footers and ends. */
    private record Device(String id, int instance, int bytes) implements DeviceState {
        @Override
        public void save(DataOutput out) throws IOException {
            for (int i = 0; i < bytes; i++) out.writeByte("~\0\0\0\2\0\6".charAt(i % 7));
        }

        @Override
        public void load(DataInput in, int version) throws IOException {
            in.skipBytes(bytes);
        }
    }

    private static Settings settings(String capabilities) {
        Settings settings = Settings.NONE;
        if (capabilities == null) return settings;
        for (String name : capabilities.split(" ")) settings = settings.capability(name);
        return settings;
    }

    @ParameterizedTest
    @CsvSource({
        "4096,",
        "4096, mapped-ram",
        "4096, mapped-ram multifd",
        "4096, x-ignore-shared",
        "4096, validate-uuid",
        "4096, mapped-ram validate-uuid",
        "1024, validate-uuid x-ignore-shared",
        "65536, mapped-ram validate-uuid",
    })
    void ofAHostOfOurs(int pageSize, String capabilities) throws Exception {
        Path file = folder.resolve("host.save");
        for (boolean empty : List.of(false, true)) {
            Host host = new Host(pageSize, empty);
            Engine.create().send(host, "file:" + file, settings(capabilities)).await();
            DescribedStream stream = DescribedStream.check(file);
            if (empty) assertThat(stream.devices).containsExactly("globalstate/0");
            else
                assertThat(stream.devices)
                        .containsExactly("none/0", LONGEST_NAME + "/4294967295", "globalstate/0");
        }
    }

    @Test
    void throughACommand() throws Exception {
        Path file = folder.resolve("host.save");
        Engine.create()
                .send(new Host(4096, false), "exec:cat > " + file, settings("validate-uuid"))
                .await();
        DescribedStream.check(file);
    }

    @ParameterizedTest
    @ValueSource(strings = {"return-path", "return-path multifd", "return-path validate-uuid"})
    void overAConnection(String capabilities) throws Exception {
        Engine engine = Engine.create();
        Settings settings = settings(capabilities);
        var load = engine.receive(new Host(4096, false), "tcp:127.0.0.1:0", settings);
        try (Relay relay = new Relay(load.address().toString(), Relay.Fault.NONE)) {
            engine.send(new Host(4096, false), relay.address(), settings).await();
            load.await();
            DescribedStream.check(relay.passedBytes());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "mapped-ram, stream, false",
        "mapped-ram, mapped-ram, false",
        "'', mapped-ram, false",
        "'', stream, false",
        "mapped-ram validate-uuid, stream, true",
        "validate-uuid, mapped-ram, true",
    })
    @RequiresQemu
    void ofAQemusMachine(String capabilities, String format, boolean libvirt) throws Exception {
        Path file = folder.resolve("qemu.save");
        byte[] before = libvirt ? new byte[4096] : new byte[0];
        Files.write(file, before);
        try (Qemu source =
                Qemu.builder()
                        .memory(8)
                        .paused()
                        .options("-uuid", "4dea22b3-1d52-d8f3-2516-782e98ab3fa0")
                        .start()) {
            if (!capabilities.isEmpty()) source.setCapabilities(capabilities.split(" "));
            source.migrate("file:" + file + ",offset=" + before.length);
            source.awaitMigration(SOON);
        }
        byte[] saved = Files.readAllBytes(file);
        if (libvirt) {
            ByteBuffer header = ByteBuffer.wrap(saved).order(ByteOrder.LITTLE_ENDIAN);
            header.put("LibvirtQemudSave".getBytes(StandardCharsets.US_ASCII)).putInt(2);
            header.putInt(before.length - 92).putInt(0);
            header.putInt(capabilities.contains("mapped-ram") ? 6 : 0);
            Files.write(file, saved);
        } else {
            DescribedStream.check(saved); // the checker knows a QEMU's own
        }
        Path converted = folder.resolve("converted");
        Commands command = new Commands();
        int status = command.run("convert", file, converted, "--format", format);
        assertThat(status).as(command.err()).isZero();
        assertThat(DescribedStream.check(converted).devices).hasSizeGreaterThan(20);
        Files.delete(converted);
    }
}
