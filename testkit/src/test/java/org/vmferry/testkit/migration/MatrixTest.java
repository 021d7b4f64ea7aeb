package org.vmferry.testkit.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.doubles.Rams;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.AtomicDirtyLog;
import org.vmferry.spi.ram.RamBlock;

import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Files of each layout x who moves their pages x kinds of hosts. */
class MatrixTest {
    private static final int PAGE = 4096;
    private static final int PAGES = 700;
    @TempDir Path directory;
    private final Arena arena = Arena.ofShared();
    private final Engine engine = new Engine(Plugins.discover().plus(new CrewCarrier()));

    @AfterEach
    void close() {
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(t -> t.getName().matches("(send|receive)-\\d+-.*"));
        arena.close();
    }

    /** Who moves the pages to their places: the migration thread, or workers. */
    static Stream<Arguments> all() {
        return Stream.of("stream", "mapped-ram", "mapped-ram,crew")
                .flatMap(
                        layout ->
                                Stream.of("segment", "byte[]", "int[]")
                                        .map(host -> Arguments.of(layout, host)));
    }

    private static Settings settings(String layout) {
        Settings settings = Settings.NONE;
        if (layout.equals("stream")) return settings;
        for (String capability : layout.split(",")) settings = settings.capability(capability);
        return settings;
    }

    private MemorySegment memory(String host, int pages) {
        return switch (host) {
            case "segment" -> arena.allocate((long) pages * PAGE, PAGE);
            case "byte[]" -> MemorySegment.ofArray(new byte[pages * PAGE]);
            default -> MemorySegment.ofArray(new int[pages * PAGE / 4]);
        };
    }

    private List<RamBlock> blocks(String host) {
        return List.of(
                RamBlock.of("ram", memory(host, PAGES), PAGE),
                RamBlock.of("rom", memory(host, 3), PAGE));
    }

    private String uri() {
        return "file:" + directory.resolve("vm");
    }

    private TestMachine source(String host) {
        TestMachine vm = new TestMachine(RunState.RUNNING, blocks(host));
        byte[] page = new byte[PAGE];
        for (int i = 0; i < PAGES; i++) {
            if ((i & 7) > 4) continue;
            Arrays.fill(page, (byte) (1 + i));
            vm.ram().blocks().getFirst().write((long) i * PAGE, MemorySegment.ofArray(page));
        }
        vm.number = 99;
        return vm;
    }

    /** What it holds before must not be seen after. */
    private TestMachine target(String host) {
        TestMachine vm = new TestMachine(RunState.INMIGRATE, blocks(host));
        byte[] old = new byte[PAGES * PAGE];
        Arrays.fill(old, (byte) 0x77);
        vm.ram().blocks().getFirst().write(0, MemorySegment.ofArray(old));
        return vm;
    }

    @ParameterizedTest
    @MethodSource("all")
    @Tag("MAP-2")
    @Tag("MAP-9")
    void whatIsSavedIsLoaded(String layout, String host) throws Exception {
        TestMachine source = source(host);
        engine.send(source, uri(), settings(layout)).await();
        assertThat(source.state).isEqualTo(RunState.POSTMIGRATE);
        // Loading is independent of how it was saved.
        List<String> loaders =
                layout.equals("stream")
                        ? List.of(layout)
                        : List.of("mapped-ram", "mapped-ram,crew");
        for (String loader : loaders) {
            TestMachine target = target(host);
            engine.receive(target, uri(), settings(loader)).await();
            assertThat(target.state).isEqualTo(RunState.RUNNING);
            assertThat(target.number).isEqualTo(99);
            assertThat(Rams.content(target.ram().blocks().get(0)))
                    .isEqualTo(Rams.content(source.ram().blocks().get(0)));
            assertThat(Rams.content(target.ram().blocks().get(1)))
                    .isEqualTo(Rams.content(source.ram().blocks().get(1)));
        }
    }

