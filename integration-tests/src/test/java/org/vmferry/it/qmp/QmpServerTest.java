package org.vmferry.it.qmp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.qmp.QmpServer;
import org.vmferry.it.support.Leftovers;
import org.vmferry.spi.machine.ForwardingMachine;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** What no script can show: hostile clients, several of them, and the server's end. */
class QmpServerTest {
    private static final String STATUS = "{\"execute\": \"query-status\"}";

    @TempDir Path folder;
    private Path socket;
    private ReferenceMachine machine;

    @BeforeEach
    void makeMachine() {
        socket = folder.resolve("qmp");
        machine = ReferenceMachine.builder().ram(4 << 20).dirtyWindow(64).build();
    }

    @AfterEach
    void closeMachine() {
        machine.close();
    }

    private QmpServer server() throws Exception {
        return QmpServer.listen(Engine.create(), machine, socket);
    }

    private static void answers(RawQmp client) throws Exception {
        client.send(STATUS);
        assertThat(client.next()).containsKey("return");
    }

    private static void refuses(RawQmp client, String why) throws Exception {
        Map<?, ?> error = (Map<?, ?>) client.next().get("error");
        assertThat(error.get("class")).isEqualTo("GenericError");
        assertThat((String) error.get("desc")).contains(why);
    }

    /** Who hears of the end of one after the next has begun takes that for over. */
    @Test
    void theEndOfOneIsToldBeforeTheNextBegins() throws Exception {
        AtomicBoolean holds = new AtomicBoolean();
        CountDownLatch held = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        Machine asked =
                new ForwardingMachine(machine) {
                    @Override
                    public Optional<UUID> uuid() {
                        if (holds.getAndSet(false)) { // on the server's lock: nothing can be told
                            held.countDown();
                            hold(goOn);
                        }
                        return super.uuid();
                    }
                };
        machine.enter(RunState.RUNNING);
        try (ReferenceMachine there =
                        ReferenceMachine.builder().ram(4 << 20).dirtyWindow(64).build();
                QmpServer server = QmpServer.listen(Engine.create(), asked, socket);
                RawQmp first = RawQmp.negotiated(socket);
                RawQmp second = RawQmp.negotiated(socket)) {
            first.send(
                    "{\"execute\": \"migrate-set-capabilities\", \"arguments\": {\"capabilities\":"
                            + " [{\"capability\": \"events\", \"state\": true}]}}");
            first.send(
                    "{\"execute\": \"migrate-set-parameters\", \"arguments\":"
                            + " {\"max-bandwidth\": 10000}}");
            Migration in = Engine.create().receive(there, "tcp:127.0.0.1:0", Settings.NONE);
            first.send(migrate(in.address().toString()));
            List<Object> told = new ArrayList<>();
            while (!told.contains("active")) tell(first, told);
            holds.set(true);
            first.send("{\"execute\": \"query-uuid\"}");
            assertThat(held.await(20, TimeUnit.SECONDS)).isTrue();
            second.send(migrate("file:" + folder.resolve("next")));
            awaitBlocked("qmp-", ".Monitor");
            in.cancel();
            awaitBlocked("send-", ".Migrations$Teller");
            goOn.countDown();
            while (Collections.frequency(told, "setup") < 2) tell(first, told);
            assertThat(told).containsExactly("setup", "active", "failed", "setup");
            assertThat(in.await(Duration.ofSeconds(20))).isTrue();
        }
    }

