package org.vmferry.testkit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.RamBlock;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What the statistics say of the way around the page cache, and that a save finds it. */
class DirectIoTest {
    private static final int PAGE = 4096;

    private final Engine engine = Engine.create();
    private Path file; // not among temporary files: those may lie in memory

    @BeforeEach
    void makeFolder() throws IOException {
        Path target = Files.createDirectories(Path.of("target"));
        file = Files.createTempDirectory(target.toAbsolutePath(), "direct").resolve("vm");
    }

    @AfterEach
    void removeFolder() throws IOException {
        Files.deleteIfExists(file);
        Files.delete(file.getParent());
    }

    private Migration saved(List<RamBlock> blocks, Settings settings) throws Exception {
        Migration save =
                engine.send(new TestMachine(RunState.PAUSED, blocks), "file:" + file, settings);
        save.await();
        return save;
    }

    @ParameterizedTest
    @CsvSource({"on, true", "off, false", "not set, false"})
    @Tag("MAP-19")
    void statisticsTellIt(String set, boolean direct) throws Exception {
        Settings settings = Settings.NONE.capability("mapped-ram");
        if (!set.equals("not set")) settings = settings.parameter("direct-io", set);
        Migration save = saved(TestMachine.heap(64, 3), settings);
        assertThat(save.statistics().directIo()).isEqualTo(direct);
    }

    @Test
    void aStreamHasNone() throws Exception {
        Migration save = saved(TestMachine.heap(64, 3), Settings.NONE.parameter("direct-io", "on"));
        assertThat(save.statistics().directIo()).isFalse();
    }

    /** Of so many pages only the last holds something; nobody knows before they were looked at. */
    private record Large(long pages) implements RamBlock {
        @Override
        public String id() {
            return "large";
        }

        @Override
        public long usedLength() {
            return pages * PAGE;
        }

        @Override
        public int pageSize() {
            return PAGE;
        }

        @Override
        public void read(long offset, MemorySegment target) {
            target.fill((byte) (offset + target.byteSize() == usedLength() ? 1 : 0));
        }

        @Override
        public void write(long offset, MemorySegment source) {
            throw new UnsupportedOperationException();
        }
    }

    /** With this machine's own memory, whatever it has: each page is looked at. */
    @Test
    @Tag("stress")
    @Tag("MAP-19")
    @EnabledOnOs(OS.LINUX)
    void aLargeGuestGoesAroundThePageCacheByItself() throws Exception {
        String line =
                Files.readAllLines(Path.of("/proc/meminfo")).stream()
                        .filter(each -> each.startsWith("MemAvailable:"))
                        .findFirst()
                        .orElseThrow();
        long available = Long.parseLong(line.replaceAll("\\D", "")) << 10;
        RamBlock large = new Large(available / PAGE * 3 / 4); // it may change meanwhile
        Migration save = saved(List.of(large), Settings.NONE.capability("mapped-ram"));
        assertThat(save.statistics().directIo()).isTrue();
        assertThat(save.statistics().normal()).isBetween(1L, 256L);
    }
}
