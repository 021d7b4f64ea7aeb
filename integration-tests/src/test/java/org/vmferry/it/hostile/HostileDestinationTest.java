package org.vmferry.it.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.it.support.Guests;
import org.vmferry.it.support.Leftovers;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;

/**
 * A destination that breaks off, hangs or talks nonsense: the guest runs on at home. There is
 * always a page left to send, so that no migration here can complete.
 */
class HostileDestinationTest {
    private static final Duration BOUND = Duration.ofSeconds(20);

    /** What it does to a connection of which it has read so many bytes. */
    private enum Deed {
        CLOSE,
        RESET,
        STALL
    }

    private final Engine engine = Engine.create();
    private final ReferenceMachine machine =
            ReferenceMachine.builder()
                    .ram(8 << 20)
                    .dirtyWindow(1000)
                    .dirtyEvery(300)
                    .dirtyLog(NeverClean::new)
                    .build();
    private Peer peer;

    @BeforeEach
    void guestRuns() {
        machine.runFor(1_000_000);
        machine.enter(RunState.RUNNING);
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        if (peer != null) peer.close();
        machine.close();
        Leftovers.assertNoThreadsAtAll();
    }

    /** Takes connections, reads them, and does one deed to one of them. */
    private static final class Peer implements AutoCloseable {
        private final ServerSocket server =
                new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        private final List<Socket> sockets = new CopyOnWriteArrayList<>();
        private final List<Thread> threads = new CopyOnWriteArrayList<>();
        private final int victim; // -1 the main stream, else a channel's id
        private final long after;
        private final Deed deed;
        private final byte[] answer; // on the return path, once the main stream has begun
        final CountDownLatch done = new CountDownLatch(1);

        Peer(int victim, long after, Deed deed, byte[] answer) throws IOException {
            this.victim = victim;
            this.after = after;
            this.deed = deed;
            this.answer = answer;
            start(this::accept);
        }

        private void start(Runnable work) {
            Thread thread = new Thread(work, "hostile-destination");
            threads.add(thread);
            thread.start();
        }

        private void accept() {
            try {
                while (true) {
                    Socket socket = server.accept();
                    sockets.add(socket);
                    start(() -> serve(socket));
                }
            } catch (IOException e) {
                // Closed: no more.
            }
        }

        private void serve(Socket socket) {
            byte[] bytes = new byte[4096];
            try {
                DataInputStream in = new DataInputStream(socket.getInputStream());
                int id = -1;
                long read = 4;
                if (in.readInt() == MultifdBytes.MAGIC) {
                    in.readFully(bytes, 0, 60);
                    id = bytes[20];
                    read = 64;
                } else if (answer.length > 0) {
                    socket.getOutputStream().write(answer);
                    done.countDown();
                }
                while (id != victim || read < after) {
                    int count = in.read(bytes, 0, bytes.length);
                    if (count < 0) throw new EOFException();
                    read += count;
                }
                done.countDown();
                if (deed == Deed.STALL) return; // and reads no more
                if (deed == Deed.RESET) socket.setSoLinger(true, 0);
                socket.close();
            } catch (IOException e) {
                // The source is gone.
            }
        }

        String address() {
            return "tcp:127.0.0.1:" + server.getLocalPort();
        }

        @Override
        public void close() throws Exception {
            server.close();
            threads.getFirst().join(); // no connection comes after this
            for (Socket socket : sockets) socket.close();
            for (Thread thread : threads) thread.join();
        }
    }

    private static Settings multifd(String... more) {
        Settings settings =
                Settings.NONE
                        .capability("multifd")
                        .parameter("multifd-channels", "2")
                        .parameter("max-bandwidth", "0")
                        .parameter("downtime-limit", "0");
        for (String name : more) settings = settings.capability(name);
        return settings;
    }

    static Stream<Arguments> breaksOff() {
        return Stream.of(-1, 0, 1)
                .flatMap(
                        victim ->
                                Stream.of(0, 100, 70_000, 3_000_000)
                                        // The main stream is short.
                                        .filter(after -> victim >= 0 || after <= 100)
                                        .flatMap(
                                                after ->
                                                        Stream.of(Deed.CLOSE, Deed.RESET)
                                                                .map(
                                                                        deed ->
                                                                                Arguments.of(
                                                                                        victim,
                                                                                        after,
                                                                                        deed))));
    }

    @ParameterizedTest(name = "channel {0} after {1} bytes: {2}")
    @MethodSource
    @Tag("MFD-21")
    void breaksOff(int victim, int after, Deed deed) throws Exception {
        peer = new Peer(victim, after, deed, new byte[0]);
        Migration migration = engine.send(machine, peer.address(), multifd());
        assertThat(failure(migration)).containsIgnoringCase("127.0.0.1:");
        Guests.assertRuns(machine);
    }

    /** There is no limit to how long a peer may read slowly; the operator has one. */
    @ParameterizedTest(name = "channel {0} after {1} bytes: {2}")
    @MethodSource
    void stalls(int victim, int after, Deed deed) throws Exception {
        peer = new Peer(victim, after, deed, new byte[0]);
        Migration migration = engine.send(machine, peer.address(), multifd());
        peer.done.await();
        assertThat(migration.cancel()).isTrue();
        assertThat(migration.await(BOUND)).isTrue();
        assertThat(migration.state()).isEqualTo(MigrationState.CANCELLED);
        Guests.assertRuns(machine);
    }

    static Stream<Arguments> stalls() {
        return Stream.of(
                Arguments.of(-1, 4, Deed.STALL),
                Arguments.of(0, 64, Deed.STALL),
                Arguments.of(1, 100_000, Deed.STALL));
    }

    private static byte[] message(int type, int length, int... payload) {
        ByteBuffer bytes = ByteBuffer.allocate(4 + 4 * payload.length);
        bytes.putShort((short) type).putShort((short) length);
        for (int value : payload) bytes.putInt(value);
        return bytes.array();
    }

    static Stream<Arguments> answers() {
        return Stream.of(
                Arguments.of("message 77 on the return path", message(77, 0)),
                Arguments.of("message 0 on the return path", message(0, 4, 0)),
                Arguments.of(
                        "a message of 65535 bytes on the return path, allowed are 512",
                        message(2, 0xffff)),
                Arguments.of("SHUT on the return path has 8 bytes, must be 4", message(1, 8, 0, 0)),
                Arguments.of("PONG on the return path has 0 bytes, must be 4", message(2, 0)),
                Arguments.of("the destination failed to load the machine", message(1, 4, 1)),
                Arguments.of("has loaded the machine before all of it was sent", message(1, 4, 0)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    @Tag("RPT-2")
    void answers(String said, byte[] answer) throws Exception {
        peer = new Peer(-1, Long.MAX_VALUE, Deed.CLOSE, answer);
        Migration migration = engine.send(machine, peer.address(), multifd("return-path"));
        assertThat(failure(migration)).contains(said);
        Guests.assertRuns(machine);
    }

    @Test
    void isNotThere() throws Exception {
        String address;
        try (ServerSocket gone = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            address = "tcp:127.0.0.1:" + gone.getLocalPort();
        }
        assertThat(failure(engine.send(machine, address, multifd()))).contains(address);
        Guests.assertRuns(machine);
    }

    private String failure(Migration migration) throws InterruptedException {
        assertThat(migration.await(BOUND)).as("it ends in time").isTrue();
        try {
            migration.await();
            throw new AssertionError("it completed");
        } catch (MigrationException e) {
            assertThat(migration.state()).isEqualTo(MigrationState.FAILED);
            return e.getMessage();
        }
    }
}
