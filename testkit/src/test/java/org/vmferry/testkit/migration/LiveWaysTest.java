package org.vmferry.testkit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.Statistics;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.engine.transport.FdTransport;
import org.vmferry.engine.transport.NamedChannels;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.testkit.machine.ForgetfulDirtyLog;
import org.vmferry.testkit.machine.ReferenceMachine;
import org.vmferry.testkit.machine.ReferenceMachineBuilder;
import org.vmferry.testkit.tls.TestCertificates;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * The reference machine, migrated live while it writes, in every way there is: against a twin that
 * stayed at home.
 *
 * <p>Each migration has the same rounds on any machine, however loaded. The guest has written to
 * most of its window when each of the first two ends: that is too much to stop for. Then it is
 * throttled, and what it still writes is little enough.
 */
class LiveWaysTest {
    private static final int BAD_ROUNDS = 2;

    @TempDir static Path keys;
    @TempDir Path folder;
    private final NamedChannels names = new NamedChannels();
    private final Engine engine = new Engine(Plugins.discover().plus(new FdTransport(names)));

    /** A transport, a layout, and who carries the pages: with 0 channels the main one. */
    record Way(
            String transport,
            boolean mapped,
            int channels,
            String codec,
            boolean direct,
            boolean tls,
            boolean returnPath) {
        Settings settings() {
            Settings settings =
                    Settings.NONE
                            .capability("auto-converge")
                            .parameter("cpu-throttle-initial", "99")
                            .parameter("max-bandwidth", "0")
                            // The guest stops for a quarter of its window, on any link.
                            .parameter("avail-switchover-bandwidth", "524288")
                            .parameter("downtime-limit", "2000");
            if (mapped) settings = settings.capability("mapped-ram");
            if (direct) settings = settings.parameter("direct-io", "on");
            if (returnPath) settings = settings.capability("return-path");
            if (channels == 0) return settings;
            return settings.capability("multifd")
                    .parameter("multifd-channels", "" + channels)
                    .parameter("multifd-compression", codec);
        }
    }

    static Stream<Way> all() {
        List<Way> ways = new ArrayList<>();
        for (String transport : List.of("tcp", "unix")) {
            ways.add(new Way(transport, false, 0, "none", false, false, false));
            ways.add(new Way(transport, false, 0, "none", false, false, true));
            for (String codec : List.of("none", "zlib", "zstd")) {
                for (int channels : List.of(1, 3)) {
                    ways.add(
                            new Way(
                                    transport,
                                    false,
                                    channels,
                                    codec,
                                    false,
                                    false,
                                    channels == 3));
                }
            }
        }
        ways.add(new Way("tcp", false, 0, "none", false, true, true));
        ways.add(new Way("tcp", false, 3, "zstd", false, true, false));
        for (String transport : List.of("exec", "fd", "file")) {
            ways.add(new Way(transport, false, 0, "none", false, false, false));
        }
        for (int channels : List.of(0, 1, 3)) {
            ways.add(new Way("file", true, channels, "none", false, false, false));
            ways.add(new Way("file", true, channels, "none", true, false, false));
        }
        return ways.stream();
    }

    /** One of each kind. */
    static Stream<Way> some() {
        return Stream.of(
                new Way("tcp", false, 0, "none", false, false, true),
                new Way("tcp", false, 2, "zstd", false, true, false),
                new Way("unix", false, 2, "none", false, false, false),
                new Way("unix", false, 1, "zlib", false, false, true),
                new Way("exec", false, 0, "none", false, false, false),
                new Way("fd", false, 0, "none", false, false, false),
                new Way("file", false, 0, "none", false, false, false),
                new Way("file", true, 0, "none", false, false, false),
                new Way("file", true, 2, "none", true, false, false));
    }

    /** Before any guest runs: its twin has to follow it. */
    @BeforeAll
    static void makeKeys() throws Exception {
        TestCertificates.in(keys.resolve("pki"));
    }

    @AfterEach
    void noThreadIsLeft() {
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(t -> t.getName().matches("(send|receive)-\\d+-.*"));
    }

    private static ReferenceMachineBuilder small() {
        return ReferenceMachine.builder()
                .ram(4 << 20)
                .dirtyWindow(900)
                .dirtyEvery(500)
                .printEvery(100_000)
                .pace(100);
    }

    @ParameterizedTest
    @MethodSource("some")
    @Tag("DLG-4")
    void equalsItsTwin(Way way) throws Exception {
        goesAndEqualsItsTwin(way);
    }