    private static void hold(CountDownLatch until) {
        try {
            assertThat(until.await(20, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static String migrate(String uri) {
        return "{\"execute\": \"migrate\", \"arguments\": {\"uri\": \"" + uri + "\"}}";
    }

    /** The next event's state, if it is about a migration's. */
    private static void tell(RawQmp client, List<Object> told) throws Exception {
        Map<?, ?> next = client.next();
        if (next.get("event") == null || !next.get("event").equals("MIGRATION")) return;
        told.add(((Map<?, ?>) next.get("data")).get("status"));
    }

    /** Until such a thread waits for the server's lock there. */
    private static void awaitBlocked(String name, String type) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (Thread.getAllStackTraces().entrySet().stream()
                .filter(each -> each.getKey().getState() == Thread.State.BLOCKED)
                .filter(each -> each.getKey().getName().startsWith(name))
                .flatMap(each -> Stream.of(each.getValue()))
                .noneMatch(frame -> frame.getClassName().endsWith(type))) {
            assertThat(System.nanoTime()).as(type).isLessThan(deadline);
            LockSupport.parkNanos(200_000);
        }
    }

    /** Some are served at a time: the rest waits, or is told by the system that too many do. */
    @Test
    void aThousandClientsThatSayNothingKeepNobodyOutWhenTheyAreGone() throws Exception {
        List<SocketChannel> idle = new ArrayList<>();
        try (QmpServer server = server()) {
            for (int i = 0; i < 1000; i++) {
                SocketChannel one = SocketChannel.open(StandardProtocolFamily.UNIX);
                idle.add(one);
                one.configureBlocking(false);
                try {
                    one.connect(UnixDomainSocketAddress.of(socket));
                } catch (IOException e) {
                    // The queue is full.
                }
            }
            for (SocketChannel one : idle) one.close();
            try (RawQmp client = RawQmp.negotiated(socket)) {
                answers(client);
            }
        }
    }

    /** Who can open the socket could run any command otherwise, as with a QEMU. */
    @Test
    void aHostMayForbidWhatRunsCommandsAndWritesFiles() throws Exception {
        Path proof = folder.resolve("PWNED");
        Engine engine = Engine.create().allowing("tcp", "unix:" + folder);
        machine.enter(RunState.RUNNING);
        try (QmpServer server = QmpServer.listen(engine, machine, socket);
                RawQmp client = RawQmp.negotiated(socket)) {
            for (String uri :
                    List.of(
                            "exec:touch " + proof,
                            "file:" + proof,
                            "unix:/tmp/vmferry-not-there")) {
                assertThat(client.ask("migrate", Map.of("uri", uri)))
                        .asString()
                        .contains("'" + uri + "' is not allowed here, but tcp, unix:" + folder);
            }
            Object main =
                    Map.of(
                            "channel-type",
                            "main",
                            "addr",
                            Map.of("transport", "exec", "args", List.of("touch", "" + proof)));
            for (Map<String, ?> other :
                    List.of(
                            Map.of("channels", List.of(main)),
                            Map.of("channels", List.of(main), "uri", "unix:" + folder + "/x"))) {
                assertThat(client.ask("migrate", other))
                        .asString()
                        .contains("'channels' is not understood");
            }
            Map<?, ?> reached =
                    (Map<?, ?>) client.ask("migrate", Map.of("uri", "unix:" + folder + "/nobody"));
            assertThat(reached).as("it was begun: %s", reached).isEmpty();
        }
        assertThat(proof).doesNotExist();
        machine.enter(RunState.PAUSED);
    }

    @Test
    void aMessageWithoutEndIsRefusedOnceAndItsRestIsSkipped() throws Exception {
        try (QmpServer server = server();
                RawQmp client = RawQmp.negotiated(socket)) {
            client.send("{\"execute\": \"" + "x".repeat(3 << 20));
            refuses(client, "size limit exceeded");
            client.send("\"}");
            answers(client);
        }
    }

    @Test
    void deepNestingIsRefusedAndAByteThatNoUtf8HasBeginsAnew() throws Exception {
        try (QmpServer server = server();
                RawQmp client = RawQmp.negotiated(socket)) {
            client.send("[".repeat(100_000));
            refuses(client, "nesting depth");
            client.send(new byte[] {(byte) 0xff});
            answers(client);
            client.send("{\"execute\": \"half");
            client.send(new byte[] {(byte) 0xff});
            refuses(client, "stray byte 0xff");
            answers(client);
        }
    }

    @Test
    void messagesMayComeInPiecesAndManyAtOnce() throws Exception {
        try (QmpServer server = server();
                RawQmp client = RawQmp.negotiated(socket)) {
            for (char c : STATUS.toCharArray()) client.send(String.valueOf(c));
            assertThat(client.next()).containsKey("return");
            client.send(STATUS.repeat(5000));
            for (int i = 0; i < 5000; i++) assertThat(client.next()).containsKey("return");
        }
    }

    @Test
    void aClientsConversationIsItsOwn() throws Exception {
        try (QmpServer server = server();
                RawQmp first = RawQmp.negotiated(socket);
                RawQmp second = new RawQmp(socket)) {
            answers(first);
            // Nothing of the first's, not even its negotiation.
            assertThat(second.next()).containsKey("QMP");
            second.send(STATUS);
            assertThat(second.next().toString()).contains("CommandNotFound");
        }
    }

    @Test
    void closingEndsClientsAndTheMigrationAndLeavesNothing() throws Exception {
        machine.enter(RunState.RUNNING);
        Path target = folder.resolve("migration");
        try (ReferenceMachine other =
                ReferenceMachine.builder().ram(4 << 20).dirtyWindow(64).build()) {
            other.enter(RunState.INMIGRATE);
            try (QmpServer destination =
                    QmpServer.listen(Engine.create(), other, folder.resolve("other"))) {
                RawQmp client;
                try (QmpServer server = server();
                        RawQmp at = new RawQmp(folder.resolve("other"))) {
                    at.next();
                    at.send("{\"execute\": \"qmp_capabilities\"}");
                    at.next();
                    at.ask("migrate-incoming", Map.of("uri", "unix:" + target));
                    client = RawQmp.negotiated(socket);
                    client.ask("migrate-set-parameters", Map.of("max-bandwidth", 10_000));
                    client.ask("migrate", Map.of("uri", "unix:" + target));
                    assertThat(client.ask("query-yank", Map.of()))
                            .isEqualTo(List.of(Map.of("type", "migration")));
                }
                assertThat(client.ends()).isTrue();
            }
        }
        assertThat(socket).doesNotExist();
        assertThat(machine.runState()).isEqualTo(RunState.RUNNING);
        assertThat(Thread.getAllStackTraces().keySet())
                .extracting(Thread::getName)
                .noneMatch(name -> name.startsWith("qmp-"));
        Leftovers.assertNoThreads(); // a migration's ends a moment after its end is told
        assertThatThrownBy(() -> new RawQmp(socket)).isInstanceOf(Exception.class);
    }

    @Test
    void aClientThatDoesNotReadHoldsUpNobody() throws Exception {
        machine.enter(RunState.RUNNING);
        Path snapshot = folder.resolve("snapshot");
        try (QmpServer server = server();
                SilentClient client = new SilentClient(socket)) {
            client.send("{\"execute\": \"qmp_capabilities\"}");
            client.send(
                    "{\"execute\": \"migrate\", \"arguments\": {\"uri\": \"file:"
                            + snapshot
                            + "\"}}");
            // The socket's buffers are full at some time; nothing is read any more then.
            client.fill("{\"execute\": \"query-commands\"}");
            long deadline = System.nanoTime() + RawQmp.DEADLINE * 1_000_000_000L;
            while (!Files.exists(snapshot) && System.nanoTime() < deadline)
                LockSupport.parkNanos(200_000);
            assertThat(snapshot).exists();
        }
    }

    @Test
    void quitIsTheHosts() throws Exception {
        try (QmpServer server = server();
                RawQmp client = RawQmp.negotiated(socket)) {
            assertThat(client.ask("quit", Map.of()).toString()).contains("does not end by QMP");
        }
        CountDownLatch quit = new CountDownLatch(1);
        QmpServer[] itself = new QmpServer[1];
        itself[0] =
                QmpServer.listen(
                        Engine.create(),
                        machine,
                        socket,
                        () -> {
                            itself[0].close();
                            quit.countDown();
                        });
        try (RawQmp client = RawQmp.negotiated(socket)) {
            client.send("{\"execute\": \"quit\"}");
            assertThat(client.next().get("event")).isEqualTo("SHUTDOWN");
            assertThat(client.next()).containsKey("return");
            assertThat(client.ends()).isTrue();
            assertThat(quit.await(RawQmp.DEADLINE, TimeUnit.SECONDS)).isTrue();
        }
    }

    private interface Call {
        Object instead(Method method, Object[] arguments) throws Throwable;
    }

    /** The machine, but for what a test does instead. */
    private Machine but(String name, Call call) {
        return (Machine)
                Proxy.newProxyInstance(
                        Machine.class.getClassLoader(),
                        new Class<?>[] {Machine.class},
                        (proxy, method, arguments) -> {
                            if (method.getName().equals(name)) {
                                return call.instead(method, arguments);
                            }
                            return method.invoke(machine, arguments);
                        });
    }

    @Test
    void anErrorOfTheHostsEndsOneCommandOnly() throws Exception {
        AtomicBoolean broken = new AtomicBoolean();
        Machine host =
                but(
                        "runState",
                        (method, arguments) -> {
                            if (broken.getAndSet(false)) throw new AssertionError("no thread");
                            return method.invoke(machine, arguments);
                        });
        try (QmpServer server = QmpServer.listen(Engine.create(), host, socket);
                RawQmp client = RawQmp.negotiated(socket)) {
            broken.set(true);
            client.send(STATUS);
            refuses(client, "threw AssertionError in runState: no thread");
            answers(client);
        }
    }

    @Test
    void aHostThatHangsIsSeenAndYanked() throws Exception {
        CountDownLatch paused = new CountDownLatch(1);
        CountDownLatch letGo = new CountDownLatch(1);
        Machine host =
                but(
                        "enter",
                        (method, arguments) -> {
                            if (arguments[0] == RunState.FINISH_MIGRATE) {
                                paused.countDown();
                                letGo.await();
                            }
                            return method.invoke(machine, arguments);
                        });
        try (QmpServer server = QmpServer.listen(Engine.create(), host, socket);
                RawQmp client = RawQmp.negotiated(socket)) {
            client.ask("migrate", Map.of("uri", "file:" + folder.resolve("vm")));
            assertThat(paused.await(RawQmp.DEADLINE, TimeUnit.SECONDS)).isTrue();
            Map<?, ?> status = (Map<?, ?>) client.ask("query-migrate", Map.of());
            assertThat(status.get("status")).isEqualTo("active");
            List<?> instances = List.of(Map.of("type", "migration"));
            assertThat(client.ask("yank", Map.of("instances", instances))).isEqualTo(Map.of());
            answers(client);
            letGo.countDown();
        }
        assertThat(machine.runState()).isNotEqualTo(RunState.POSTMIGRATE);
    }
}
