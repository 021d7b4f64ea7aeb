package org.vmferry.it.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.qemu.GuestRom;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.QemuBuilder;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Archives;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A guest goes from a real QEMU into a mapped-ram file, to us, into another such file and on to
 * another QEMU, with several channels on the way.
 */
@RequiresQemu
class FileMultifdQemuTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int MIB = 1 << 20;
    private static final int RAM = 64 * MIB;
    private static final int LINE = 9;

    private static final GuestRom GUEST = GuestRom.counting().fill(2 * MIB, 8 * MIB);

    /** One end's channels, 0 for no multifd; with direct-io or not. */
    record Side(int channels, boolean direct) {
        List<String> capabilities() {
            return channels > 0 ? List.of("mapped-ram", "multifd") : List.of("mapped-ram");
        }

        void set(Qemu qemu) throws IOException {
            qemu.setCapabilities(capabilities().toArray(String[]::new));
            Map<String, Object> parameters = new HashMap<>(Map.of("max-bandwidth", 0));
            if (channels > 0) parameters.put("multifd-channels", channels);
            if (direct) parameters.put("direct-io", true);
            qemu.setParameters(parameters);
        }

        Settings settings() {
            Settings settings = Settings.NONE.parameter("direct-io", direct ? "on" : "off");
            for (String name : capabilities()) settings = settings.capability(name);
            return channels == 0 ? settings : settings.parameter("multifd-channels", "" + channels);
        }
    }

    /** Who saves and loads how: both kinds of descriptor meet both, on each of the two ways. */
    enum Way {
        ALL_BUFFERED(side(2, false), side(2, false), side(2, false), side(2, false)),
        ALL_DIRECT(side(2, true), side(2, true), side(2, true), side(2, true)),
        DIRECT_TO_BUFFERED(side(8, true), side(1, false), side(8, true), side(1, false)),
        BUFFERED_TO_DIRECT(side(1, false), side(8, true), side(1, false), side(8, true)),
        MANY_TO_NONE(side(8, false), side(0, false), side(8, true), side(0, false)),
        NONE_TO_MANY(side(0, false), side(8, false), side(0, true), side(8, false)),
        RUNNING(side(2, true), side(2, true), side(2, true), side(2, true));
        final Side theirSave, ourLoad, ourSave, theirLoad;

        Way(Side theirSave, Side ourLoad, Side ourSave, Side theirLoad) {
            this.theirSave = theirSave;
            this.ourLoad = ourLoad;
            this.ourSave = ourSave;
            this.theirLoad = theirLoad;
        }

        static Side side(int channels, boolean direct) {
            return new Side(channels, direct);
        }
    }

    // Not among temporary files: those may lie in memory, where there is no O_DIRECT.
    private Path folder;

    @BeforeEach
    void makeFolder() throws IOException {
        Path target = Files.createDirectories(Path.of("target"));
        folder = Files.createTempDirectory(target.toAbsolutePath(), "direct");
    }

    @AfterEach
    void removeFolder() throws IOException {
        try (var files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
        }
    }

    @ParameterizedTest(name = "{0}")
    @EnumSource
    @Tag("MAP-13")
    @Tag("MAP-14")
    void thereAndBack(Way way) throws Exception {
        boolean running = way == Way.RUNNING;
        QemuBuilder builder = Qemu.builder().rom(running ? GUEST.dirty(16 * MIB, 8 * MIB) : GUEST);
        Engine engine = Engine.create();
        try (Qemu source = builder.start();
                ArchiveMachine archive = ArchiveMachine.in(folder)) {
            source.awaitSerial(5 * LINE, SOON);
            if (!running) source.stop();
            way.theirSave.set(source);
            Path theirs = folder.resolve("theirs");
            source.migrate("file:" + theirs);
            source.awaitMigration(SOON);
            byte[] ram = source.memory(0, RAM);

            engine.receive(archive, "file:" + theirs, way.ourLoad.settings()).await();
            assertThat(Archives.mismatch(archive, ram)).as("RAM came over").isEqualTo(-1);

            Path ours = folder.resolve("ours");
            engine.send(archive, "file:" + ours, way.ourSave.settings()).await();
            try (Qemu destination = builder.incoming().start()) {
                way.theirLoad.set(destination);
                if (running) destination.stop(); // its memory is to be seen before it changes
                destination.migrateIncoming("file:" + ours);
                destination.awaitMigration(SOON);
                if (!running) destination.awaitStatus("paused", SOON);
                assertThat(Arrays.mismatch(destination.memory(0, RAM), ram))
                        .as("RAM went on")
                        .isEqualTo(-1);
                destination.cont();
                GuestRom.lastCount(source.serial() + destination.awaitSerial(5 * LINE, SOON));
            }
        }
    }
}
