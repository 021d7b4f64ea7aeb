package org.vmferry.it.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.support.Commands;
import org.vmferry.it.support.FullMachine;
import org.vmferry.it.support.Leftovers;
import org.vmferry.it.support.LoopDevice;
import org.vmferry.it.support.Mounted;
import org.vmferry.spi.machine.RunState;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/** Every command reads from a block device and writes to one, whatever stood on it before. */
@Timeout(60)
class BlockDeviceTest {
    private static final int GUEST = 1 << 20;
    private static final long LARGE = 24L << 20;
    private static final byte OLD = (byte) 0xa5;

    @TempDir Path directory;
    private final Commands command = new Commands();
    private FullMachine machine;
    private byte[] ram;

    /** Every other 64 KiB of its RAM are zero. */
    @BeforeEach
    void guest() {
        machine = new FullMachine(GUEST, RunState.PAUSED);
        for (int at = 0; at < GUEST; at += 128 << 10)
            machine.ram.asSlice(at, 64 << 10).fill((byte) 0);
        ram = machine.ram.toArray(ValueLayout.JAVA_BYTE);
    }

    /** A device on which other things stood before. */
    private LoopDevice used(String name, long bytes) throws Exception {
        LoopDevice device = LoopDevice.over(directory.resolve(name), bytes);
        try (FileChannel all = FileChannel.open(device.path(), StandardOpenOption.WRITE)) {
            byte[] old = new byte[1 << 20];
            Arrays.fill(old, OLD);
            for (long at = 0; at < bytes; at += old.length) {
                all.write(ByteBuffer.wrap(old, 0, (int) Math.min(old.length, bytes - at)), at);
            }
        }
        return device;
    }

    private void runs(Object... arguments) {
        assertThat(command.run(arguments)).as(command.err()).isZero();
    }

    private Path snapshot(String format) throws Exception {
        Path file = directory.resolve(format);
        machine.saved(file, format);
        return file;
    }

    private void hasTheGuest(Path snapshot) throws IOException {
        runs("inspect", snapshot, "--json");
        runs("verify", snapshot);
        Path raw = directory.resolve("raw");
        runs("extract", snapshot, "--block", FullMachine.BLOCK, "-o", raw);
        assertThat(Arrays.mismatch(Files.readAllBytes(raw), ram)).isEqualTo(-1);
        Files.delete(raw);
    }

    private void receiveInto(Path out, String uri, Settings settings) throws Exception {
        Path socket = directory.resolve("socket");
        var receive = command.begin("receive", "unix:" + socket, "-o", out);
        Commands.await(socket);
        if (uri == null) Engine.create().send(machine, "unix:" + socket, settings).await();
        else runs("send", uri, "unix:" + socket);
        assertThat(receive.get()).as(command.err()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"stream, mapped-ram", "mapped-ram, stream", "stream, stream"})
    void convertThereAndBack(String from, String to) throws Exception {
        Path file = snapshot(from);
        try (LoopDevice device = used("image", LARGE)) {
            runs("convert", file, device.path(), "--format", to);
            hasTheGuest(device.path());
            Path back = directory.resolve("back");
            runs("convert", device.path(), back, "--format", from);
            hasTheGuest(back);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"stream", "mapped-ram"})
    void extractWritesZerosToo(String from) throws Exception {
        Path file = snapshot(from);
        try (LoopDevice device = used("image", GUEST + (1 << 20))) {
            runs("extract", file, "--block", FullMachine.BLOCK, "-o", device.path());
            byte[] all = Files.readAllBytes(device.path());
            assertThat(Arrays.mismatch(all, 0, GUEST, ram, 0, GUEST)).isEqualTo(-1);
            assertThat(all[GUEST]).as("what lies behind").isEqualTo(OLD);
        }
    }

    @Test
    void receiveAndSend() throws Exception {
        try (LoopDevice device = used("image", LARGE)) {
            receiveInto(device.path(), null, Settings.NONE);
            hasTheGuest(device.path());
            Path back = directory.resolve("back");
            receiveInto(back, device.path().toString(), Settings.NONE);
            hasTheGuest(back);
        }
    }

    /** How much is on the device nobody knows before it was read: its size says nothing. */
    @Test
    void aStreamOnALargeDeviceNeedsNoMoreScratchThanItsGuest() throws Exception {
        try (LoopDevice device = LoopDevice.over(directory.resolve("image"), LARGE);
                Mounted scratch = Mounted.disk(directory.resolve("scratch"), 8)) {
            FullMachine sparse =
                    new FullMachine(Arena.ofAuto().allocate(LARGE / 2, 4096), RunState.PAUSED);
            sparse.saved(device.path(), "stream");
            runs(
                    "convert",
                    device.path(),
                    directory.resolve("back"),
                    "--format",
                    "mapped-ram",
                    "--scratch",
                    scratch.at());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"convert", "extract", "receive"})
    void oneThatIsTooSmallIsRefusedUntouched(String what) throws Exception {
        Path file = snapshot("mapped-ram");
        try (LoopDevice device = used("image", 256 << 10)) {
            Object[] line =
                    switch (what) {
                        case "convert" ->
                                new Object[] {"convert", file, device.path(), "--format", "stream"};
                        case "extract" ->
                                new Object[] {
                                    "extract",
                                    file,
                                    "--block",
                                    FullMachine.BLOCK,
                                    "-o",
                                    device.path()
                                };
                        default ->
                                new Object[] {
                                    "receive", "unix:" + directory.resolve("s"), "-o", device.path()
                                };
                    };
            assertThat(command.run(line)).isEqualTo(1);
            assertThat(command.err()).contains("no room for", device.path().toString(), "are free");
            for (byte old : Files.readAllBytes(device.path())) assertThat(old).isEqualTo(OLD);
        }
    }

    /** Nothing could be taken back if it failed half-way. */
    @Test
    void itsOwnSnapshotIsNotWrittenOver() throws Exception {
        try (LoopDevice device = used("image", LARGE)) {
            machine.saved(device.path(), "stream");
            Path node = device.secondNode(directory.resolve("node"));
            for (Path out : new Path[] {device.path(), node}) {
                assertThat(command.run("convert", device.path(), out, "--format", "mapped-ram"))
                        .isEqualTo(2);
                assertThat(command.err()).contains("OUT is the snapshot itself");
            }
            hasTheGuest(device.path());
        }
    }

    @AfterEach
    void noThreads() throws InterruptedException {
        Leftovers.assertNoThreads();
    }
}
