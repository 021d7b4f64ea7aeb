package org.vmferry.mappedram;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.spi.doubles.Rams;
import org.vmferry.spi.doubles.TestMain;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.ram.AtomicDirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.ram.Staging;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;

/** A guest writes while many workers save it, round after round. */
class LiveSaveTest {
    private static final int WORKERS = 4;
    private static final int ROUNDS = 30;

    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource({"SEGMENT, false", "SEGMENT, true", "INTS, false", "BYTES, true"})
    @Tag("MAP-10")
    @Tag("MAP-13")
    void everyRoundRewritesInPlace(Hosts host, boolean direct) throws Exception {
        Path path = folder.resolve("f");
        try (Arena arena = Arena.ofShared();
                ExecutorService pool = Executors.newFixedThreadPool(WORKERS + 1);
                TestMain out = new TestMain(path, 11)) {
            List<RamBlock> blocks =
                    List.of(host.block("a", 777, arena), host.block("b", 256, arena));
            AtomicDirtyLog log = new AtomicDirtyLog(blocks);
            log.start();
            List<Long> sizes = new ArrayList<>();
            MiniEngine.save(
                    out,
                    MiniEngine.session(direct),
                    blocks,
                    saver -> {
                        rounds(saver, blocks, log, pool);
                        sizes.add(out.buffered.size());
                    });
            List<PlainFile.Block> found = PlainFile.read(path, 11);
            for (int i = 0; i < 2; i++) {
                byte[] ram = Rams.content(blocks.get(i));
                assertThat(PlainFile.content(path, found.get(i))).isEqualTo(ram);
                assertThat(PlainFile.area(path, found.get(i))).isEqualTo(ram);
            }
            PlainFile.Block last = found.getLast();
            assertThat(sizes.getFirst()).isLessThanOrEqualTo(last.pagesAt + last.used + 8);
            assertThat(out.buffered.size()).isEqualTo(last.pagesAt + last.used + 20);

            // And ours are trusted when mapped, after all these rounds.
            out.seek(11);
            int questions = out.buffered.holeQuestions.get();
            try (Arena guest = Arena.ofShared()) {
                MappingTarget target = new MappingTarget(guest);
                MiniEngine.load(out, MiniEngine.session(false), target);
                assertThat(out.buffered.holeQuestions.get()).isEqualTo(questions);
                for (RamBlock block : blocks)
                    assertThat(target.content(block.id())).isEqualTo(Rams.content(block));
            }
        }
    }

    private static void rounds(
            FileLayout.Saver saver, List<RamBlock> blocks, AtomicDirtyLog log, ExecutorService pool)
            throws Exception {
        Random random = new Random(42);
        for (int round = 0; round <= ROUNDS; round++) {
            BlockingQueue<Run> runs = new LinkedBlockingQueue<>();
            for (RamBlock block : blocks) {
                PageBitmap dirty = new PageBitmap(block.pages());
                if (round == 0) dirty.setAll();
                log.harvest(block, dirty);
                for (long page = dirty.nextSet(0); page < block.pages(); ) {
                    long end = Math.min(dirty.nextClear(page), page + 1 + random.nextInt(400));
                    runs.add(new Run(block, page, (int) (end - page)));
                    page = dirty.nextSet(end);
                }
            }
            List<Future<?>> jobs = new ArrayList<>();
            // In the last round the guest is paused.
            if (round < ROUNDS) {
                Random writes = new Random(random.nextLong());
                jobs.add(pool.submit(() -> guest(blocks, log, writes)));
            }
            for (int i = 0; i < WORKERS; i++) jobs.add(pool.submit(worker(saver, runs)));
            for (Future<?> job : jobs) job.get();
        }
    }

    private static Callable<Void> worker(FileLayout.Saver saver, BlockingQueue<Run> runs) {
        return () -> {
            try (Staging staging = new Staging()) {
                for (Run run = runs.poll(); run != null; run = runs.poll())
                    MiniEngine.move(saver, run, staging);
            }
            return null;
        };
    }

    /** Writes whole pages, half of them zeros, in clusters. */
    private static void guest(List<RamBlock> blocks, AtomicDirtyLog log, Random random) {
        for (int i = 0; i < 60; i++) {
            RamBlock block = blocks.get(random.nextInt(2));
            long page = random.nextLong(block.pages());
            int value = random.nextBoolean() ? 0 : 1 + random.nextInt(255);
            for (int n = random.nextInt(8); n >= 0 && page < block.pages(); n--, page++) {
                Rams.fill(block, page, value);
                log.mark(block, page);
            }
        }
    }
}
