package org.vmferry.it.qmp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.qmp.QmpCommand;
import org.vmferry.engine.qmp.QmpServer;
import org.vmferry.engine.qmp.QmpType;
import org.vmferry.it.support.Leftovers;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Clients of all kinds: at the end of a pipe, several at once, with ids of their own. */
class QmpClientsTest {
    private static final String NEGOTIATE = "{\"execute\": \"qmp_capabilities\"}\n";
    private static final String SCHEMA = "{\"execute\": \"query-qmp-schema\"}\n";
    private static final String STATUS = "{\"execute\": \"query-status\"}\n";

    /** Schemas that no socket's buffer has room for, and a server's queue has. */
    private static final int MANY = 40;

    @TempDir Path folder;
    private Path socket;
    private ReferenceMachine machine;

    @BeforeEach
    void makeMachine() {
        socket = folder.resolve("qmp");
        machine = ReferenceMachine.builder().ram(4 << 20).dirtyWindow(64).build();
    }

    @AfterEach
    void closeMachine() throws InterruptedException {
        machine.close();
        Leftovers.assertNoThreads();
    }

    private QmpServer server(QmpCommand... commands) throws IOException {
        return QmpServer.listen(Engine.create(), machine, socket, null, List.of(commands));
    }

    private static List<Map<String, Object>> answers(RawQmp client, int count) throws Exception {
        List<Map<String, Object>> answers = new ArrayList<>();
        for (int i = 0; i < count; i++) answers.add(client.next());
        return answers;
    }

    /** What printf says into socat or nc: the input ends before the first answer comes. */
    @Test
    void whoHasSaidAllGetsAllAnswersAndThenTheEnd() throws Exception {
        try (QmpServer server = server()) {
            for (int i = 0; i < 100; i++) {
                try (RawQmp client = new RawQmp(socket)) {
                    client.send(NEGOTIATE + STATUS.repeat(50));
                    client.sayNoMore();
                    assertThat(answers(client, 52).getLast()).containsKey("return");
                    assertThat(client.ends()).isTrue();
                }
            }
        }
    }

    /** It has more to read than any socket's buffer has room for, and does not. */
    @Test
    void whoHasSaidAllAndDoesNotReadIsLeft() throws Exception {
        try (QmpServer server = server();
                SocketChannel client = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            client.connect(UnixDomainSocketAddress.of(socket));
            client.read(ByteBuffer.allocate(1)); // so it is served
            Thread serving =
                    Thread.getAllStackTraces().keySet().stream()
                            .filter(thread -> thread.getName().equals("qmp-qmp-client"))
                            .findFirst()
                            .orElseThrow();
            String all = NEGOTIATE + SCHEMA.repeat(MANY);
            client.write(ByteBuffer.wrap(all.getBytes(StandardCharsets.UTF_8)));
            client.shutdownOutput();
            serving.join(RawQmp.DEADLINE * 1000);
            assertThat(serving.isAlive()).isFalse();
            ByteBuffer rest = ByteBuffer.allocate(4 << 20);
            while (client.read(rest) >= 0) continue;
            String read = new String(rest.array(), 0, rest.position(), StandardCharsets.UTF_8);
            assertThat(read.lines().count()).as("answers that had room").isLessThan(MANY);
        }
    }

