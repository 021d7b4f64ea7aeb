package org.vmferry.testkit.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.Statistics;
import org.vmferry.engine.memory.KernelDirtyLog;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.ForwardingMachine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.testkit.machine.HostMemory;
import org.vmferry.testkit.machine.ReferenceMachine;
import org.vmferry.testkit.machine.ReferenceMachineBuilder;

import java.lang.foreign.MemorySegment;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;

/**
 * A host that gives no dirty log: its guest is migrated live all the same, against a twin that
 * stayed at home.
 */
class ObservedMigrationTest {
    private static final int WINDOW = 1900; // pages

    @TempDir Path folder;
    private final Engine engine = Engine.create();

    private static ReferenceMachineBuilder small() {
        return ReferenceMachine.builder()
                .ram(8 << 20)
                .dirtyWindow(WINDOW)
                .dirtyEvery(250)
                .printEvery(100_000)
                .pace(100);
    }

    /** The host's own log is never started; where it may not be, RAM can't be read to compare. */
    private static final class Unlogged extends ForwardingMachine {
        private final ReferenceMachine machine;
        private final List<RamBlock> blocks;
        private final int collections; // of garbage

        Unlogged(ReferenceMachine machine, boolean comparable, int collections) {
            super(machine);
            this.machine = machine;
            this.collections = collections;
            List<RamBlock> all = machine.ram().blocks();
            blocks = comparable ? all : all.stream().map(Unlogged::unreadable).toList();
        }

        private static RamBlock unreadable(RamBlock block) {
            return new ForwardingBlock(block) {
                @Override
                public void read(long offset, MemorySegment target) {
                    throw new AssertionError("'" + id() + "' was copied, to be compared");
                }
            };
        }

        @Override
        public RamProvider ram() {
            return () -> blocks;
        }

        /** When all of RAM was sent, the guest goes on and garbage is collected. */
        @Override
        public void enter(RunState state) throws MigrationException {
            long before = collections();
            while (collections() < before + collections) System.gc();
            LingeringMachine.run(machine, 5_000_000);
            super.enter(state);
        }

        private static long collections() {
            return ManagementFactory.getGarbageCollectorMXBeans().stream()
                    .mapToLong(GarbageCollectorMXBean::getCollectionCount)
                    .sum();
        }
    }

    /** The window was sent twice at least; without a log each page is sent once. */
    private static void wasSentWhileItRan(ReferenceMachine machine, Statistics statistics) {
        long pages = machine.ram().blocks().stream().mapToLong(RamBlock::pages).sum();
        assertThat(statistics.normal() + statistics.duplicate()).isGreaterThan(pages + WINDOW);
    }

    private static void needsTheKernel(ReferenceMachine machine) {
        for (RamBlock block : machine.ram().blocks()) {
            KernelDirtyLog.obstacle(block).ifPresent(why -> assumeTrue(false, why));
        }
    }

    @ParameterizedTest
    @CsvSource({"'', tcp, 100", "multifd, tcp, 5", "'', file, 5", "mapped-ram, file, 5"})
    @Tag("DLG-4")
    void theKernelTellsWhatIsStoredWhileGarbageIsCollected(
            String capability, String transport, int collections) throws Exception {
        try (ReferenceMachine source = small().build();
                ReferenceMachine destination = small().build();
                ReferenceMachine twin = small().build()) {
            needsTheKernel(source);
            Statistics statistics =
                    migrate(
                            new Unlogged(source, false, 5),
                            source,
                            destination,
                            capability,
                            transport);
            wasSentWhileItRan(source, statistics);
            follows(source, destination, twin);
        }
    }

    /** What the kernel can't watch is compared with a copy. */
    @ParameterizedTest
    @CsvSource({"BYTES", "INTS"})
    @Tag("DLG-4")
    void whatItCannotTellIsCompared(HostMemory memory) throws Exception {
        try (ReferenceMachine source = small().hostMemory(memory).build();
                ReferenceMachine destination = small().build();
                ReferenceMachine twin = small().build()) {
            Statistics statistics =
                    migrate(new Unlogged(source, true, 5), source, destination, "", "tcp");
            wasSentWhileItRan(source, statistics);
            follows(source, destination, twin);
        }
    }

    /** RAM that is a snapshot's file, mapped: the guest's stores stay in this process. */
    @Test
    @Tag("DLG-4")
    void ramThatWasRestoredByMappingIsWatchedToo() throws Exception {
        String uri = "file:" + folder.resolve("snapshot");
        Settings mapped = Settings.NONE.capability("mapped-ram");
        try (ReferenceMachine first = small().build();
                ReferenceMachine source = small().adopting().build();
                ReferenceMachine destination = small().build();
                ReferenceMachine twin = small().build()) {
            needsTheKernel(first);
            first.runFor(1_000_000);
            engine.send(first, uri, mapped).await();
            var before = source.ram().blocks().get(2).memory();
            engine.receive(source, uri, mapped).await();
            assertThat(source.ram().blocks().get(2).memory()).isNotEqualTo(before);
            Statistics statistics =
                    migrate(new Unlogged(source, false, 5), source, destination, "", "tcp");
            wasSentWhileItRan(source, statistics);
            follows(source, destination, twin);
        }
    }

    private Statistics migrate(
            Unlogged host,
            ReferenceMachine source,
            ReferenceMachine destination,
            String capability,
            String transport)
            throws Exception {
        Settings more = capability.isEmpty() ? Settings.NONE : Settings.NONE.capability(capability);
        boolean file = transport.equals("file");
        String uri = "file:" + folder.resolve("machine");
        Migration incoming = file ? null : engine.receive(destination, "tcp:127.0.0.1:0", more);
        if (!file) uri = incoming.address().toString();
        source.runFor(1_000_000);
        source.enter(RunState.RUNNING);
        Migration outgoing = engine.send(host, uri, more);
        outgoing.await();
        if (file) incoming = engine.receive(destination, uri, more);
        incoming.await();
        return outgoing.statistics();
    }

    private static void follows(
            ReferenceMachine source, ReferenceMachine destination, ReferenceMachine twin)
            throws Exception {
        long switchOver = source.instructions();
        LingeringMachine.run(destination, 1_000_000);
        destination.enter(RunState.PAUSED);
        assertThat(destination.stopReason()).isEmpty();
        twin.runFor(switchOver);
        assertThat(source.digest()).isEqualTo(twin.digest());
        twin.runFor(destination.instructions() - switchOver);
        assertThat(destination.digest().differences(twin.digest())).isEmpty();
        assertThat(twin.output()).endsWith(source.output() + destination.output());
    }
}
