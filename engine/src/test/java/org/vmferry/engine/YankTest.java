package org.vmferry.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Whatever hangs, a yank ends it, and the guest is where the error says. */
@Timeout(60)
class YankTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final Settings FAST = Settings.NONE.parameter("max-bandwidth", "0");
    private static final Settings BACK = FAST.capability("return-path");

    @TempDir Path directory;
    private final Engine engine = new Engine(Plugins.builtIn());
    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void nothingIsLeft() throws Exception {
        for (AutoCloseable one : open) one.close();
        until("no thread is left", () -> threads().isEmpty());
        try (var files = Files.list(directory)) {
            assertThat(files.map(f -> f.getFileName().toString()).filter(n -> !n.equals("peer")))
                    .isEmpty();
        }
    }

    private static List<Thread> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(t -> t.getName().matches("(send|receive)-\\d+.*|vmferry-.*"))
                .toList();
    }

    private static void until(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + SOON.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - end).as(what).isNegative();
            LockSupport.parkNanos(200_000);
        }
    }

    /** Whether the source's thread is there. */
    private static boolean isIn(String part) {
        return threads().stream()
                .flatMap(thread -> Arrays.stream(thread.getStackTrace()))
                .anyMatch(frame -> frame.getClassName().endsWith("." + part));
    }

    private static TestMachine running() {
        return new TestMachine(RunState.RUNNING, TestMachine.heap(512, 3));
    }

    private static TestMachine waiting() {
        return new TestMachine(RunState.INMIGRATE, TestMachine.heap(512, 0));
    }

    private String peer() {
        return "unix:" + directory.resolve("peer");
    }

    /** Somebody who listens, and takes nobody yet. */
    private ServerSocketChannel listening(int backlog) throws IOException {
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        open.add(server);
        return server.bind(UnixDomainSocketAddress.of(directory.resolve("peer")), backlog);
    }

    private SocketChannel connected() throws IOException {
        SocketChannel socket =
                SocketChannel.open(UnixDomainSocketAddress.of(directory.resolve("peer")));
        open.add(socket);
        return socket;
    }

    private static MigrationException yanked(Migration migration) throws InterruptedException {
        assertThat(migration.yank()).isTrue();
        assertThat(migration.await(SOON)).as("it ends in time").isTrue();
        assertThat(migration.yank()).as("once it is over").isFalse();
        assertThat(migration.state()).isEqualTo(MigrationState.FAILED);
        return catchThrowableOfType(MigrationException.class, migration::await);
    }

    @Test
    void aPeerThatStopsReading() throws Exception {
        listening(1);
        TestMachine source = running();
        Migration save = engine.send(source, peer(), FAST);
        until("its socket is full", () -> isIn("SocketStream"));
        assertThat(yanked(save)).hasMessage("the migration was yanked");
        assertThat(source.state).isEqualTo(RunState.RUNNING);
    }

    @Test
    void aQueueThatIsFull() throws Exception {
        listening(1);
        for (int i = 0; i < 2; i++) connected();
        TestMachine source = running();
        Migration save = engine.send(source, peer(), FAST.parameter("connect-timeout", "0"));
        until("it knocks", () -> threads().stream().anyMatch(t -> t.getName().contains("connect")));
        assertThat(yanked(save)).hasMessage("the migration was yanked");
        assertThat(source.entered).isEmpty();
    }

    @Test
    @Tag("RPT-4")
    void aReturnPathThatNeverAnswers() throws Exception {
        RawDestination peer = new RawDestination(directory.resolve("peer"), RawDestination.POLITE);
        open.add(peer);
        TestMachine source = running();
        Migration save = engine.send(source, peer(), BACK);
        peer.awaitEverything();
        assertThat(save.cancel()).as("too late for a cancel").isFalse();
        assertThat(yanked(save)).hasMessageContaining("resume it only if it does not run there");
        assertThat(source.state).isEqualTo(RunState.POSTMIGRATE);
    }

    @Test
    void aCommandThatDoesNotRead() throws Exception {
        TestMachine source = running();
        Migration save = engine.send(source, "exec:sleep 100", FAST);
        until("the pipe is full", () -> isIn("ExecChannel"));
        assertThat(yanked(save)).hasMessageContaining("the migration was yanked");
        assertThat(source.state).isEqualTo(RunState.RUNNING);
    }

    @Test
    void aCommandThatHasEverythingAndDoesNotEnd() throws Exception {
        TestMachine source = running();
        Path whole = directory.resolve("peer");
        Migration save = engine.send(source, "exec:cat > " + whole + "; sleep 100", FAST);
        until("everything was sent", () -> ended(whole));
        assertThat(yanked(save)).hasMessageContaining("resume it only if it does not run there");
        assertThat(source.state).isEqualTo(RunState.POSTMIGRATE);
    }

    private static boolean ended(Path file) {
        try {
            return Files.exists(file) && Files.readString(file, ISO_8859_1).endsWith("}]}]}");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4, 5, 17, 30})
    void aSourceThatStalls(int after) throws Exception {
        TestMachine target = waiting();
        byte[] begun = new Bytes().header("test").ramStart(1).array();
        Migration load = engine.receive(target, peer(), BACK);
        SocketChannel source = connected();
        source.write(ByteBuffer.wrap(begun, 0, after));
        assertThat(yanked(load)).hasMessage("the migration was yanked");
        assertThat(target.entered).isEmpty();
    }

    /** One that can tell whether its log was stopped. */
    private static final class Live extends TestMachine {
        volatile int logging;

        Live() {
            super(RunState.RUNNING, TestMachine.heap(512, 3));
            log =
                    Optional.of(
                            new DirtyLog() {
                                @Override
                                public void start() {
                                    logging++;
                                }

                                @Override
                                public void stop() {
                                    logging--;
                                }

                                @Override
                                public void harvest(RamBlock block, PageBitmap into) {}
                            });
        }
    }

    private StuckFile stuck(StuckFile.At where) {
        StuckFile disk = new StuckFile(where);
        open.add(disk.letGo::countDown);
        return disk;
    }

    private String stuckUri() {
        return "stuck:" + directory.resolve("vm");
    }

    @ParameterizedTest
    @EnumSource(names = {"WRITE", "COMPLETE"})
    void aDiskThatHangsIsNotWaitedFor(StuckFile.At where) throws Exception {
        StuckFile disk = stuck(where);
        Live source = new Live();
        Migration save =
                new Engine(Plugins.builtIn().plus(disk)).send(source, stuckUri(), Settings.NONE);
        disk.reached.await();
        MigrationException error = yanked(save);
        assertThat(error)
                .hasMessage(
                        "the migration was yanked; no longer waited for, but still there: send-1");
        assertThat(error.getSuppressed()[0].getStackTrace())
                .anyMatch(frame -> frame.getClassName().endsWith("StuckFile"));
        assertThat(source.state).isEqualTo(RunState.RUNNING);
        assertThat(source.logging).isZero();
        List<RunState> entered = List.copyOf(source.entered);
        disk.letGo.countDown();
        until("the thread ends", () -> threads().isEmpty());
        assertThat(source.entered).as("afterwards").isEqualTo(entered);
        assertThat(save.state()).isEqualTo(MigrationState.FAILED);
    }

    @Test
    void aCancelThatHangsCanBeYanked() throws Exception {
        StuckFile disk = stuck(StuckFile.At.WRITE);
        TestMachine source = running();
        Migration save =
                new Engine(Plugins.builtIn().plus(disk)).send(source, stuckUri(), Settings.NONE);
        disk.reached.await();
        assertThat(save.cancel()).isTrue();
        assertThat(save.await(Duration.ofMillis(20))).isFalse();
        assertThat(save.yank()).isTrue();
        assertThat(save.await(SOON)).isTrue();
        assertThat(save.state()).isEqualTo(MigrationState.CANCELLED);
        assertThat(catchThrowableOfType(MigrationException.class, save::await))
                .hasMessageStartingWith("the migration was cancelled; no longer waited for")
                .hasMessageContaining("send-1");
        assertThat(source.state).isEqualTo(RunState.RUNNING);
    }

    @Test
    void aLoadFromADiskThatHangs() throws Exception {
        engine.send(running(), "file:" + directory.resolve("peer"), Settings.NONE).await();
        StuckFile disk = stuck(StuckFile.At.READ);
        TestMachine target = waiting();
        Migration load =
                new Engine(Plugins.builtIn().plus(disk))
                        .receive(target, "stuck:" + directory.resolve("peer"), Settings.NONE);
        disk.reached.await();
        assertThat(yanked(load)).hasMessageContaining("still there: receive-1");
        disk.letGo.countDown();
        until("the thread ends", () -> threads().isEmpty());
        assertThat(target.entered).isEmpty();
    }

    @Test
    void aMachineThatIsBeingStartedIsLetBe() throws Exception {
        engine.send(running(), "file:" + directory.resolve("peer"), Settings.NONE).await();
        CountDownLatch entering = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        TestMachine target =
                new TestMachine(RunState.INMIGRATE, TestMachine.heap(512, 0)) {
                    @Override
                    public void enter(RunState next) throws MigrationException {
                        entering.countDown();
                        try {
                            go.await();
                        } catch (InterruptedException e) {
                            throw new AssertionError(e);
                        }
                        super.enter(next);
                    }
                };
        Migration load = engine.receive(target, "file:" + directory.resolve("peer"), Settings.NONE);
        entering.await();
        assertThat(load.yank()).isFalse();
        go.countDown();
        load.await();
        assertThat(target.entered).containsExactly(RunState.RUNNING);
    }
}
