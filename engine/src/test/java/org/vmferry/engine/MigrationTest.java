package org.vmferry.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.Inspection;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.engine.transport.LocalFileTransport;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.doubles.Rams;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.ram.AtomicDirtyLog;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.FileTransport;
import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.OutgoingFile;
import org.vmferry.spi.transport.PositionedFile;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;

class MigrationTest {
    @TempDir Path directory;
    private final Engine engine = new Engine(Plugins.builtIn());

    @AfterEach
    void nothingIsLeft() throws IOException {
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(t -> t.getName().matches("(send|receive|inspect)-\\d+-.*"));
        try (var fds = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path fd : fds) {
                if (!Files.isSymbolicLink(fd)) continue; // closed meanwhile
                assertThat(Files.readSymbolicLink(fd).toString())
                        .doesNotContain(directory.toString());
            }
        }
    }

    private String uri() {
        return "file:" + directory.resolve("vm");
    }

    private List<String> names() throws IOException {
        try (var files = Files.list(directory)) {
            return files.map(f -> f.getFileName().toString()).toList();
        }
    }

    private static TestMachine source() {
        TestMachine machine = new TestMachine(RunState.RUNNING, TestMachine.heap(64, 1));
        machine.number = 4711;
        return machine;
    }

    private static TestMachine target() {
        return new TestMachine(RunState.INMIGRATE, TestMachine.heap(64, 0));
    }

    private static MigrationException failure(Migration migration) throws InterruptedException {
        try {
            migration.await();
            throw new AssertionError("it completed");
        } catch (MigrationException e) {
            return e;
        }
    }

    private byte[] snapshot() throws Exception {
        engine.send(source(), uri(), Settings.NONE).await();
        return Files.readAllBytes(directory.resolve("vm"));
    }

    @Test
    void whatIsSavedIsLoaded() throws Exception {
        TestMachine source = source();
        Migration save = engine.send(source, uri(), Settings.NONE);
        save.await();
        assertThat(save.state()).isEqualTo(MigrationState.COMPLETED);
        assertThat(source.entered).containsExactly(RunState.FINISH_MIGRATE, RunState.POSTMIGRATE);
        assertThat(save.cancel()).isFalse();
        Statistics numbers = save.statistics();
        assertThat(numbers.transferred()).isEqualTo(Files.size(directory.resolve("vm")));
        assertThat(numbers.normal()).isEqualTo(40);
        assertThat(numbers.duplicate()).isEqualTo(26);
        assertThat(numbers.remaining()).isZero();
        TestMachine target = target();
        Migration load = engine.receive(target, uri(), Settings.NONE);
        load.await();
        assertThat(target.entered).containsExactly(RunState.RUNNING);
        assertThat(target.number).isEqualTo(4711);
        for (int i = 0; i < 2; i++) {
            assertThat(Rams.content(target.ram().blocks().get(i)))
                    .isEqualTo(Rams.content(source.ram().blocks().get(i)));
        }
        assertThat(load.statistics().total()).isEqualTo(66 * 4096);
        Inspection inspection = engine.inspect(uri());
        assertThat(inspection.blocks().getFirst().present().cardinality()).isEqualTo(40);
        assertThat(inspection.devices())
                .containsExactly(
                        new Inspection.Device("number", 0, 1, 8),
                        new Inspection.Device("globalstate", 0, 1, 104));
    }

    @Test
    @Tag("STR-11")
    void pausedStaysPaused() throws Exception {
        TestMachine source = source();
        source.state = RunState.PAUSED;
        Migration save = engine.send(source, uri(), Settings.NONE);
        save.await();
        assertThat(save.statistics().downtime()).isZero();
        TestMachine target = target();
        engine.receive(target, uri(), Settings.NONE).await();
        assertThat(target.entered).containsExactly(RunState.PAUSED);
    }

    enum Phase {
        ROUND,
        PAUSE,
        DEVICE,
        COMPLETE,
        HARVEST
    }

    @ParameterizedTest
    @EnumSource
    void theGuestRunsOnWhateverFails(Phase phase) throws Exception {
        Path file = Files.writeString(directory.resolve("vm"), "old");
        TestMachine source = failing(phase);
        Engine engine = phase == Phase.COMPLETE ? new Engine(brokenFile()) : this.engine;
        Migration save =
                engine.send(
                        source, phase == Phase.COMPLETE ? "broken:" + file : uri(), Settings.NONE);
        MigrationException failure = failure(save);
        assertThat(failure).hasMessageContaining("on purpose");
        assertThat(failure.blame())
                .isEqualTo(phase == Phase.COMPLETE ? Blame.TRANSPORT : Blame.HOST);
        assertThat(save.state()).isEqualTo(MigrationState.FAILED);
        assertThat(source.state).isEqualTo(RunState.RUNNING);
        assertThat(names()).containsExactly("vm");
        assertThat(Files.readString(file)).isEqualTo("old");
    }

    private static TestMachine failing(Phase phase) {
        TestMachine machine =
                new TestMachine(RunState.RUNNING, TestMachine.heap(64, 1)) {
                    @Override
                    public void enter(RunState next) throws MigrationException {
                        if (phase == Phase.PAUSE && next == RunState.FINISH_MIGRATE)
                            throw new IllegalStateException("on purpose");
                        super.enter(next);
                    }

                    @Override
                    public List<DeviceState> devices() {
                        return phase == Phase.DEVICE ? List.of(new Failing()) : super.devices();
                    }
                };
        if (phase == Phase.ROUND || phase == Phase.HARVEST) {
            machine.log =
                    Optional.of(
                            new DirtyLog() {
                                private int rounds;

                                @Override
                                public void start() {}

                                @Override
                                public void stop() {}

                                @Override
                                public void harvest(RamBlock block, PageBitmap into) {
                                    // In the second round; once the guest is paused.
                                    if (phase == Phase.ROUND || ++rounds > 2)
                                        throw new IllegalStateException("on purpose");
                                }
                            });
        }
        return machine;
    }

    private static final class Failing implements DeviceState {
        @Override
        public String id() {
            return "failing";
        }

        @Override
        public void save(DataOutput out) throws IOException {
            throw new IOException("on purpose");
        }

        @Override
        public void load(DataInput in, int version) {}
    }

    /** The file transport, whose complete() fails. */
    private static Plugins brokenFile() throws MigrationException {
        FileTransport file = new LocalFileTransport();
        return Plugins.builtIn()
                .plus(
                        new FileTransport() {
                            @Override
                            public String id() {
                                return "broken";
                            }

                            @Override
                            public OutgoingFile outgoing(Address address, Options options)
                                    throws MigrationException {
                                OutgoingFile end = file.outgoing(address, options);
                                return new OutgoingFile() {
                                    @Override
                                    public PositionedFile file(boolean direct) throws IOException {
                                        return end.file(direct);
                                    }

                                    @Override
                                    public void complete() throws IOException {
                                        throw new IOException("on purpose");
                                    }

                                    @Override
                                    public void release() {
                                        end.release();
                                    }

                                    @Override
                                    public void close() {
                                        end.close();
                                    }
                                };
                            }

                            @Override
                            public IncomingFile incoming(Address address, Options options)
                                    throws IOException {
                                return file.incoming(address, options);
                            }
                        });
    }

    @Test
    void aMachineThatCantBeHandedOverIsSavedAllTheSame() throws Exception {
        TestMachine source =
                new TestMachine(RunState.RUNNING, TestMachine.heap(64, 1)) {
                    @Override
                    public void enter(RunState next) throws MigrationException {
                        if (next == RunState.POSTMIGRATE) throw new IllegalStateException("no");
                        super.enter(next);
                    }
                };
        engine.send(source, uri(), Settings.NONE).await();
        assertThat(source.state).isEqualTo(RunState.FINISH_MIGRATE);
        engine.receive(target(), uri(), Settings.NONE).await();
    }

    /** A log that always has a dirty page, so that the rounds go on until a cancel. */
    private static TestMachine restless() {
        TestMachine machine = source();
        List<RamBlock> blocks = machine.ram().blocks();
        AtomicDirtyLog log = new AtomicDirtyLog(blocks);
        machine.log =
                Optional.of(
                        new DirtyLog() {
                            @Override
                            public void start() {
                                log.start();
                            }

                            @Override
                            public void stop() {
                                log.stop();
                            }

                            @Override
                            public void harvest(RamBlock block, PageBitmap into) {
                                log.mark(block, 0);
                                log.harvest(block, into);
                            }
                        });
        return machine;
    }

    @Test
    void cancelledAtAnyMomentNothingIsLeft() throws Exception {
        Random random = new Random(5);
        Settings never = Settings.NONE.parameter("downtime-limit", "0");
        for (int i = 0; i < 60; i++) {
            TestMachine source = restless();
            Migration save = engine.send(source, uri(), never);
            long spin = System.nanoTime() + random.nextInt(3_000_000);
            while (System.nanoTime() < spin) Thread.onSpinWait();
            assertThat(save.cancel()).isTrue();
            assertThat(save.cancel()).isFalse();
            assertThat(failure(save)).hasMessage("the migration was cancelled");
            assertThat(save.state()).isEqualTo(MigrationState.CANCELLED);
            assertThat(source.state).isEqualTo(RunState.RUNNING);
            assertThat(names()).isEmpty();
        }
    }

    @Test
    void aCancelWinsOrComesTooLateNeverBoth() throws Exception {
        Random random = new Random(6);
        int cancelled = 0;
        for (int i = 0; i < 80; i++) {
            TestMachine source = source();
            Migration save = engine.send(source, uri(), Settings.NONE);
            long spin = System.nanoTime() + random.nextInt(4_000_000);
            while (System.nanoTime() < spin) Thread.onSpinWait();
            boolean won = save.cancel();
            assertThat(save.await(Duration.ofSeconds(20))).isTrue();
            assertThat(save.state())
                    .isEqualTo(won ? MigrationState.CANCELLED : MigrationState.COMPLETED);
            assertThat(source.state).isEqualTo(won ? RunState.RUNNING : RunState.POSTMIGRATE);
            assertThat(names()).hasSize(won ? 0 : 1);
            Files.deleteIfExists(directory.resolve("vm"));
            if (won) cancelled++;
        }
        assertThat(cancelled).isPositive();
    }

    @Test
    void aLoadCancelledAtOnceStartsNothing() throws Exception {
        snapshot();
        for (int i = 0; i < 60; i++) {
            TestMachine target = target();
            Migration load = engine.receive(target, uri(), Settings.NONE);
            boolean won = load.cancel();
            assertThat(load.await(Duration.ofSeconds(20))).isTrue();
            assertThat(target.entered).hasSize(won ? 0 : 1);
            nothingIsLeft();
        }
    }

    @Test
    void cutAnywhereItNeverStarts() throws Exception {
        byte[] whole = snapshot();
        String text = new String(whole, "ISO-8859-1");
        int end = text.indexOf("{\"configuration\"") - 5; // VMDESCRIPTION
        List<Integer> cuts = new ArrayList<>();
        for (int i = 0; i < text.indexOf("vmferry 1\n"); i++) { // behind it all is there
            if (i < 200 || i % 12289 == 0 || i > end - 150 && i % 3 == 0) cuts.add(i);
        }
        for (int cut : cuts) {
            if (cut == end) continue; // a missing VMDESCRIPTION is no error
            refused(Arrays.copyOf(whole, cut), "cut at " + cut);
        }
    }

    @Test
    void damagedHeadersFailClearly() throws Exception {
        byte[] whole = snapshot();
        for (int at = 0; at < 84; at++) {
            for (int value : new int[] {0, 1, 0x7f, 0x80, 0xff}) {
                byte[] bad = whole.clone();
                if (bad[at] == (byte) value) continue;
                bad[at] = (byte) value;
                refused(bad, "0x%02x at %d".formatted(value, at));
            }
        }
    }

    private void refused(byte[] bytes, String what) throws Exception {
        Path file = directory.resolve("bad");
        Files.write(file, bytes);
        TestMachine target = target();
        Migration load = engine.receive(target, "file:" + file, Settings.NONE);
        assertThat(load.await(Duration.ofSeconds(20))).as(what).isTrue();
        assertThat(load.state()).as(what).isEqualTo(MigrationState.FAILED);
        assertThat(target.entered).as(what).isEmpty();
        assertThat(failure(load).blame())
                .as(what + ": " + failure(load))
                .isIn(Blame.PEER, Blame.USER, Blame.HOST);
        try {
            engine.inspect("file:" + file); // another machine's name is nothing to it
        } catch (MigrationException e) {
            assertThat(e.getMessage()).as(what).isNotEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"0x0FFFFFFFFFFFF000", "0x4000000000000000", "0x0000800000000000"})
    void noLengthInAStreamMakesALookAllocate(String length) throws Exception {
        long bytes = Long.decode(length);
        Bytes stream = new Bytes().header("test").ramStart(1).u64(bytes | 4);
        stream.str8("ram").u64(bytes).u64(0x10).footer(1);
        Files.write(directory.resolve("bad"), stream.array());
        assertThatThrownBy(() -> engine.inspect("file:" + directory.resolve("bad")))
                .isInstanceOf(MigrationException.class)
                .hasMessageContainingAll("'ram'", "too large");
    }

    @Test
    void anotherMachineIsRefused() throws Exception {
        snapshot();
        TestMachine other =
                new TestMachine(RunState.INMIGRATE, TestMachine.heap(64, 0)) {
                    @Override
                    public String type() {
                        return "other";
                    }
                };
        assertThat(failure(engine.receive(other, uri(), Settings.NONE)))
                .hasMessage("the stream is of a machine 'test', this one is 'other'");
    }

    @Test
    void statisticsNeverGoBack() throws Exception {
        TestMachine source = restless();
        Migration save = engine.send(source, uri(), Settings.NONE.parameter("downtime-limit", "0"));
        CountDownLatch over = new CountDownLatch(1);
        long[] last = new long[2];
        Thread watcher =
                new Thread(
                        () -> {
                            while (over.getCount() > 0) {
                                Statistics now = save.statistics();
                                if (now.transferred() < last[0]) last[1]++;
                                last[0] = now.transferred();
                            }
                        });
        watcher.start();
        while (save.statistics().dirtySyncCount() < 50) LockSupport.parkNanos(200_000);
        save.cancel();
        failure(save);
        over.countDown();
        watcher.join();
        assertThat(last[1]).isZero();
        assertThat(save.statistics().dirtySyncCount()).isGreaterThanOrEqualTo(50);
    }
}
