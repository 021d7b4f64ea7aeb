package org.vmferry.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.math.BigInteger;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntFunction;

/** vmferry watch, of peers that are made up; with real ones it is tried in integration-tests. */
class WatchTest extends AtTerminal {
    @TempDir Path folder;
    private Path socket;

    @BeforeEach
    void name() {
        socket = folder.resolve("qmp");
    }

    @AfterEach
    void noTerminal() {
        for (String name : List.of("vmferry.terminal", "vmferry.terminal.out", "vmferry.width"))
            System.clearProperty(name);
    }

    private FutureTask<Integer> begin(Object... more) {
        Callable<Integer> watching =
                () -> more.length == 0 ? run("watch", socket) : run("watch", socket, more[0]);
        FutureTask<Integer> task = new FutureTask<>(watching);
        Thread.ofPlatform().daemon().start(task);
        return task;
    }

    private static Map<String, Object> told(Object value) {
        return Map.of("return", value);
    }

    private static Map<String, Object> migration(String status, long round, long remaining) {
        Map<String, Object> ram = new HashMap<>();
        ram.put("total", 1L << 30);
        ram.put("remaining", remaining);
        ram.put("transferred", (1L << 30) - remaining);
        ram.put("dirty-sync-count", round);
        ram.put("dirty-pages-rate", 0);
        ram.put("page-size", 4096);
        return told(Map.of("status", status, "total-time", 1500, "downtime", 7, "ram", ram));
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> ram(Map<String, Object> told) {
        return (Map<String, Object>) ((Map<String, Object>) told.get("return")).get("ram");
    }

    private static Map<String, Object> limits(String command) {
        return command.equals("query-migrate-parameters")
                ? told(Map.of("downtime-limit", 300, "max-bandwidth", 1 << 27))
                : told(List.of(Map.of("capability", "multifd", "state", true)));
    }

    @ParameterizedTest
    @CsvSource({"completed,0", "failed,3", "cancelled,4"})
    void itsStatusSaysHowItEnded(String end, int status) throws Exception {
        AtomicInteger asked = new AtomicInteger();
        try (FakeQmp peer =
                new FakeQmp(
                        socket,
                        command -> {
                            if (!command.equals("query-migrate")) return limits(command);
                            return asked.incrementAndGet() < 3
                                    ? migration("active", 1, 1 << 29)
                                    : migration(end, 4, 0);
                        })) {
            assertThat(begin().get(60, TimeUnit.SECONDS)).as(err.toString()).isEqualTo(status);
            assertThat(out.toString())
                    .startsWith("the migration " + (status == 4 ? "was " : "") + end);
            assertThat(err.toString())
                    .contains("vmferry: active, round 1, 1 s, 512 MiB of 1 GiB remain")
                    .doesNotContain("\u001b");
            assertThat(Set.copyOf(peer.commands()))
                    .as("it only asks")
                    .containsExactlyInAnyOrder(
                            "qmp_capabilities",
                            "query-migrate",
                            "query-migrate-parameters",
                            "query-migrate-capabilities");
        }
        if (status == 0)
            assertThat(out.toString())
                    .isEqualToNormalizingNewlines(
                            "the migration completed: in 1.5 s, 4 rounds, 1 GiB sent, the guest"
                                    + " stood still for 7 ms\n");
    }

    @Test
    void itWaitsForAMigrationAndSaysSo() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        try (FakeQmp peer =
                new FakeQmp(
                        socket,
                        command -> {
                            if (!command.equals("query-migrate")) return limits(command);
                            return asked.incrementAndGet() < 3
                                    ? told(Map.of())
                                    : told(
                                            Map.of(
                                                    "status",
                                                    "failed",
                                                    "error-desc",
                                                    "no\u001b[2J room"));
                        })) {
            assertThat(begin().get(60, TimeUnit.SECONDS)).isEqualTo(3);
        }
        assertThat(err.toString()).contains("waiting for a migration to begin, ");
        assertThat(out.toString())
                .isEqualToNormalizingNewlines("the migration failed: no?[2J room\n");
    }