    /** Its answers wait for it, and the host does not. */
    @Test
    void aHostEndsThoughWhoSaysQuitDoesNotRead() throws Exception {
        CountDownLatch quit = new CountDownLatch(1);
        try (QmpServer server =
                        QmpServer.listen(Engine.create(), machine, socket, quit::countDown);
                RawQmp watcher = RawQmp.negotiated(socket);
                SocketChannel client = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            client.connect(UnixDomainSocketAddress.of(socket));
            String all = NEGOTIATE + SCHEMA.repeat(MANY) + "{\"execute\": \"quit\"}\n";
            client.write(ByteBuffer.wrap(all.getBytes(StandardCharsets.UTF_8)));
            assertThat(watcher.next().get("event")).isEqualTo("SHUTDOWN");
            assertThat(quit.await(RawQmp.DEADLINE, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void severalAreServedAtOnceAndAllAreToldOfEvents() throws Exception {
        machine.enter(RunState.RUNNING);
        try (QmpServer server = server();
                RawQmp watcher = RawQmp.negotiated(socket);
                RawQmp silent = new RawQmp(socket);
                RawQmp driver = RawQmp.negotiated(socket)) {
            driver.send("{\"execute\": \"stop\", \"id\": 1}");
            assertThat(driver.next().get("event")).isEqualTo("STOP");
            assertThat(driver.next()).containsEntry("id", 1L);
            assertThat(watcher.next().get("event")).isEqualTo("STOP");
            // Who has not negotiated is told of nothing.
            assertThat(silent.next()).containsKey("QMP");
            silent.send(NEGOTIATE);
            assertThat(silent.next()).containsKey("return");
        }
    }

    @Test
    void whoComesTooManyWaits() throws Exception {
        List<RawQmp> clients = new ArrayList<>();
        try (QmpServer server = server()) {
            for (int i = 0; i < 16; i++) clients.add(RawQmp.negotiated(socket));
            try (RawQmp oneMore = new RawQmp(socket)) {
                for (RawQmp client : clients) {
                    client.send(STATUS);
                    assertThat(client.next()).containsKey("return");
                }
                assertThat(oneMore.hasCome()).isFalse();
                clients.getFirst().close();
                assertThat(oneMore.next()).containsKey("QMP");
            }
        } finally {
            for (RawQmp client : clients) client.close();
        }
    }

    /** What was sent, and what comes back; a QEMU rounds some of them. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            value = {
                "1e3 | 1e3",
                "1.0 | 1.0",
                "-0.0 | -0.0",
                "0.1 | 0.1",
                "1E400 | 1E400",
                "123456789012345678901234567890 | 123456789012345678901234567890",
                "-9223372036854775809 | -9223372036854775809",
                "18446744073709551615 | 18446744073709551615",
                "null | null",
                "true | true",
                "[1, {\"b\": 1.50, \"a\": \"x\"}] | [1, {\"b\": 1.50, \"a\": \"x\"}]",
                "\"\\u00e9\u00e9\u20ac\" | \"\\u00E9\\u00E9\\u20AC\"",
                "\"\\ud83d\\ude00\" | \"\\uD83D\\uDE00\"",
                "\"\\u0000\\u007f/\" | \"\\u0000\\u007F/\"",
                "'it\\'s' | \"it's\"",
            })
    void anIdComesBackAsItCame(String sent, String back) throws Exception {
        try (QmpServer server = server();
                Wire wire = new Wire(socket)) {
            wire.say("{\"execute\": \"query-name\", \"id\": " + sent + "}");
            assertThat(wire.line()).isEqualTo("{\"id\": " + back + ", \"return\": {}}");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\0',
            value = {
                "{\"id\": \"\\ud800\"} | \\ud800 is half of a character",
                "{\"id\": \"\\udc00\\ud800\"} | \\udc00 is half of a character",
                "{\"a\\ud800\": 1} | something that can't stand here",
                "{\"id\": 01} | something that can't stand here",
                "{\"id\": tru} | something that can't stand here",
                "{\"id\" 1} | something that can't stand here",
                "{\"id\": 1, \"id\": 2} | 'id' stands twice",
                "{\"id\": .5} | something that can't stand here",
            })
    void whatIsNoJsonIsRefusedInOurOwnWords(String sent, String why) throws Exception {
        try (QmpServer server = server();
                RawQmp client = RawQmp.negotiated(socket)) {
            client.send(sent + "\n");
            Map<?, ?> error = (Map<?, ?>) client.next().get("error");
            assertThat(error.get("class")).isEqualTo("GenericError");
            assertThat((String) error.get("desc"))
                    .startsWith("JSON parse error: Not JSON: " + why)
                    .contains(", line 1, column ")
                    .doesNotContainIgnoringCase("jackson")
                    .doesNotContain("JsonParser");
        }
    }

    @Test
    void aYankMayBeAskedForOutOfBand() throws Exception {
        try (QmpServer server = server();
                RawQmp client = RawQmp.negotiated(socket, "oob");
                RawQmp plain = RawQmp.negotiated(socket)) {
            String ask = "{\"exec-oob\": \"query-yank\", \"id\": 1}";
            client.send(ask);
            assertThat(client.next()).isEqualTo(Map.of("return", List.of(), "id", 1L));
            client.send("{\"exec-oob\": \"query-status\", \"id\": 1}");
            assertThat(client.next().get("error")).asString().contains("does not support OOB");
            client.send("{\"exec-oob\": \"query-yank\", \"execute\": \"query-yank\"}");
            assertThat(client.next().get("error")).asString().contains("is unexpected");
            plain.send(ask);
            assertThat(plain.next().get("error")).asString().contains("'exec-oob' is unexpected");
        }
    }

    /** Also where people write 0,5: scripts read them. */
    @Test
    void aFewWordsOfTheHumanMonitor() throws Exception {
        Locale before = Locale.getDefault();
        Locale.setDefault(Locale.GERMANY);
        try {
            aFewWords();
        } finally {
            Locale.setDefault(before);
        }
    }

    private void aFewWords() throws Exception {
        machine.enter(RunState.RUNNING);
        try (QmpServer server = server();
                RawQmp client = RawQmp.negotiated(socket)) {
            assertThat(human(client, "info status")).isEqualTo("VM status: running\r\n");
            assertThat(human(client, "info migrate")).isEmpty();
            client.ask("migrate", Map.of("uri", "file:" + folder.resolve("vm")));
            while (!human(client, "info migrate").contains("Migration status: completed\r\n")) {
                assertThat(human(client, "info migrate")).doesNotContain("failed");
            }
            assertThat(human(client, "  info\tmigrate "))
                    .containsPattern("\r\ntotal time: \\d+ ms\r\n")
                    .containsPattern("\r\ndowntime: \\d+ ms\r\n")
                    .containsPattern("\r\nthroughput: \\d+\\.\\d\\d mbps\r\n")
                    .contains("\r\npage size: 4 kbytes\r\n");
            assertThat(human(client, "info status"))
                    .isEqualTo("VM status: paused (postmigrate)\r\n");
            assertThat(human(client, "info foo")).isEqualTo("unknown command: 'info foo'\r\n");
        }
    }

    private static String human(RawQmp client, String line) throws Exception {
        return (String) client.ask("human-monitor-command", Map.of("command-line", line));
    }

    /** A host's own command: it is listed, described, checked, and holds up nobody. */
    private static final class Eject implements QmpCommand {
        final CountDownLatch begun = new CountDownLatch(1);
        final CountDownLatch waits = new CountDownLatch(1);
        final CountDownLatch end = new CountDownLatch(1);

        @Override
        public String name() {
            return "x-eject";
        }

        @Override
        public QmpType.Struct arguments() {
            return QmpType.NOTHING
                    .with("drive", new QmpType.Choice(List.of("a", "b")))
                    .withOptional("force", QmpType.Builtin.BOOLEAN);
        }

        @Override
        public QmpType answer() {
            return QmpType.NOTHING.with("sectors", QmpType.Builtin.INTEGER);
        }

        @Override
        public Object execute(Map<String, Object> arguments) throws IOException {
            begun.countDown();
            if (arguments.get("drive").equals("b")) throw new IOException("drive b is empty");
            if (!arguments.containsKey("force")) return Map.of("sectors", "many");
            waits.countDown();
            try {
                end.await();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
            return Map.of("sectors", 2880);
        }
    }

    @Test
    void aHostMayAddCommands() throws Exception {
        Eject eject = new Eject();
        try (QmpServer server = server(eject);
                RawQmp client = RawQmp.negotiated(socket);
                RawQmp other = RawQmp.negotiated(socket);
                RawQmp third = new RawQmp(socket)) {
            assertThat(client.ask("query-commands", Map.of()))
                    .asInstanceOf(InstanceOfAssertFactories.LIST)
                    .contains(Map.of("name", "x-eject"));
            QmpSchema schema = QmpSchema.of(third);
            Map<?, ?> takes = schema.entity(schema.entity("x-eject").get("arg-type"));
            assertThat(schema.members(takes)).containsOnlyKeys("drive", "force");

            assertThat(client.ask("x-eject", Map.of("drive", "c")))
                    .asString()
                    .contains("'drive' does not accept value 'c'");
            assertThat(client.ask("x-eject", Map.of("drive", "b", "when", 1)))
                    .asString()
                    .contains("'when' is unexpected");
            assertThat(eject.begun.getCount()).isEqualTo(1);
            assertThat(client.ask("x-eject", Map.of("drive", "b")))
                    .asString()
                    .contains("drive b is empty");
            assertThat(client.ask("x-eject", Map.of("drive", "a")))
                    .asString()
                    .contains("'x-eject' answers what its type does not allow")
                    .contains("'return.sectors', expected: int");

            client.send(
                    """
                    {"execute": "x-eject", "arguments": {"drive": "a", "force": true}}\
                    """);
            assertThat(eject.waits.await(RawQmp.DEADLINE, TimeUnit.SECONDS)).isTrue();
            try {
                assertThat(other.ask("query-status", Map.of())).asString().contains("status");
            } finally {
                eject.end.countDown();
            }
            assertThat(client.next()).isEqualTo(Map.of("return", Map.of("sectors", 2880L)));
        }
    }

    @Test
    void anAnswerThatIsNoJsonIsTheHostsFault() throws Exception {
        QmpCommand odd =
                new QmpCommand() {
                    @Override
                    public String name() {
                        return "odd";
                    }

                    @Override
                    public QmpType answer() {
                        return QmpType.Builtin.ANY;
                    }

                    @Override
                    public Object execute(Map<String, Object> arguments) {
                        return List.of(new Object());
                    }
                };
        try (QmpServer server = server(odd);
                RawQmp client = RawQmp.negotiated(socket)) {
            assertThat(client.ask("odd", Map.of())).asString().contains("GenericError");
            assertThat(client.ask("query-status", Map.of())).asString().contains("status");
        }
    }

    /** JSON has a word for it. */
    @Test
    void anAnswerMayBeNull() throws Exception {
        QmpCommand none =
                new QmpCommand() {
                    @Override
                    public String name() {
                        return "none";
                    }

                    @Override
                    public QmpType answer() {
                        return QmpType.Builtin.NULL;
                    }

                    @Override
                    public Object execute(Map<String, Object> arguments) {
                        return null;
                    }
                };
        try (QmpServer server = server(none);
                RawQmp client = RawQmp.negotiated(socket)) {
            client.send("{\"execute\": \"none\"}");
            assertThat(client.next()).containsOnlyKeys("return").containsEntry("return", null);
        }
    }

    @Test
    void aHostsCommandMayCloseTheServer() throws Exception {
        CountDownLatch closed = new CountDownLatch(1);
        QmpServer[] itself = new QmpServer[1];
        QmpCommand leave =
                new QmpCommand() {
                    @Override
                    public String name() {
                        return "leave";
                    }

                    @Override
                    public Object execute(Map<String, Object> arguments) {
                        itself[0].close();
                        closed.countDown();
                        return Map.of();
                    }
                };
        itself[0] = server(leave);
        try (RawQmp client = RawQmp.negotiated(socket)) {
            client.send("{\"execute\": \"leave\"}");
            assertThat(client.ends()).isTrue();
            assertThat(closed.await(RawQmp.DEADLINE, TimeUnit.SECONDS)).isTrue();
        }
    }

    @ParameterizedTest
    @CsvSource({"migrate, already", "'', can't be called", "a b, can't be called"})
    void aNameIsNoneOrTaken(String name, String why) {
        QmpCommand command =
                new QmpCommand() {
                    @Override
                    public String name() {
                        return name;
                    }

                    @Override
                    public Object execute(Map<String, Object> arguments) {
                        return Map.of();
                    }
                };
        assertThatThrownBy(() -> server(command))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(why);
        assertThat(socket).doesNotExist();
    }

    /** A connection whose lines are compared as they are. */
    private static final class Wire implements AutoCloseable {
        private final SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);

        Wire(Path socket) throws IOException {
            channel.connect(UnixDomainSocketAddress.of(socket));
            line();
            say(NEGOTIATE);
            assertThat(line()).isEqualTo("{\"return\": {}}");
        }

        void say(String text) throws IOException {
            channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
        }

        /** Without its end, which is QEMU's. */
        String line() throws IOException {
            StringBuilder line = new StringBuilder();
            ByteBuffer one = ByteBuffer.allocate(1);
            while (line.indexOf("\r\n") < 0) {
                if (channel.read(one.clear()) < 0) throw new IOException("the end, after " + line);
                line.append((char) Byte.toUnsignedInt(one.get(0)));
            }
            return line.substring(0, line.length() - 2);
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