    @ParameterizedTest
    @MethodSource("all")
    @Tag("stress")
    @Tag("DLG-4")
    void equalsItsTwinInEveryWay(Way way) throws Exception {
        goesAndEqualsItsTwin(way);
    }

    private void goesAndEqualsItsTwin(Way way) throws Exception {
        try (ReferenceMachine twin = small().build();
                Moved moved = new Moved(way, log -> log)) {
            ReferenceMachine source = moved.source;
            ReferenceMachine destination = moved.destination;
            Statistics statistics = moved.statistics;
            assertThat(statistics.dirtySyncCount()).isGreaterThan(BAD_ROUNDS + 1);
            assertThat(statistics.normal()).isGreaterThan((BAD_ROUNDS + 1) * 500L);

            twin.runFor(source.instructions());
            assertThat(source.digest()).isEqualTo(twin.digest());
            LingeringMachine.run(destination, 500_000);
            destination.enter(RunState.PAUSED);
            assertThat(destination.stopReason()).isEmpty();
            assertThat(destination.instructions()).isGreaterThan(source.instructions());
            twin.runFor(destination.instructions() - source.instructions());
            assertThat(destination.digest().differences(twin.digest())).isEmpty();
            assertThat(destination.digest()).isEqualTo(twin.digest());
            assertThat(source.output() + destination.output()).isEqualTo(twin.output());
        }
    }

    /** The tests above can fail: one page in a thousand is enough. */
    @ParameterizedTest
    @MethodSource("some")
    @Tag("DLG-4")
    void doesNotWhenTheDirtyLogForgets(Way way) throws Exception {
        AtomicReference<ForgetfulDirtyLog> log = new AtomicReference<>();
        try (ReferenceMachine twin = small().build();
                Moved moved =
                        new Moved(
                                way,
                                true_ -> {
                                    log.set(new ForgetfulDirtyLog(true_, 1000));
                                    return log.get();
                                })) {
            assertThat(log.get().forgotten()).isPositive();
            moved.destination.enter(RunState.PAUSED);
            twin.runFor(moved.destination.instructions());
            assertThat(moved.destination.digest().differences(twin.digest())).contains("ref.ram");
        }
    }

    /** A machine that was migrated, and where it went. */
    private final class Moved implements AutoCloseable {
        final ReferenceMachine source;
        final ReferenceMachine destination = small().build();
        final Statistics statistics;

        Moved(Way way, UnaryOperator<DirtyLog> wrapper) throws Exception {
            source = PatientDirtyLog.machine(small(), wrapper, BAD_ROUNDS, 800_000);
            source.runFor(1_000_000);
            // While it is connected, which may take seconds: its twin has to follow.
            source.throttle().orElseThrow().set(99);
            source.enter(RunState.RUNNING);
            boolean file = way.transport.equals("file");
            Migration incoming = file ? null : receive(way);
            Migration outgoing =
                    engine.send(
                            new LingeringMachine(source, 2_500_000),
                            way.transport.equals("tcp")
                                    ? incoming.address().toString()
                                    : here(way, "there"),
                            settings(way));
            outgoing.await();
            assertThat(source.runState()).isEqualTo(RunState.POSTMIGRATE);
            if (file) incoming = receive(way);
            incoming.await();
            assertThat(incoming.state()).isEqualTo(MigrationState.COMPLETED);
            statistics = outgoing.statistics();
        }

        private Migration receive(Way way) throws Exception {
            Path socket = folder.resolve("socket");
            if (way.transport.equals("exec")) {
                new ProcessBuilder("mkfifo", socket.toString()).start().waitFor();
            }
            if (way.transport.equals("fd")) pair();
            return engine.receive(destination, here(way, "here"), settings(way));
        }

        private String here(Way way, String end) {
            Path socket = folder.resolve("socket");
            return switch (way.transport) {
                case "tcp" -> "tcp:127.0.0.1:0";
                case "exec" -> (end.equals("here") ? "exec:cat " : "exec:cat > ") + socket;
                case "fd" -> "fd:" + end;
                default -> way.transport + ":" + socket;
            };
        }

        private void pair() throws Exception {
            try (ServerSocketChannel server = ServerSocketChannel.open()) {
                server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                names.register("there", SocketChannel.open(server.getLocalAddress()));
                names.register("here", server.accept());
            }
        }

        private Settings settings(Way way) {
            Settings settings = way.settings();
            if (!way.tls) return settings;
            return settings.parameter("tls-creds", keys.resolve("pki").toString())
                    .parameter("tls-hostname", TestCertificates.HOST);
        }

        @Override
        public void close() {
            source.close();
            destination.close();
        }
    }
}
