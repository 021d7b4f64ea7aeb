package org.vmferry.testkit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.testkit.machine.ReferenceMachine;
import org.vmferry.testkit.machine.ReferenceMachineBuilder;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.FutureTask;

/** A machine goes over, or is saved, as a tool of the host's reads its dirty log all the time. */
class SharedLogMigrationTest {
    private static final Settings SLOW =
            Settings.NONE
                    // The guest writes much in the first round, and is then stopped for all of it.
                    .parameter("max-bandwidth", "33554432")
                    .parameter("downtime-limit", "2000");

    @TempDir Path folder;
    private final Engine engine = Engine.create();

    private static ReferenceMachineBuilder small() {
        return ReferenceMachine.builder().ram(8 << 20).dirtyWindow(1900).dirtyEvery(250).pace(100);
    }

    @ParameterizedTest
    @CsvSource({"tcp, true", "tcp, false", "stream, true", "mapped-ram, false"})
    @Tag("DLG-4")
    void bothAreToldOfEveryPage(String way, boolean toolFirst) throws Exception {
        try (ReferenceMachine source = small().build();
                ReferenceMachine destination = small().build();
                ReferenceMachine twin = small().build()) {
            source.runFor(2_000_000);
            Tool tool = new Tool(source);
            if (toolFirst) tool.start();
            source.enter(RunState.RUNNING);
            Settings settings = way.equals("mapped-ram") ? SLOW.capability(way) : SLOW;
            String file = "file:" + folder.resolve("machine.snap");
            Migration incoming = null;
            if (way.equals("tcp")) incoming = engine.receive(destination, "tcp:127.0.0.1:0", SLOW);
            String to = incoming == null ? file : incoming.address().toString();
            Migration outgoing = engine.send(new LingeringMachine(source, 5_000_000), to, settings);
            if (!toolFirst) {
                while (outgoing.statistics().normal() == 0 && !outgoing.state().isFinal())
                    Thread.onSpinWait();
                tool.start();
            }
            outgoing.await();
            tool.stop();
            if (incoming == null) incoming = engine.receive(destination, file, settings);
            incoming.await();

            assertThat(tool.whileItRan).as("marks that it took from the migration").isPositive();
            tool.check();
            destination.enter(RunState.PAUSED);
            twin.runFor(destination.instructions());
            assertThat(destination.digest().differences(twin.digest())).isEmpty();
            assertThat(destination.digest()).isEqualTo(twin.digest());
        }
    }

    /** Copies all RAM, and then counts the pages that it is told of. */
    private static final class Tool {
        private final ReferenceMachine machine;
        private final DirtyLog log;
        private final Map<RamBlock, MemorySegment> before = new HashMap<>();
        private final Map<RamBlock, PageBitmap> told = new HashMap<>();
        private final FutureTask<Void> watch = new FutureTask<>(this::watch, null);
        private volatile boolean over;
        long whileItRan;

        Tool(ReferenceMachine machine) {
            this.machine = machine;
            log = machine.dirtyLogReader();
        }

        void start() {
            log.start();
            for (RamBlock block : machine.ram().blocks()) {
                told.put(block, new PageBitmap(block.pages()));
                before.put(block, content(block));
            }
            new Thread(watch, "tool").start();
        }

        private static MemorySegment content(RamBlock block) {
            MemorySegment all = MemorySegment.ofArray(new byte[(int) block.usedLength()]);
            block.read(0, all);
            return all;
        }

        private void watch() {
            while (!over) {
                harvest();
                if (machine.runState() == RunState.RUNNING) whileItRan = told();
            }
            harvest();
        }

        private void harvest() {
            told.forEach(log::harvest);
        }

        private long told() {
            return told.values().stream().mapToLong(PageBitmap::cardinality).sum();
        }

        void stop() throws Exception {
            over = true;
            watch.get();
            log.stop();
        }

        /** It was told of each page that has changed, and of none in memory that can't. */
        void check() {
            before.forEach(
                    (block, old) -> {
                        MemorySegment now = content(block);
                        int changed = 0;
                        for (long page = 0; page < block.pages(); page++) {
                            long from = page * block.pageSize();
                            long to = from + block.pageSize();
                            if (MemorySegment.mismatch(old, from, to, now, from, to) < 0) continue;
                            changed++;
                            assertThat(told.get(block).get(page))
                                    .as("%s, page %s", block.id(), page)
                                    .isTrue();
                        }
                        if (block.id().equals("ref.ram")) assertThat(changed).isGreaterThan(100);
                        if (block.id().equals("ref.rom"))
                            assertThat(told.get(block).cardinality()).isZero();
                    });
        }
    }
}
