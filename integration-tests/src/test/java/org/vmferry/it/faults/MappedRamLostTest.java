package org.vmferry.it.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.support.FullMachine;
import org.vmferry.it.support.Leftovers;
import org.vmferry.it.support.Mounted;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;

/** A host whose guests' RAM is a mapped file, of which pages can't be had. */
@Timeout(60)
class MappedRamLostTest {
    private static final int GUEST = 16 << 20;
    private static final String SAID = "memory that is mapped from a file could not be reached";

    @TempDir Path directory;
    private final Engine engine = Engine.create();

    @AfterEach
    void nothingStays() throws InterruptedException {
        Leftovers.assertNoThreads();
    }

    private static MemorySegment mapped(Path file, Arena arena) throws IOException {
        try (RandomAccessFile ram = new RandomAccessFile(file.toFile(), "rw")) {
            ram.setLength(GUEST);
            return ram.getChannel().map(FileChannel.MapMode.READ_WRITE, 0, GUEST, arena);
        }
    }

    private static Settings settings(String way) {
        return switch (way) {
            case "one channel", "stream" -> Settings.NONE;
            case "mapped-ram" -> Settings.NONE.capability("mapped-ram");
            case "placed" -> Settings.NONE.capability("mapped-ram").capability("multifd");
            default ->
                    Settings.NONE
                            .capability("multifd")
                            .parameter("multifd-channels", "2")
                            .parameter("multifd-compression", way);
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {"one channel", "none", "zlib", "zstd"})
    void loadedIntoWhereTheDiskIsFull(String way) throws Exception {
        try (Mounted disk = Mounted.disk(directory.resolve("disk"), 8);
                Arena arena = Arena.ofShared()) {
            FullMachine there =
                    new FullMachine(mapped(disk.at().resolve("ram"), arena), RunState.INMIGRATE);
            Settings settings =
                    settings(way).capability("return-path").parameter("max-bandwidth", "0");
            Migration load = engine.receive(there, "tcp:127.0.0.1:0", settings);
            FullMachine here = new FullMachine(GUEST, RunState.RUNNING);
            Migration save = engine.send(here, load.address().toString(), settings);
            assertThat(catchThrowableOfType(MigrationException.class, load::await))
                    .hasMessageContaining(SAID);
            assertThat(catchThrowableOfType(MigrationException.class, save::await)).isNotNull();
            assertThat(here.runState()).isEqualTo(RunState.RUNNING);
            assertThat(there.runState()).isEqualTo(RunState.INMIGRATE);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"one channel", "none", "zlib", "zstd", "stream", "mapped-ram", "placed"})
    void savedFromAFileThatWasCutShort(String way) throws Exception {
        Path file = directory.resolve("ram");
        try (Arena arena = Arena.ofShared()) {
            FullMachine here = new FullMachine(mapped(file, arena), RunState.RUNNING);
            try (RandomAccessFile ram = new RandomAccessFile(file.toFile(), "rw")) {
                ram.setLength(GUEST / 2);
            }
            Settings settings = settings(way).parameter("max-bandwidth", "0");
            // So that it is the system that meets the pages first.
            if (way.equals("none")) settings = settings.parameter("zero-page-detection", "none");
            boolean toFile = List.of("stream", "mapped-ram", "placed").contains(way);
            Migration load =
                    toFile
                            ? null
                            : engine.receive(
                                    new FullMachine(GUEST, RunState.INMIGRATE),
                                    "tcp:127.0.0.1:0",
                                    settings);
            String uri = toFile ? "file:" + directory.resolve("out") : load.address().toString();
            Migration save = engine.send(here, uri, settings);
            assertThat(catchThrowableOfType(MigrationException.class, save::await))
                    .hasMessageContaining(SAID);
            assertThat(here.runState()).isEqualTo(RunState.RUNNING);
            if (load != null) {
                load.cancel();
                assertThat(catchThrowableOfType(MigrationException.class, load::await)).isNotNull();
            }
            assertThat(directory.toFile().list()).containsExactly("ram");
        }
    }
}