    /** On a terminal of so many columns: what is told five times, from 1 on, and then the end. */
    private void drawn(int width, IntFunction<Map<String, Object>> migrations) throws Exception {
        System.setProperty("vmferry.terminal", "true");
        System.setProperty("vmferry.width", "" + width);
        AtomicInteger asked = new AtomicInteger();
        try (FakeQmp peer =
                new FakeQmp(
                        socket,
                        command -> {
                            if (!command.equals("query-migrate")) return limits(command);
                            int now = asked.incrementAndGet();
                            return now < 6 ? migrations.apply(now) : migration("completed", 9, 0);
                        })) {
            assertThat(begin().get(60, TimeUnit.SECONDS)).isZero();
        }
    }

    @Test
    void onATerminalItDrawsAndTakesItAway() throws Exception {
        drawn(70, now -> migration("active", 1, (1L << 30) - now * 50_000_000L));
        assertThat(err.toString())
                .contains(
                        "migration  active, round 1", "sent       ", "the first round takes about ")
                .endsWith("\u001b[4A\r\u001b[J");
        assertThat(err.toString().replaceAll("\u001b\\[\\d*[A-Z]", "").split("[\r\n]"))
                .allMatch(line -> line.length() < 70);
        err.getBuffer().setLength(0);
    }

    /** What helps is read whole, on a narrow terminal too. */
    @Test
    void onATerminalAdviceGoesOnInTheNextRow() throws Exception {
        drawn(
                50,
                now -> {
                    Map<String, Object> told =
                            migration("active", 1 + now, (1L << 29) - now * 50_000L);
                    ram(told).put("dirty-pages-rate", 100_000);
                    return told;
                });
        assertThat(err.toString().replaceAll("\u001b\\[\\d*[A-Zm]", ""))
                .contains(
                        """
                        end        none in sight: the guest dirties RAM
                                   faster than it goes
                          - cancel it, and begin it again with
                            auto-converge, which slows the guest\
                        """);
        err.getBuffer().setLength(0);
    }

    /**
     * Nobody talks to it, as where another has a QEMU's only place: it says so, and can be ended.
     */
    @Test
    void aPeerThatIsSilentIsWaitedForByName() throws Exception {
        FutureTask<Integer> watching;
        try (FakeQmp peer = FakeQmp.saying(socket, new byte[0])) {
            watching = begin();
            long end = System.nanoTime() + 60_000_000_000L;
            while (!err.toString().contains("a QEMU talks to one at a time), 2 s")) {
                assertThat(System.nanoTime()).as(err.toString()).isLessThan(end);
                LockSupport.parkNanos(50_000_000);
            }
        }
        assertThat(watching.get(60, TimeUnit.SECONDS)).isEqualTo(1);
        assertThat(err.toString()).contains("is gone: it has closed the connection");
    }

