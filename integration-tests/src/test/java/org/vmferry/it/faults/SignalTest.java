package org.vmferry.it.faults;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.it.support.FullMachine;
import org.vmferry.it.support.Launched;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.ForwardingMachine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.tls.TestCertificates;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;

/**
 * Ctrl-C, TERM and HUP, in each phase of each command: it ends soon, says why and who has the
 * guest, and leaves nothing.
 */
class SignalTest {
    private static final long SOON = 10; // s; less than the 20 for which it waits for what hangs

    @TempDir static Path made;
    @TempDir Path directory;
    private Path notes;
    private Path work;
    private Path temporary;
    private Launched command;

    /** A snapshot that takes a while to be read, and one that takes for ever. */
    @BeforeAll
    static void make() throws Exception {
        Files.write(made.resolve("long"), stream(1L << 30, 2_000_000));
        Files.write(made.resolve("tib"), stream(1L << 40, 1));
        new FullMachine(4 << 20, RunState.PAUSED).saved(made.resolve("full"), "mapped-ram");
        // More than the two sockets' buffers take.
        new FullMachine(64 << 20, RunState.PAUSED).saved(made.resolve("large"), "mapped-ram");
        TestCertificates.in(made.resolve("certificates"));
    }

    /** A stream of one block of zeros, with so many of its pages said. */
    private static byte[] stream(long length, int zeros) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.write(beginning(length));
        out.writeByte(2);
        out.writeInt(2);
        out.writeLong(0x02);
        name(out, "pc.ram");
        out.writeByte(0);
        for (int i = 1; i < zeros; i++) {
            out.writeLong(0x22);
            out.writeByte(0);
        }
        ends(out, 2);
        out.writeByte(3);
        out.writeInt(2);
        ends(out, 2);
        out.writeByte(4);
        out.writeInt(3);
        name(out, "lamp");
        out.writeInt(0);
        out.writeInt(1);
        out.writeInt(7);
        out.writeByte(0x7e);
        out.writeInt(3);
        out.writeByte(0);
        byte[] description =
                ("{\"page_size\":4096,\"devices\":[{\"name\":\"lamp\",\"instance_id\":0,"
                     + "\"vmsd_name\":\"lamp\",\"version\":1,\"fields\":[{\"name\":\"on\","
                     + "\"type\":\"uint32\",\"size\":4}]}]}")
                        .getBytes(StandardCharsets.US_ASCII);
        out.writeByte(6);
        out.writeInt(description.length);
        out.write(description);
        return bytes.toByteArray();
    }

    /** Up to the block list's end. */
    private static byte[] beginning(long length) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeBytes("QEVM");
        out.writeInt(3);
        out.writeByte(7);
        out.writeInt(2);
        out.writeBytes("pc"); // whose pages everybody knows
        out.writeByte(1);
        out.writeInt(2);
        name(out, "ram");
        out.writeInt(0);
        out.writeInt(4);
        out.writeLong(length | 4);
        name(out, "pc.ram");
        out.writeLong(length);
        ends(out, 2);
        return bytes.toByteArray();
    }

    private static void name(DataOutputStream out, String name) throws IOException {
        out.writeByte(name.length());
        out.writeBytes(name);
    }

    private static void ends(DataOutputStream out, int section) throws IOException {
        out.writeLong(0x10);
        out.writeByte(0x7e);
        out.writeInt(section);
    }

    @BeforeEach
    void prepare() throws IOException {
        notes = Files.createDirectory(directory.resolve("notes"));
        work = Files.createDirectory(directory.resolve("work"));
        temporary = Files.createDirectory(directory.resolve("tmp"));
    }

    @AfterEach
    void end() throws Exception {
        if (command != null) command.close();
    }

    private void start(Object... arguments) throws IOException {
        command = Launched.with(notes, temporary, arguments);
    }

    /** It ends by the signal, has said this, and left nothing. */
    private void assertEnds(String signal, String... said) throws Exception {
        int number =
                switch (signal) {
                    case "HUP" -> 1;
                    case "INT" -> 2;
                    default -> 15;
                };
        command.signal(signal);
        assertThat(command.end(SOON)).isEqualTo(128 + number);
        for (String sentence : said) assertThat(command.err()).contains(sentence);
        assertThat(work).isEmptyDirectory();
        assertThat(temporary).isEmptyDirectory();
    }

    @ParameterizedTest
    @CsvSource({"inspect,TERM", "page,INT", "verify,INT", "extract,HUP", "convert,TERM"})
    void whileASnapshotIsRead(String verb, String signal) throws Exception {
        Path snapshot = made.resolve("long").toRealPath();
        switch (verb) {
            case "page" -> start("inspect", snapshot, "--html", work.resolve("page"));
            case "extract" -> start(verb, snapshot, "--block", "pc.ram", "-o", work.resolve("ram"));
            case "convert" -> start(verb, snapshot, work.resolve("snap"), "--format", "mapped-ram");
            default -> start(verb, snapshot);
        }
        command.await(() -> command.hasOpen(snapshot));
        assertEnds(signal, "vmferry: ", "cancelled");
        assertThat(command.out()).isEmpty();
    }

    @Test
    void whileAnArchiveOfATebibyteOfZerosIsLookedThrough() throws Exception {
        start(
                "convert",
                "--debug",
                made.resolve("tib"),
                work.resolve("snap"),
                "--format",
                "mapped-ram");
        command.awaitSaid("send-2: SETUP");
        assertEnds("TERM", "vmferry: the migration was cancelled");
    }

    /** Results that nobody takes: there is nothing to clean up. */
    @ParameterizedTest
    @ValueSource(strings = {"inspect", "verify"})
    void whileStandardOutputHangs(String verb) throws Exception {
        Path pipe = pipe();
        try (RandomAccessFile full = new RandomAccessFile(pipe.toFile(), "rw")) {
            full.write(new byte[65536]);
            command =
                    Launched.with(
                            pipe, notes.resolve("err"), temporary, verb, made.resolve("full"));
            command.await(() -> command.hasOpen(made.resolve("full").toRealPath()));
            command.awaitIdle();
            assertEnds("TERM");
            assertThat(command.err()).isEmpty();
        }
    }

    private Path pipe() throws Exception {
        Path pipe = notes.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
        return pipe;
    }

    private Path receiver(Object... options) throws Exception {
        Path socket = work.resolve("socket");
        Object[] all = {"receive", "--debug", "unix:" + socket, "-o", work.resolve("snap")};
        start(Stream.of(all, options).flatMap(Stream::of).toArray());
        command.awaitSaid("listening on");
        return socket;
    }

    private static SocketChannel connect(Path socket, byte... bytes) throws IOException {
        SocketChannel source = SocketChannel.open(StandardProtocolFamily.UNIX);
        source.connect(UnixDomainSocketAddress.of(socket));
        source.write(ByteBuffer.wrap(bytes));
        return source;
    }

    @Test
    @Tag("OWN-1")
    void whileItListens() throws Exception {
        receiver();
        assertEnds("HUP", "vmferry: the migration was cancelled", GuestOwner.SOURCE.sentence());
    }

    @Test
    @Tag("OWN-1")
    void inAHandshakeOfTls() throws Exception {
        Path socket = receiver("-p", "tls-creds=" + made.resolve("certificates"));
        try (SocketChannel source = connect(socket, (byte) 22)) {
            assertThat(source.isOpen()).isTrue();
            command.awaitSaid("receive-1: SETUP");
            assertEnds(
                    "TERM", "vmferry: the migration was cancelled", GuestOwner.SOURCE.sentence());
        }
    }

    @Test
    @Tag("OWN-1")
    void whileRamComes() throws Exception {
        Path socket = receiver();
        try (SocketChannel source = connect(socket, beginning(1L << 40))) {
            assertThat(source.isOpen()).isTrue();
            command.awaitSaid("receive-1: ACTIVE");
            assertEnds("INT", "vmferry: the migration was cancelled", GuestOwner.SOURCE.sentence());
        }
    }

    /** The source has no return path: it has given the guest up. */
    @Test
    @Tag("OWN-4")
    void whileTheArchiveIsWritten() throws Exception {
        Path socket = receiver();
        try (SocketChannel source = connect(socket, stream(1L << 40, 1))) {
            source.shutdownOutput();
            command.awaitSaid("send-2: SETUP");
            assertEnds(
                    "TERM", "vmferry: the migration was cancelled", GuestOwner.UNKNOWN.sentence());
        }
    }

    /** A destination that reads, and says nothing. */
    private static final class Mute implements AutoCloseable {
        final ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        private final Thread thread = new Thread(this::read, "mute");
        private final int most;
        private volatile Socket socket;
        volatile long bytes;

        /** It reads so many bytes at the most. */
        Mute(int most) throws IOException {
            this.most = most;
            thread.start();
        }

        private void read() {
            try {
                socket = server.accept();
                byte[] some = new byte[1 << 12];
                for (int count; bytes < most && (count = socket.getInputStream().read(some)) >= 0; )
                    bytes += count; // one reader
            } catch (IOException e) {
                // The test is over.
            }
        }

        String address() {
            return "tcp:127.0.0.1:" + server.getLocalPort();
        }

        @Override
        public void close() throws Exception {
            server.close();
            if (socket != null) socket.close();
            thread.join();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "set-up,INT,full,-c return-path,40",
        "handshake,TERM,full,-p tls-creds=CERTIFICATES -p tls-hostname=ferry.test,1",
        "RAM,HUP,full,-p max-bandwidth=200000,10000",
        "a peer that takes nothing,TERM,large,-p max-bandwidth=0,10000",
    })
    @Tag("OWN-1")
    void whileItSends(String phase, String signal, String guest, String options, int bytes)
            throws Exception {
        try (Mute destination = new Mute(phase.startsWith("a peer") ? bytes : 1 << 30)) {
            String line =
                    "send --debug %s %s %s"
                            .formatted(made.resolve(guest), destination.address(), options)
                            .replace("CERTIFICATES", made.resolve("certificates").toString());
            start((Object[]) line.split(" "));
            command.await(() -> destination.bytes >= bytes);
            assertEnds(
                    signal, "vmferry: the migration was cancelled", GuestOwner.SOURCE.sentence());
        }
    }

    /** A destination that stands where its guest begins until it is told to go on. */
    private static final class Slow extends ForwardingMachine {
        final CountDownLatch came = new CountDownLatch(1);
        final CountDownLatch goesOn = new CountDownLatch(1);

        Slow() {
            super(new FullMachine(4 << 20, RunState.INMIGRATE));
        }

        @Override
        public void enter(RunState next) throws MigrationException {
            came.countDown();
            try {
                goesOn.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            super.enter(next);
        }
    }

    @Test
    @Tag("OWN-6")
    void whileItWaitsForTheDestinationsWord() throws Exception {
        Slow there = new Slow();
        Migration load =
                Engine.create()
                        .receive(there, "tcp:127.0.0.1:0", Settings.NONE.capability("return-path"));
        start("send", made.resolve("full"), load.address(), "-c", "return-path");
        command.await(() -> there.came.getCount() == 0);
        assertEnds("INT", GuestOwner.UNKNOWN.sentence());
        there.goesOn.countDown();
        load.await(); // it had everything: the guest is there
    }

    @Test
    @Tag("OWN-2")
    void beforeItsSwitchOver() throws Exception {
        Migration load =
                Engine.create()
                        .receive(
                                new FullMachine(4 << 20, RunState.INMIGRATE),
                                "tcp:127.0.0.1:0",
                                Settings.NONE);
        start(
                "send",
                "--debug",
                made.resolve("full"),
                load.address(),
                "-c",
                "pause-before-switchover");
        command.awaitSaid("send-3: PRE_SWITCHOVER");
        assertEnds("TERM", "vmferry: the migration was cancelled", GuestOwner.SOURCE.sentence());
        assertThat(load.await(Duration.ofSeconds(SOON))).isTrue();
        assertThat(load.owner()).isEqualTo(GuestOwner.SOURCE);
    }

    /** It hangs where it says why it ends: nobody reads that. */
    @Test
    void aSecondOneEndsItAtOnce() throws Exception {
        Path pipe = pipe();
        Path socket = work.resolve("socket");
        try (RandomAccessFile unread = new RandomAccessFile(pipe.toFile(), "rw")) {
            command =
                    Launched.with(
                            notes.resolve("out"),
                            pipe,
                            temporary,
                            "receive",
                            "unix:" + socket,
                            "-o",
                            work.resolve("snap"));
            assertThat(unread.readLine()).contains("listening on");
            unread.write(new byte[65536]);
            command.signal("INT");
            assertThat(command.livesFor(1000)).isTrue();
            command.signal("INT");
            assertThat(command.end(5)).isEqualTo(130);
        }
    }
}
