package org.vmferry.it.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.it.support.Commands;
import org.vmferry.it.support.FullMachine;
import org.vmferry.it.support.Leftovers;
import org.vmferry.it.support.LoopDevice;
import org.vmferry.it.support.Mounted;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The disk fills up: one sentence, nothing left, the old file in place, whatever the way. */
@Timeout(60)
class DiskFullTest {
    private static final int GUEST = 16 << 20;
    private static final String[] FORMATS = {"stream", "mapped-ram"};
    private static final String[] SAID = {"needs ", " free", "disk"};

    @TempDir static Path sources;

    @TempDir Path directory;
    private final Commands command = new Commands();
    private Mounted disk;
    private Path out;

    @BeforeAll
    static void save() throws Exception {
        FullMachine machine = new FullMachine(GUEST, RunState.PAUSED);
        for (String format : FORMATS) machine.saved(sources.resolve(format), format);
    }

    @BeforeEach
    void mount() throws Exception {
        disk = Mounted.disk(directory.resolve("disk"), 8);
        out = Files.writeString(disk.at().resolve("out"), "old");
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        if (disk == null) return;
        try (var files = Files.list(disk.at())) {
            assertThat(files).containsExactly(out);
            assertThat(Files.readString(out)).isEqualTo("old");
        } finally {
            disk.close();
        }
        Leftovers.assertNoThreads();
    }

    private void assertRefused(int status, Path... innocent) {
        assertThat(status).as(command.err()).isEqualTo(1);
        assertThat(command.err()).contains(SAID);
        for (Path each : innocent) assertThat(command.err()).doesNotContain(each.toString());
    }

    @ParameterizedTest
    @CsvSource({"stream,stream", "stream,mapped-ram", "mapped-ram,stream", "mapped-ram,mapped-ram"})
    void convert(String from, String to) {
        Path in = sources.resolve(from);
        assertRefused(command.run("convert", in, out, "--format", to), in);
    }

    @ParameterizedTest
    @CsvSource({"stream,stream", "mapped-ram,mapped-ram"})
    void convertWithScratchElsewhere(String from, String to) throws IOException {
        Path in = sources.resolve(from);
        Path scratch = Files.createDirectory(directory.resolve("scratch"));
        assertRefused(
                command.run("convert", in, out, "--format", to, "--scratch", scratch), in, scratch);
        assertThat(scratch).isEmptyDirectory();
    }

    @Test
    void theScratchIsFull() throws IOException {
        Path elsewhere = directory.resolve("elsewhere");
        assertRefused(
                command.run(
                        "convert",
                        sources.resolve("stream"),
                        elsewhere,
                        "--format",
                        "stream",
                        "--scratch",
                        disk.at()));
        assertThat(elsewhere).doesNotExist();
    }

    /** Beside a device lies the system's own /dev. */
    @Test
    void theScratchForADeviceIsInTheTemporaryFolder() throws Exception {
        String usual = System.setProperty("java.io.tmpdir", disk.at().toString());
        try (LoopDevice device = LoopDevice.over(directory.resolve("image"), GUEST * 2L)) {
            assertRefused(
                    command.run(
                            "convert",
                            sources.resolve("stream"),
                            device.path(),
                            "--format",
                            "mapped-ram"));
        } finally {
            System.setProperty("java.io.tmpdir", usual);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"stream", "mapped-ram"})
    void extract(String from) {
        Path in = sources.resolve(from);
        assertRefused(command.run("extract", in, "--block", FullMachine.BLOCK, "-o", out), in);
    }

    /** The disk has room, but its user has not. */
    @ParameterizedTest
    @ValueSource(strings = {"stream", "mapped-ram", "receive"})
    void aQuota(String what) throws Exception {
        try (Mounted small = Mounted.quota(directory.resolve("disk2"), 24)) {
            Path to = small.at().resolve("out");
            if (what.equals("receive")) {
                // The scratch has room, and the output would have, too, but not both.
                receive("zstd", to, true);
            } else {
                Mounted.run(
                        "dd", "if=/dev/zero", "of=" + small.at().resolve("x"), "bs=1M", "count=12");
                Migration save =
                        Engine.create()
                                .send(
                                        new FullMachine(GUEST, RunState.RUNNING),
                                        "file:" + to,
                                        FullMachine.settings(what));
                assertThat(catchThrowableOfType(MigrationException.class, save::await))
                        .hasMessageContainingAll(SAID)
                        .hasMessageContaining("quota exceeded");
                Files.delete(small.at().resolve("x"));
            }
            assertThat(small.at()).isEmptyDirectory();
        }
    }

    private static Settings multifd(String codec) {
        if (codec.equals("one channel")) return Settings.NONE;
        return Settings.NONE
                .capability("multifd")
                .parameter("multifd-channels", "2")
                .parameter("multifd-compression", codec);
    }

    @ParameterizedTest
    @ValueSource(strings = {"one channel", "none", "zlib", "zstd"})
    @Tag("OWN-27")
    void receive(String way) throws Exception {
        receive(way, out, true);
    }

    /**
     * The scratch has room, and the output would have, too, but not both: without a return path
     * that must be found out while the guest is still the source's.
     */
    @Test
    @Tag("OWN-27")
    void theOutputsRoomIsHeldWhileRamArrives() throws Exception {
        try (Mounted small = Mounted.disk(directory.resolve("disk2"), 24)) {
            receive("one channel", small.at().resolve("out"), false);
            assertThat(small.at()).isEmptyDirectory();
        }
    }

    private void receive(String way, Path out, boolean returnPath) throws Exception {
        Path socket = directory.resolve("socket");
        List<Object> arguments = new ArrayList<>(List.of("receive", "unix:" + socket, "-o", out));
        Settings settings = multifd(way).parameter("max-bandwidth", "0");
        if (returnPath) {
            arguments.addAll(List.of("-c", "return-path"));
            settings = settings.capability("return-path");
        }
        if (!way.equals("one channel")) {
            arguments.addAll(List.of("-c", "multifd", "-p", "multifd-channels=2"));
            arguments.addAll(List.of("-p", "multifd-compression=" + way));
        }
        var receive = command.begin(arguments.toArray());
        Commands.await(socket);
        FullMachine source = new FullMachine(GUEST, RunState.RUNNING);
        Migration save = Engine.create().send(source, "unix:" + socket, settings);
        assertRefused(receive.get());
        assertThat(catchThrowableOfType(MigrationException.class, save::await)).isNotNull();
        assertThat(save.owner()).isEqualTo(GuestOwner.SOURCE);
        assertThat(source.runState()).isEqualTo(RunState.RUNNING);
    }

    @ParameterizedTest
    @CsvSource({"plain,", "mapped,", "mapped,multifd", "mapped,direct-io", "multifd,direct-io"})
    void saveOfAGuest(String first, String second) throws Exception {
        Settings settings = FullMachine.settings(first.equals("plain") ? "stream" : "mapped-ram");
        for (String each : new String[] {first, second}) {
            if ("multifd".equals(each)) settings = settings.capability("multifd");
            if ("direct-io".equals(each)) settings = settings.parameter("direct-io", "on");
        }
        FullMachine source = new FullMachine(GUEST, RunState.RUNNING);
        Migration save = Engine.create().send(source, "file:" + out, settings);
        assertThat(catchThrowableOfType(MigrationException.class, save::await))
                .hasMessageContainingAll(SAID);
        assertThat(save.owner()).isEqualTo(GuestOwner.SOURCE);
        assertThat(source.runState()).isEqualTo(RunState.RUNNING);
    }
}
