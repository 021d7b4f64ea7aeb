package org.vmferry.it.snapshot;

import org.vmferry.cli.Main;
import org.vmferry.engine.Engine;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.qemu.GuestRom;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/** The host whose snapshots are kept in the tree, and what writes them. */
final class GoldenMachine implements Machine {
    static final String TYPE = "golden-1";
    static final UUID ID = UUID.fromString("4dea22b3-1d52-d8f3-2516-782e98ab3fa0");
    static final int PAGE = 4096;
    static final int PAGES = 40;
    static final String TEXT = "Grüße";

    final byte[] ram = new byte[PAGES * PAGE];
    final byte[] rom = new byte[PAGE];
    final GoldenDevice device = new GoldenDevice();
    RunState state = RunState.INMIGRATE;

    /** As it is saved. Of its pages each third is zero. */
    static GoldenMachine full() {
        GoldenMachine machine = new GoldenMachine();
        for (int i = 0; i < machine.ram.length; i++) machine.ram[i] = ram(i);
        for (int i = 0; i < PAGE; i++) machine.rom[i] = (byte) ~i;
        machine.device.number = Long.MIN_VALUE + 5;
        machine.device.text = TEXT;
        machine.state = RunState.GUEST_PANICKED;
        return machine;
    }

    /** What is in its RAM. */
    static byte ram(int at) {
        int page = at / PAGE;
        return page % 3 == 2 ? 0 : (byte) (at % PAGE / 64 * (page + 1) + 1);
    }

    /** A device of version 3. */
    static final class GoldenDevice implements DeviceState {
        long number;
        String text = "";

        @Override
        public String id() {
            return "golden-device";
        }

        @Override
        public int instance() {
            return 2;
        }

        @Override
        public int version() {
            return 3;
        }

        @Override
        public void save(DataOutput out) throws IOException {
            out.writeLong(number);
            out.writeUTF(text);
        }

        @Override
        public void load(DataInput in, int version) throws IOException {
            number = in.readLong();
            text = in.readUTF();
        }
    }

    @Override
    public String type() {
        return TYPE;
    }

    @Override
    public Optional<UUID> uuid() {
        return Optional.of(ID);
    }

    @Override
    public RunState runState() {
        return state;
    }

    @Override
    public void enter(RunState next) {
        state = next;
    }

    @Override
    public RamProvider ram() {
        List<RamBlock> blocks =
                List.of(
                        RamBlock.of("golden.ram", MemorySegment.ofArray(ram), PAGE),
                        RamBlock.of("/rom@golden", MemorySegment.ofArray(rom), PAGE));
        return () -> blocks;
    }

    @Override
    public List<DeviceState> devices() {
        return List.of(device);
    }

    /** The files, and with which capabilities each is written by the host above. */
    static final Map<String, List<String>> HOSTS =
            Map.of(
                    "host.stream", List.of(),
                    "host-uuid.stream", List.of("validate-uuid"),
                    "host-shared.stream", List.of("x-ignore-shared"),
                    "host.mapped-ram", List.of("mapped-ram"),
                    "host-multifd.mapped-ram", List.of("mapped-ram", "multifd"));

    /** The files that convert makes of a QEMU's machine. */
    static final List<String> QEMUS = List.of("qemu.stream", "qemu.mapped-ram");

    /** Writes all of them, as a release is made: into a folder named after it. */
    public static void main(String[] arguments) throws Exception {
        Path folder = Files.createDirectories(Path.of(arguments[0]));
        Path file = folder.resolve("file");
        for (var host : HOSTS.entrySet()) {
            Settings settings = Settings.NONE;
            for (String name : host.getValue()) settings = settings.capability(name);
            Engine.create().send(full(), "file:" + file, settings).await();
            pack(file, folder.resolve(host.getKey() + ".gz"));
        }
        Path saved = folder.resolve("saved");
        try (Qemu qemu = Qemu.builder().memory(2).paused().rom(GuestRom.counting()).start()) {
            qemu.migrate("file:" + saved);
            qemu.awaitMigration(Duration.ofMinutes(1));
        }
        for (String name : QEMUS) {
            String format = name.substring(name.indexOf('.') + 1);
            int status =
                    Main.commandLine()
                            .execute("convert", "" + saved, "" + file, "--format", format);
            if (status != 0) throw new IOException("convert ended with " + status);
            pack(file, folder.resolve(name + ".gz"));
        }
        Files.delete(saved);
    }

    private static void pack(Path file, Path to) throws IOException {
        try (OutputStream out =
                new GZIPOutputStream(Files.newOutputStream(to)) {
                    {
                        def.setLevel(Deflater.BEST_COMPRESSION);
                    }
                }) {
            Files.copy(file, out);
        }
        Files.delete(file);
    }
}
