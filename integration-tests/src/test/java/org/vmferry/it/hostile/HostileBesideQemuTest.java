package org.vmferry.it.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.qmp.QmpServer;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Archives;
import org.vmferry.it.support.Guests;
import org.vmferry.it.support.Leftovers;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;

/**
 * The same attack on a destination that is a QEMU and on one of ours: what each does, and that ours
 * never does worse. docs/security.md has them in a table.
 */
@RequiresQemu
@Timeout(120)
class HostileBesideQemuTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Duration BLINK = Duration.ofMillis(300);
    private static final int MIB = 16;
    private static final int BEGINNING = 400; // bytes: into the list of RAM's blocks
    private static final int CUT = 4000; // bytes: into RAM's pages, which are zero
    private static final Settings MULTIFD =
            Settings.NONE.capability("multifd").parameter("multifd-channels", "2");

    private static byte[] genuine; // all that a QEMU's source says, which never hears an answer
    private static byte[] memory; // what its guest has

    @TempDir static Path shared;
    @TempDir Path folder;
    private final Engine engine = Engine.create();

    @BeforeAll
    static void record() throws Exception {
        try (Qemu source = Qemu.builder().memory(MIB).paused().start()) {
            memory = source.memory(0, MIB << 20);
            source.migrate("exec:cat > " + shared.resolve("stream"));
            source.awaitMigration(SOON);
        }
        genuine = Files.readAllBytes(shared.resolve("stream"));
    }

    @AfterEach
    void noThreadIsLeft() throws Exception {
        Leftovers.assertNoThreads();
    }

    private static byte[] beginning() {
        return Arrays.copyOf(genuine, BEGINNING);
    }

    private static byte[] rest() {
        return Arrays.copyOfRange(genuine, BEGINNING, genuine.length);
    }

    /** A port at which a destination listens, and who has come there. */
    private record Door(int port, List<Socket> come) implements AutoCloseable {
        static Door at(String address) {
            int colon = address.lastIndexOf(':');
            return new Door(Integer.parseInt(address.substring(colon + 1)), new ArrayList<>());
        }

        Socket connect(byte[]... says) throws IOException {
            Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
            come.add(socket);
            for (byte[] each : says) say(socket, each);
            return socket;
        }

        @Override
        public void close() throws IOException {
            for (Socket socket : come) socket.close();
        }
    }

    /** Who is sent away has heard enough. */
    private static void say(Socket socket, byte[] bytes) {
        try {
            socket.getOutputStream().write(bytes);
        } catch (IOException e) {
            // He is.
        }
    }

    private interface Attack {
        void on(Door door) throws Exception;
    }

    private interface Outcome {
        void of(Qemu qemu, Door door) throws Exception;
    }

    private static void qemu(int channels, Attack attack, Outcome outcome) throws Exception {
        try (Qemu qemu = Qemu.builder().memory(MIB).paused().incoming().start()) {
            if (channels > 0) {
                qemu.setCapabilities("multifd");
                qemu.setParameters(Map.of("multifd-channels", channels));
            }
            qemu.migrateIncoming("tcp:127.0.0.1:0");
            try (Door door = Door.at("tcp:" + qemu.incomingPort())) {
                attack.on(door);
                outcome.of(qemu, door);
            }
        }
    }

    private static void qemuFails(int channels, Attack attack) throws Exception {
        qemu(channels, attack, (qemu, door) -> qemu.awaitMigration("failed", SOON));
    }

    /** An archive takes the guest of any QEMU. */
    private void oursCompletes(Attack attack) throws Exception {
        try (ArchiveMachine archive = ArchiveMachine.in(folder)) {
            Migration migration = engine.receive(archive, "tcp:127.0.0.1:0", Settings.NONE);
            try (Door door = Door.at(migration.address().target())) {
                attack.on(door);
                migration.await();
            }
            assertThat(Archives.mismatch(archive, memory)).isEqualTo(-1);
        }
    }

    private void oursFails(Settings settings, Attack attack, String... why) throws Exception {
        try (ArchiveMachine archive = ArchiveMachine.in(folder)) {
            Migration migration = engine.receive(archive, "tcp:127.0.0.1:0", settings);
            try (Door door = Door.at(migration.address().target())) {
                attack.on(door);
                assertThat(migration.await(SOON)).as("it ends").isTrue();
            }
            assertThat(migration.state()).isEqualTo(MigrationState.FAILED);
            assertThat(migration.failure().orElseThrow()).hasMessageContainingAll(why);
            assertThat(archive.runState()).as("never started").isEqualTo(RunState.INMIGRATE);
        }
    }

    /** Beside who attacks comes a source with channels. */
    private void oursCompletesWithChannels(Attack attack) throws Exception {
        try (ReferenceMachine source = Listening.guest();
                ReferenceMachine machine = Listening.guest()) {
            source.enter(RunState.RUNNING);
            Migration migration = engine.receive(machine, "tcp:127.0.0.1:0", MULTIFD);
            try (Door door = Door.at(migration.address().target())) {
                attack.on(door);
                Settings answers = MULTIFD.capability("return-path");
                engine.send(source, migration.address().toString(), answers).await();
                migration.await();
            }
            Guests.assertRuns(machine);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** A QEMU takes the first that comes for its source, and no other after it. */
    @Test
    @Tag("ARR-3")
    void aStrangerWhoComesFirstWithGarbage() throws Exception {
        Attack stranger = door -> door.connect(bytes("GET / HTTP/1.0\r\n\r\n"));
        qemuFails(0, stranger);
        oursCompletes(
                door -> {
                    stranger.on(door);
                    door.connect(genuine);
                });
    }

    @Test
    @Tag("ARR-3")
    void aStrangerWhoComesFirstAndSaysNothing() throws Exception {
        qemu(
                0,
                Door::connect,
                (qemu, door) -> {
                    qemu.awaitMigration("active", SOON);
                    for (Socket stranger : door.come) stranger.close();
                    qemu.awaitMigration("failed", SOON);
                });
        oursCompletes(
                door -> {
                    door.connect();
                    door.connect(genuine);
                });
    }

    /** Garbage, and a second main stream: both take no harm. */
    @ParameterizedTest
    @ValueSource(strings = {"GET / HTTP/1.0\r\n\r\n", "QEVM\0\0\0\3"})
    @Tag("ARR-3")
    void aStrangerWhoComesMidWay(String says) throws Exception {
        qemu(
                0,
                door -> door.connect(beginning()),
                (qemu, door) -> {
                    qemu.awaitMigration("active", SOON);
                    goesOnBeside(says, door);
                    qemu.awaitMigration(SOON);
                });
        try (ArchiveMachine archive = ArchiveMachine.in(folder)) {
            Migration migration = engine.receive(archive, "tcp:127.0.0.1:0", Settings.NONE);
            try (Door door = Door.at(migration.address().target())) {
                door.connect(beginning());
                while (migration.statistics().transferred() == 0) Thread.onSpinWait();
                goesOnBeside(says, door);
                migration.await();
            }
            assertThat(Archives.mismatch(archive, memory)).isEqualTo(-1);
        }
    }

    private static void goesOnBeside(String stranger, Door door) {
        try {
            door.connect(bytes(stranger));
        } catch (IOException e) {
            // Nobody listens any more.
        }
        say(door.come.getFirst(), rest());
    }

    /**
     * A QEMU's monitor hears nothing, either, until he goes: it can't even be told to give up.
     * After a first byte of four it does not hear again when he has gone.
     */
    @ParameterizedTest
    @ValueSource(strings = {"", "\u0011", "GET / HTTP/1.0\r\n\r\n"})
    @Tag("ARR-3")
    void aStrangerWhoStallsWhereChannelsAreAwaited(String says) throws Exception {
        Attack stranger = door -> door.connect(bytes(says));
        qemu(
                2,
                stranger,
                (qemu, door) -> {
                    while (answers(qemu)) LockSupport.parkNanos(200_000);
                    for (Socket one : door.come) one.close();
                    if (says.length() != 1) qemu.awaitMigration("failed", SOON);
                });
        oursCompletesWithChannels(stranger);
    }

    private static boolean answers(Qemu qemu) {
        try {
            qemu.qmp().execute("query-status", Map.of(), BLINK);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    @Tag("ARR-2")
    void aChannelOfAnotherMachine() throws Exception {
        byte[] hello = MultifdBytes.hello(MultifdBytes.MAGIC, 1, new UUID(5, 5), 0);
        Attack stranger = door -> door.connect(hello);
        qemuFails(2, stranger);
        oursCompletesWithChannels(stranger);
    }

    /** It belongs, as far as anybody can tell: its pages would be missed. */
    @Test
    @Tag("ARR-4")
    void aChannelTooManyAndAnIdTwice() throws Exception {
        Attack tooMany = door -> door.connect(MultifdBytes.hello(7));
        Attack twice =
                door -> {
                    door.connect(MultifdBytes.hello(0));
                    door.connect(MultifdBytes.hello(0));
                };
        for (Attack channels : List.of(tooMany, twice)) {
            Attack attack =
                    door -> {
                        door.connect(beginning());
                        channels.on(door);
                    };
            qemuFails(2, attack);
            oursFails(MULTIFD, attack, "opened a channel with id");
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {(MIB << 20) + 4096, (MIB << 20) - 4096, 1L << 62, -1, 0})
    @Tag("RAM-2")
    void aBlockOfAnotherLength(long length) throws Exception {
        byte[] forged = genuine.clone();
        int name = new String(forged, StandardCharsets.ISO_8859_1).indexOf("pc.ram");
        ByteBuffer.wrap(forged).putLong(name + "pc.ram".length(), length);
        Attack attack = door -> door.connect(forged);
        qemuFails(0, attack);
        oursFails(Settings.NONE, attack, " at ");
    }

    @Test
    void aStreamThatIsCutShort() throws Exception {
        Attack attack = door -> door.connect(Arrays.copyOf(genuine, CUT)).shutdownOutput();
        qemuFails(0, attack);
        oursFails(Settings.NONE, attack, "the stream ends at", "it was cut short");
    }

    /** A QEMU takes in a line of 64 MiB, and some 10 us for each byte; ours refuses one of 2. */
    @Test
    void aLineOfQmpWithoutMeasure() throws Exception {
        Path monitor = folder.resolve("monitor");
        String more = "unix:" + monitor + ",server=on,wait=off";
        try (Qemu qemu = Qemu.builder().memory(MIB).paused().options("-qmp", more).start()) {
            assertThat(qemu.status()).isNotEmpty();
            tellsAndGoesOn(monitor, 1 << 16, "CommandNotFound");
        }
        Path socket = folder.resolve("qmp");
        try (ReferenceMachine machine = Listening.guest();
                QmpServer server = QmpServer.listen(engine, machine, socket)) {
            tellsAndGoesOn(socket, 1 << 16, "CommandNotFound");
            tellsAndGoesOn(socket, 2 << 20, "size limit exceeded");
        }
    }

    private static void tellsAndGoesOn(Path monitor, int length, String why) throws IOException {
        try (SocketChannel client = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            client.connect(UnixDomainSocketAddress.of(monitor));
            BufferedReader said =
                    new BufferedReader(Channels.newReader(client, StandardCharsets.UTF_8));
            assertThat(said.readLine()).contains("\"QMP\"");
            tell(client, "{\"execute\": \"qmp_capabilities\"}\n");
            assertThat(said.readLine()).contains("return");
            tell(client, "{\"execute\": \"" + "x".repeat(length) + "\"}\n");
            assertThat(said.readLine()).contains(why);
            tell(client, "{\"execute\": \"query-status\"}\n");
            assertThat(said.readLine()).contains("running");
        }
    }

    private static void tell(SocketChannel client, String line) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(bytes(line));
        while (bytes.hasRemaining()) client.write(bytes);
    }
}
