package org.vmferry.testkit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.doubles.Rams;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.RamBlock;

import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Who moves the pages of a file with places, where nobody has asked for multifd. */
@Timeout(60)
class FileWorkersTest {
    private static final int PAGES = 4000; // no whole number of a worker's pieces
    private static final int WORKERS = Math.min(4, Runtime.getRuntime().availableProcessors());
    private static final Settings MAPPED = Settings.NONE.capability("mapped-ram");

    @TempDir Path folder;
    private final Engine engine = Engine.create();

    /** Pages of all kinds, zero ones among them, in two blocks. */
    private static List<RamBlock> ram(boolean nativeMemory) {
        List<RamBlock> blocks =
                List.of(
                        Rams.block("pc.ram", PAGES, nativeMemory),
                        Rams.block("vga.vram", 7, nativeMemory));
        for (RamBlock block : blocks) Rams.change(block, new Random(7), 60);
        return blocks;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7})
    @Tag("MFD-21")
    @Tag("MAP-13")
    void aFileIsTheSameWhoeverWritesIt(int workers) throws Exception {
        Settings asked = MAPPED.capability("multifd").parameter("multifd-channels", "" + workers);
        Path byThese = saved("these", asked);
        Path byDefault = saved("default", MAPPED);
        assertThat(Files.mismatch(byDefault, byThese)).isEqualTo(-1);

        for (Settings settings : List.of(asked, MAPPED)) {
            List<RamBlock> blocks =
                    List.of(Rams.block("pc.ram", PAGES, true), Rams.block("vga.vram", 7, true));
            TestMachine to = new TestMachine(RunState.INMIGRATE, blocks);
            engine.receive(to, "file:" + byDefault, settings).await();
            List<RamBlock> there = ram(true);
            for (int i = 0; i < blocks.size(); i++)
                assertThat(Rams.content(blocks.get(i))).isEqualTo(Rams.content(there.get(i)));
        }
    }

    private Path saved(String name, Settings settings) throws Exception {
        Path file = folder.resolve(name);
        engine.send(new TestMachine(RunState.PAUSED, ram(true)), "file:" + file, settings).await();
        return file;
    }

    /** Nobody goes on before as many as there are cores move pages; fewer wait in vain. */
    private static final class Meeting extends ForwardingBlock {
        private final CountDownLatch missing = new CountDownLatch(WORKERS);
        private final Set<Thread> movers = ConcurrentHashMap.newKeySet();

        Meeting(RamBlock real) {
            super(real);
        }

        @Override
        public Optional<MemorySegment> memory() {
            return Optional.empty();
        }

        private void meet() {
            if (movers.add(Thread.currentThread())) missing.countDown();
            boolean met;
            try {
                met = missing.await(20, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            assertThat(met).as("%d workers", WORKERS).isTrue();
        }

        @Override
        public void read(long offset, MemorySegment target) {
            meet();
            super.read(offset, target);
        }

        @Override
        public void write(long offset, MemorySegment source) {
            meet();
            super.write(offset, source);
        }
    }

    @Test
    @Tag("MFD-21")
    void thereAreAsManyAsCores() throws Exception {
        Path file = folder.resolve("vm");
        RamBlock full = Rams.block("ram", PAGES, false);
        for (long page = 0; page < PAGES; page++) Rams.fill(full, page, (int) (page % 255) + 1);
        Meeting from = new Meeting(full);
        engine.send(new TestMachine(RunState.PAUSED, List.of(from)), "file:" + file, MAPPED)
                .await();
        assertThat(from.movers).hasSize(WORKERS);

        Meeting to = new Meeting(Rams.block("ram", PAGES, false));
        engine.receive(new TestMachine(RunState.INMIGRATE, List.of(to)), "file:" + file, MAPPED)
                .await();
        assertThat(to.movers).hasSize(WORKERS);
        assertThat(Rams.content(to)).isEqualTo(Rams.content(full));
    }
}