    @ParameterizedTest
    @MethodSource("all")
    @Tag("DLG-1")
    @Tag("DLG-4")
    @Tag("DLG-5")
    @Tag("MAP-13")
    void aGuestThatKeepsWritingIsSavedAsItWasPaused(String layout, String host) throws Exception {
        TestMachine source = source(host);
        List<RamBlock> blocks = source.ram().blocks();
        AtomicDirtyLog log = new AtomicDirtyLog(blocks);
        source.log = java.util.Optional.of(log);
        Guest guest = new Guest(source, log);
        guest.start();
        Migration save =
                engine.send(source, uri(), settings(layout).parameter("downtime-limit", "2000000"));
        save.await();
        guest.join();
        assertThat(save.statistics().dirtySyncCount()).isPositive();
        if (!layout.equals("stream")) {
            // Two blocks, each with up to 1 MiB before it, and the devices.
            assertThat(Files.size(directory.resolve("vm")))
                    .isLessThan((PAGES + 3) * PAGE + (3 << 20));
        }
        TestMachine target = target(host);
        engine.receive(target, uri(), settings(layout)).await();
        assertThat(Rams.content(target.ram().blocks().get(0)))
                .isEqualTo(Rams.content(source.ram().blocks().get(0)));
    }

    /** A virtual CPU: writes, marks, and stands still when it is told to. */
    private static final class Guest extends Thread {
        private final TestMachine vm;
        private final AtomicDirtyLog log;

        Guest(TestMachine vm, AtomicDirtyLog log) {
            super("guest");
            this.vm = vm;
            this.log = log;
        }

        @Override
        public void run() {
            RamBlock ram = vm.ram().blocks().getFirst();
            MemorySegment value = MemorySegment.ofArray(new byte[8]);
            for (long n = 1; ; n++) {
                synchronized (vm) {
                    if (vm.state != RunState.RUNNING) return;
                    long page = n * 31 % PAGES;
                    // Every third time the page becomes zero in its first bytes.
                    value.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, n % 3 == 0 ? 0 : n);
                    ram.write(page * PAGE, value);
                    log.mark(ram, page);
                }
            }
        }
    }

    @Test
    @Tag("MAP-8")
    void aMappedRamFileCutAnywhereNeverStarts() throws Exception {
        engine.send(source("byte[]"), uri(), settings("mapped-ram")).await();
        Path file = directory.resolve("vm");
        long size = Files.size(file);
        Path bad = directory.resolve("bad");
        Files.copy(file, bad);
        try (RandomAccessFile cut = new RandomAccessFile(bad.toFile(), "rw")) {
            for (long length = size - 300; length > 0; length -= length > 8192 ? 5 * PAGE : 97) {
                cut.setLength(length);
                refused(bad, "cut at " + length);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 0x80, 0xff})
    @Tag("MAP-3")
    @Tag("MAP-8")
    void damagedHeadersNeverHurt(int value) throws Exception {
        engine.send(source("byte[]"), uri(), settings("mapped-ram")).await();
        byte[] whole = Files.readAllBytes(directory.resolve("vm"));
        Path bad = directory.resolve("bad");
        Files.write(bad, whole);
        try (RandomAccessFile file = new RandomAccessFile(bad.toFile(), "rw")) {
            for (int at = 0; at < 140; at++) {
                if (whole[at] == (byte) value) continue;
                file.seek(at);
                file.write(value);
                TestMachine target = target("byte[]");
                Migration load = engine.receive(target, "file:" + bad, settings("mapped-ram,crew"));
                assertThat(load.await(Duration.ofSeconds(20))).isTrue();
                if (load.state() == MigrationState.FAILED) {
                    assertThat(target.state).isEqualTo(RunState.INMIGRATE);
                }
                file.seek(at);
                file.write(whole[at]);
            }
        }
    }

    private void refused(Path file, String what) throws Exception {
        TestMachine target = target("byte[]");
        Migration load = engine.receive(target, "file:" + file, settings("mapped-ram,crew"));
        assertThat(load.await(Duration.ofSeconds(20))).as(what).isTrue();
        assertThatThrownBy(load::await).as(what).isInstanceOf(MigrationException.class);
        assertThat(target.state).as(what).isEqualTo(RunState.INMIGRATE);
    }
}