    @Test
    void aQueueThatIsFullIsWaitedAt() throws Exception {
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
                SocketChannel first = SocketChannel.open(StandardProtocolFamily.UNIX);
                SocketChannel second = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(socket), 1);
            first.connect(UnixDomainSocketAddress.of(socket));
            second.connect(UnixDomainSocketAddress.of(socket));
            FutureTask<Integer> watching = begin();
            long end = System.nanoTime() + 60_000_000_000L;
            while (!err.toString().contains("qmp' to take a connection, ")) {
                assertThat(watching.isDone()).as(err.toString()).isFalse();
                assertThat(System.nanoTime()).as(err.toString()).isLessThan(end);
                LockSupport.parkNanos(50_000_000);
            }
            server.close();
            assertThat(watching.get(60, TimeUnit.SECONDS)).isEqualTo(1);
        }
    }

    @Test
    void aPeerThatGoesInTheMiddleIsNoEnd() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        try (FakeQmp peer =
                new FakeQmp(
                        socket,
                        command -> {
                            if (!command.equals("query-migrate")) return limits(command);
                            return asked.incrementAndGet() < 2
                                    ? migration("active", 2, 1 << 20)
                                    : null;
                        })) {
            assertThat(begin().get(60, TimeUnit.SECONDS)).isEqualTo(1);
        }
        assertThat(err.toString())
                .contains(
                        "is gone: it has closed the connection; the migration was seen last as"
                                + " 'active'");
        assertThat(out.toString()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 400 Bad Request\r\n\r\n",
                "{\"QMP\"\n",
                "[1, 2]\n",
                "{\"QMP\": 1}\n{\"QMP\": 1}\n",
                "{\"QMP\": {}}\n{\"error\": {\"desc\": \"\u001b[2J\"}, \"id\": 1}\n",
                "\u001b]0;title\u0007\n",
            })
    void whatIsNoQmpIsRefused(String said) throws Exception {
        try (FakeQmp peer = FakeQmp.saying(socket, said.getBytes(StandardCharsets.UTF_8))) {
            assertThat(begin().get(60, TimeUnit.SECONDS)).isEqualTo(1);
        }
        assertThat(err.toString())
                .contains("says is no QMP: ")
                .doesNotContain("\u001b", "fault of vmferry");
    }

    @Test
    void aMessageHasAnEnd() throws Exception {
        try (FakeQmp peer =
                FakeQmp.saying(
                        socket, "{\"QMP\": \"".repeat(1 << 19).getBytes(StandardCharsets.UTF_8))) {
            assertThat(begin().get(60, TimeUnit.SECONDS)).isEqualTo(1);
        }
        assertThat(err.toString()).contains("a message of over 1048576 bytes");
    }

    /** Numbers that are none, below zero, or beyond all bounds. */
    @Test
    void nonsenseInAnAnswerBreaksNothing() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        List<Object> odd =
                List.of(-1, "x", 1e300, List.of(), new BigInteger("9".repeat(60)), Long.MAX_VALUE);
        try (FakeQmp peer =
                new FakeQmp(
                        socket,
                        command -> {
                            if (!command.equals("query-migrate"))
                                return told(List.of(1, Map.of("capability", 3)));
                            int turn = asked.getAndIncrement();
                            if (turn == odd.size())
                                return told(Map.of("status", "completed", "ram", 3));
                            Map<String, Object> ram = new HashMap<>();
                            for (String name :
                                    List.of(
                                            "total",
                                            "remaining",
                                            "transferred",
                                            "dirty-sync-count",
                                            "dirty-pages-rate",
                                            "page-size")) ram.put(name, odd.get(turn));
                            return told(
                                    Map.of(
                                            "status",
                                            "act\u202eive",
                                            "ram",
                                            ram,
                                            "total-time",
                                            odd.get(turn),
                                            "expected-downtime",
                                            odd.get(turn)));
                        })) {
            assertThat(begin().get(60, TimeUnit.SECONDS)).as(err.toString()).isZero();
        }
        assertThat(out.toString()).isEqualToNormalizingNewlines("the migration completed\n");
        assertThat(err.toString()).contains("act?ive").doesNotContain("\u202e", "NaN", "Infinity");
    }

    @Test
    void whereNobodyListensItSaysSo() throws Exception {
        assertThat(run("watch", socket)).isEqualTo(1);
        assertThat(err.toString())
                .startsWith("vmferry: nobody can be reached at '" + socket + "': ");
    }

    @Test
    void whoHasNoSuchCommandIsNotWaitedFor() throws Exception {
        try (FakeQmp peer =
                new FakeQmp(
                        socket, command -> Map.of("error", Map.of("desc", "no such command")))) {
            assertThat(begin().get(60, TimeUnit.SECONDS)).isEqualTo(1);
        }
        assertThat(err.toString()).contains("does not tell of migrations: no such command");
    }

    @Test
    void quietSaysNothing() throws Exception {
        try (FakeQmp peer =
                new FakeQmp(
                        socket,
                        command ->
                                command.equals("query-migrate")
                                        ? migration("cancelled", 1, 0)
                                        : limits(command))) {
            assertThat(begin("--quiet").get(60, TimeUnit.SECONDS)).isEqualTo(4);
        }
        assertThat(out.toString() + err).isEmpty();
    }
}
