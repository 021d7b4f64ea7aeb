package org.vmferry.engine.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.TransportProvider;
import org.vmferry.spi.transport.TransportProvider.Incoming;
import org.vmferry.spi.transport.TransportProvider.Outgoing;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnsupportedAddressTypeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

class SocketTransportTest {
    @TempDir Path directory;
    private List<String> before;

    /** The JDK keeps a socket for itself once it has closed one under a thread. */
    @BeforeAll
    static void closeOne() throws Exception {
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            Hanging accept = Hanging.in(server::accept);
            server.close();
            accept.letGo();
        }
    }

    @BeforeEach
    void count() throws IOException {
        before = Descriptors.open("socket:");
    }

    @AfterEach
    void nothingStaysOpen() throws IOException {
        List<String> after = new ArrayList<>(Descriptors.open("socket:"));
        after.removeAll(before);
        assertThat(after).isEmpty();
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(t -> t.getName().startsWith("vmferry-connect"));
    }

    private static TransportProvider transport(String scheme) {
        return scheme.equals("tcp") ? new TcpTransport() : new UnixTransport();
    }

    private Incoming listen(String scheme) throws IOException {
        return transport(scheme)
                .incoming(
                        scheme.equals("tcp")
                                ? Address.parse("tcp:127.0.0.1:0")
                                : Address.parse("unix:" + directory.resolve("s")),
                        Options.DEFAULTS);
    }

    private static Outgoing connect(Address address) throws IOException {
        return transport(address.scheme()).outgoing(address, Options.DEFAULTS);
    }

    private static void writeAll(Channel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) assertThat(channel.write(bytes)).isPositive();
    }

    private static String readAll(Channel channel) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(100);
        while (channel.read(bytes) > 0) {}
        return new String(bytes.array(), 0, bytes.position());
    }

    private static Incoming listen(String scheme, String target) throws IOException {
        return transport(scheme).incoming(new Address(scheme, target), Options.DEFAULTS);
    }

    /** The first byte that is sent to a place arrives at the listener. */
    private static void reaches(Incoming in, InetSocketAddress place) throws IOException {
        FutureTask<Channel> accepting = new FutureTask<>(in::accept);
        Thread waiting = Thread.ofPlatform().daemon().start(accepting);
        while (waiting.getState() != Thread.State.RUNNABLE || !selects(waiting)) Thread.yield();
        try (SocketChannel there = SocketChannel.open(place);
                Channel here = accepting.get(20, TimeUnit.SECONDS)) {
            there.write(ByteBuffer.wrap(new byte[] {7}));
            ByteBuffer one = ByteBuffer.allocate(1);
            assertThat(here.read(one)).isEqualTo(1);
        } catch (ExecutionException | InterruptedException | TimeoutException e) {
            throw new AssertionError(e);
        }
    }

    private static boolean selects(Thread thread) {
        return Stream.of(thread.getStackTrace())
                .anyMatch(at -> at.getMethodName().equals("select"));
    }

    /** Whether who connects there is kept. */
    private static boolean answers(Incoming in, InetSocketAddress place) throws IOException {
        try (SocketChannel there = SocketChannel.open(place)) {
            Optional<Channel> here = in.acceptNow();
            if (here.isPresent()) return true;
            assertThat(there.read(ByteBuffer.allocate(1))).as("it is closed").isEqualTo(-1);
            return false;
        } catch (ConnectException e) {
            return false;
        }
    }

    private static int port(Incoming in) {
        String target = in.address().target();
        return Integer.parseInt(target.substring(target.lastIndexOf(':') + 1));
    }

    @Test
    void qemusOptionsOfTcpAreObeyed() throws IOException {
        try (Incoming first = listen("tcp", "127.0.0.1:0,keep-alive=on,ipv4")) {
            int port = port(first);
            reaches(first, new InetSocketAddress("127.0.0.1", port));
            assertThatThrownBy(() -> listen("tcp", "127.0.0.1:" + port))
                    .hasMessageContaining("in use");
            // Others may take a port meanwhile: any of a hundred will do.
            try (Incoming next = listen("tcp", "127.0.0.1:" + port + ",to=" + (port + 100))) {
                assertThat(port(next)).isBetween(port + 1, port + 100);
                reaches(next, new InetSocketAddress("127.0.0.1", port(next)));
            }
            try (Outgoing out = connect(new Address("tcp", "127.0.0.1:" + port + ",ipv6=off"));
                    Channel there = out.open();
                    Channel here = first.accept()) {
                writeAll(there, ByteBuffer.wrap(new byte[1]));
                there.shutdownOutput();
                assertThat(readAll(here)).hasSize(1);
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "127.0.0.1:0,to=70000 | port '70000' is none",
                "127.0.0.1:9,to=8 | 'to' is below the port",
                "192.0.2.77:9,to=65535 | Cannot assign requested address",
                "127.0.0.1:9,ipv4=maybe | 'ipv4' is 'maybe', must be on or off",
                "127.0.0.1:9,ipv4=off,ipv6=off | ipv4 and ipv6 are both off",
                "127.0.0.1:9,ipv6=on | an IPv6 address is asked for, and host '127.0.0.1' has none",
                "[::1]:9,ipv4=on | an IPv4 address is asked for, and host '::1' has none",
                "127.0.0.1:9,keep-alive=off | 'keep-alive=off' is not obeyed",
                "127.0.0.1:9,mptcp=on | option 'mptcp' is not built",
                "127.0.0.1:9,numeric | option 'numeric' is not built",
                "127.0.0.1:9, | option '' is not built",
            })
    void orRefusedByName(String target, String message) {
        assertThatThrownBy(() -> listen("tcp", target))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aRangeIsForWhoListens() {
        assertThatThrownBy(() -> connect(new Address("tcp", "127.0.0.1:9,to=10")))
                .hasMessageContaining("'to' is for who listens");
    }

    /** A port that somebody has at one of a name's addresses can't be had. */
    @Test
    void aPortMustBeFreeAtAllAddresses() throws IOException {
        List<InetAddress> two =
                List.of(InetAddress.getByName("127.0.0.2"), InetAddress.getByName("127.0.0.1"));
        try (Incoming first = listen("tcp", "127.0.0.1:0")) {
            Address taken = Address.parse("tcp:two:" + port(first));
            assertThatThrownBy(() -> TcpTransport.listening(taken, host -> two))
                    .isInstanceOf(MigrationException.class)
                    .hasMessageContaining("in use");
            Address range = Address.parse(taken + ",to=" + (port(first) + 100));
            try (Incoming next = TcpTransport.listening(range, host -> two)) {
                for (InetAddress one : two) reaches(next, new InetSocketAddress(one, port(next)));
            }
        }
    }

    @Test
    void oneFamilyIsNotTheOther() throws IOException {
        assumeTrue(answersLocally("::1"), "no IPv6 here");
        try (Incoming in = listen("tcp", "[::]:0,ipv4=off")) {
            reaches(in, new InetSocketAddress("::1", port(in)));
            assertThat(answers(in, new InetSocketAddress("127.0.0.1", port(in)))).isFalse();
        }
        for (String host : List.of("", "0")) {
            try (Incoming in = listen("tcp", host + ":0,ipv4=on")) {
                reaches(in, new InetSocketAddress("127.0.0.1", port(in)));
                assertThat(answers(in, new InetSocketAddress("::1", port(in)))).isFalse();
            }
            try (Incoming in = listen("tcp", host + ":0,ipv6=on")) {
                reaches(in, new InetSocketAddress("::1", port(in)));
                assertThat(answers(in, new InetSocketAddress("127.0.0.1", port(in)))).isFalse();
            }
            for (String both : List.of("", ",ipv4=on,ipv6=on")) {
                try (Incoming in = listen("tcp", host + ":0" + both)) {
                    reaches(in, new InetSocketAddress("127.0.0.1", port(in)));
                    reaches(in, new InetSocketAddress("::1", port(in)));
                }
            }
        }
    }

    private static boolean answersLocally(String host) throws IOException {
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(host, 0));
            return true;
        } catch (IOException | UnsupportedAddressTypeException e) {
            return false;
        }
    }

    /** As a QEMU listens: whichever address a source takes, somebody is there. */
    @Test
    void allAddressesOfANameAreListenedOn() throws IOException {
        assumeTrue(answersLocally("::1"), "no IPv6 here");
        List<InetAddress> both =
                List.of(InetAddress.getByName("127.0.0.1"), InetAddress.getByName("::1"));
        try (Incoming in = TcpTransport.listening(Address.parse("tcp:two:0"), host -> both)) {
            for (int i = 0; i < 2; i++) {
                for (InetAddress one : both) reaches(in, new InetSocketAddress(one, port(in)));
            }
            assertThat(in.acceptNow()).isEmpty();
        }
        // One that this machine doesn't have keeps nobody from the others.
        List<InetAddress> foreign =
                List.of(InetAddress.getByName("192.0.2.77"), InetAddress.getByName("127.0.0.1"));
        try (Incoming in = TcpTransport.listening(Address.parse("tcp:two:0"), host -> foreign)) {
            reaches(in, new InetSocketAddress("127.0.0.1", port(in)));
        }
        // A port that somebody has at one of them is no port.
        try (ServerSocketChannel taken = ServerSocketChannel.open()) {
            taken.bind(new InetSocketAddress("::1", 0));
            int port = ((InetSocketAddress) taken.getLocalAddress()).getPort();
            Address address = Address.parse("tcp:two:" + port);
            assertThatThrownBy(() -> TcpTransport.listening(address, host -> both))
                    .hasMessageContaining("in use");
            Address upTo = Address.parse("tcp:two:" + port + ",to=" + (port + 100));
            try (Incoming in = TcpTransport.listening(upTo, host -> both)) {
                assertThat(port(in)).isGreaterThan(port);
                for (InetAddress one : both) reaches(in, new InetSocketAddress(one, port(in)));
            }
        }
    }

    @Test
    void theLongestUnixPathIsNamed() throws IOException {
        String longest = directory + "/" + "p".repeat(105 - directory.toString().length());
        try (Incoming in = listen("unix", longest);
                Outgoing out = connect(in.address());
                Channel there = out.open();
                Channel here = in.accept()) {
            assertThat(there.peer()).isNotEmpty();
            assertThat(here.peer()).isNotEmpty();
        }
        String message = "a unix socket's path may have 106 bytes, this one has 107";
        assertThatThrownBy(() -> listen("unix", longest + "x")).hasMessageContaining(message);
        assertThatThrownBy(() -> connect(new Address("unix", longest + "x")))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"tcp", "unix"})
    void carriesManyChannelsBothWays(String scheme) throws IOException {
        try (Incoming in = listen(scheme);
                Outgoing out = connect(in.address())) {
            for (int i = 0; i < 3; i++) {
                try (Channel there = out.open();
                        Channel here = in.accept()) {
                    writeAll(there, ByteBuffer.wrap(("to " + i).getBytes()));
                    there.shutdownOutput();
                    assertThat(readAll(here)).isEqualTo("to " + i);
                    writeAll(here, ByteBuffer.wrap(("back " + i).getBytes()));
                    here.shutdownOutput();
                    assertThat(readAll(there)).isEqualTo("back " + i);
                }
            }
        }
        assertThat(directory).isEmptyDirectory();
    }

    @ParameterizedTest
    @ValueSource(strings = {"tcp", "unix"})
    void gathersAndScattersMoreBuffersThanTheSystemTakes(String scheme) throws Exception {
        ByteBuffer[] sources = new ByteBuffer[3000];
        ByteBuffer[] targets = new ByteBuffer[3000];
        for (int i = 0; i < sources.length; i++) {
            sources[i] = ByteBuffer.allocateDirect(1000);
            while (sources[i].hasRemaining()) sources[i].put((byte) (i + sources[i].position()));
            sources[i].flip();
            targets[i] = ByteBuffer.allocateDirect(1000);
        }
        try (Incoming in = listen(scheme);
                Outgoing out = connect(in.address());
                Channel there = out.open();
                Channel here = in.accept()) {
            Thread writer =
                    Thread.ofPlatform()
                            .start(
                                    () -> {
                                        try {
                                            for (int i = 0; i < sources.length; ) {
                                                if (!sources[i].hasRemaining()) i++;
                                                else there.write(sources, i, sources.length - i);
                                            }
                                        } catch (IOException e) {
                                            throw new java.io.UncheckedIOException(e);
                                        }
                                    });
            for (int i = 0; i < targets.length; ) {
                if (!targets[i].hasRemaining()) i++;
                else here.read(targets, i, targets.length - i);
            }
            writer.join();
        }
        for (int i = 0; i < sources.length; i++) {
            assertThat(targets[i].flip()).isEqualTo(sources[i].flip());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tcp", "unix"})
    void releaseLetsGoWhoeverHangs(String scheme) throws Exception {
        try (Incoming in = listen(scheme);
                Outgoing out = connect(in.address())) {
            Channel there = out.open();
            Channel here = in.accept();
            Hanging accept = Hanging.in(in::accept);
            Hanging read = Hanging.in(() -> here.read(ByteBuffer.allocateDirect(1)));
            in.release();
            assertThat(accept.letGo()).hasMessageContaining("given up");
            assertThat(read.letGo()).hasMessageContaining("closed");
            assertThatThrownBy(in::accept).hasMessageContaining("given up");

            out.release();
            assertThat(there.isOpen()).isFalse();
            assertThatThrownBy(out::open).hasMessageContaining("given up");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tcp", "unix"})
    void aChannelReleasesItsOwnWriterAndReader(String scheme) throws Exception {
        try (Incoming in = listen(scheme);
                Outgoing out = connect(in.address());
                Channel there = out.open();
                Channel here = in.accept()) {
            Hanging read = Hanging.in(() -> there.read(ByteBuffer.allocateDirect(1)));
            ByteBuffer much = ByteBuffer.allocateDirect(64 << 20);
            Hanging write =
                    Hanging.in(
                            () -> {
                                writeAll(there, much);
                                return null;
                            });
            there.release();
            assertThat(read.letGo()).hasMessageContaining("closed");
            assertThat(write.letGo()).hasMessageContaining("closed");
            assertThat(here.isOpen()).isTrue();
        }
    }

    /** A listener whose queue is full swallows whoever comes next. */
    private static List<SocketChannel> fill(InetSocketAddress place) throws IOException {
        List<SocketChannel> waiting = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            SocketChannel one = SocketChannel.open();
            one.configureBlocking(false);
            one.connect(place);
            waiting.add(one);
        }
        return waiting;
    }

    @Test
    void connectingToNobodyEndsByReleaseOrDeadline() throws Exception {
        List<SocketChannel> waiting = List.of();
        try (ServerSocketChannel full = ServerSocketChannel.open()) {
            full.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1);
            InetSocketAddress place = (InetSocketAddress) full.getLocalAddress();
            waiting = fill(place);
            Address address = new Address("tcp", TcpTransport.text(place));
            try (Outgoing out = connect(address)) {
                Hanging connect = Hanging.in(out::open);
                out.release();
                assertThat(connect.letGo()).hasMessageContaining("given up");
            }
            Options hasty = Options.DEFAULTS.with(SocketOptions.CONNECT_TIMEOUT, 50L);
            try (Outgoing out = new TcpTransport().outgoing(address, hasty)) {
                assertThatThrownBy(out::open)
                        .hasMessageContaining("no answer within connect-timeout, 50 ms");
            }
        } finally {
            for (SocketChannel one : waiting) one.close();
        }
    }

    @Test
    void aFullUnixSocketEndsByDeadlineToo() throws Exception {
        Path path = directory.resolve("full");
        List<SocketChannel> waiting = new ArrayList<>();
        try (ServerSocketChannel full = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            full.bind(UnixDomainSocketAddress.of(path), 1);
            for (int i = 0; i < 2; i++) {
                waiting.add(SocketChannel.open(UnixDomainSocketAddress.of(path)));
            }
            Options hasty = Options.DEFAULTS.with(SocketOptions.CONNECT_TIMEOUT, 50L);
            try (Outgoing out =
                    new UnixTransport().outgoing(Address.parse("unix:" + path), hasty)) {
                assertThatThrownBy(out::open).hasMessageContaining("50 ms");
            }
        } finally {
            for (SocketChannel one : waiting) one.close();
        }
    }

    @Test
    void saysWhoRefused() throws IOException {
        int port;
        try (ServerSocketChannel gone = ServerSocketChannel.open()) {
            gone.bind(new InetSocketAddress("127.0.0.1", 0));
            port = ((InetSocketAddress) gone.getLocalAddress()).getPort();
        }
        try (Outgoing out = connect(Address.parse("tcp:127.0.0.1:" + port))) {
            assertThatThrownBy(out::open)
                    .hasMessageContaining("can't reach tcp:127.0.0.1:" + port)
                    .hasMessageContaining("refused");
        }
        try (Outgoing out = connect(Address.parse("unix:" + directory.resolve("none")))) {
            assertThatThrownBy(out::open).hasMessageContaining("can't reach unix:");
        }
    }

    @Test
    void speaksIpv6InBrackets() throws IOException {
        Address address = Address.parse("tcp:[::1]:0");
        try (Incoming in = new TcpTransport().incoming(address, Options.DEFAULTS);
                Outgoing out = connect(in.address());
                Channel there = out.open();
                Channel here = in.accept()) {
            assertThat(in.address().toString()).startsWith("tcp:[").doesNotEndWith(":0");
            assertThat(here.peer()).startsWith("[");
            assertThat(there.isOpen()).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tcp::0", "tcp:0:0"})
    void listensOnAnyAddress(String typed) throws IOException {
        try (Incoming in = new TcpTransport().incoming(Address.parse(typed), Options.DEFAULTS);
                Outgoing out = connect(in.address());
                Channel there = out.open();
                Channel here = in.accept()) {
            assertThat(in.address().toString()).matches("tcp:0.0.0.0:\\d+");
            assertThat(there.isOpen() && here.isOpen()).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "tcp:x",
                "tcp:host:",
                "tcp:host:-1",
                "tcp:host:65536",
                "tcp:::1:80",
                "tcp:h:0"
            })
    void refusesWhatIsNoAddress(String typed) {
        assertThatThrownBy(() -> connect(Address.parse(typed))).hasMessageContaining("'" + typed);
    }

    @Test
    void replacesAStaleSocketOnly() throws IOException {
        Path path = directory.resolve("s");
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(path));
        }
        assertThat(path).exists();
        try (Incoming in = listen("unix")) {
            assertThatThrownBy(() -> listen("unix")).hasMessageContaining("somebody else");
            try (Outgoing out = connect(in.address());
                    Channel there = out.open()) {
                assertThat(there.isOpen()).isTrue();
            }
        }
        assertThat(path).doesNotExist();
        Files.writeString(path, "precious");
        assertThatThrownBy(() -> listen("unix")).hasMessageContaining("no socket");
        assertThat(path).exists();
    }

    @Test
    void allChannelsGoWhereTheMainOneWent() throws IOException {
        // The first place refuses; the second is reached, and is then the only one that is tried.
        try (Incoming in = listen("tcp")) {
            InetSocketAddress good =
                    new InetSocketAddress(
                            "127.0.0.1",
                            Integer.parseInt(in.address().target().replaceAll(".*:", "")));
            InetSocketAddress bad = new InetSocketAddress("127.0.0.1", 1);
            int[] asked = new int[1];
            try (SocketOutgoing out =
                    new SocketOutgoing(
                            in.address(),
                            () -> {
                                asked[0]++;
                                return Arrays.asList(bad, good);
                            },
                            10_000)) {
                out.open().close();
                out.open().close();
                assertThat(asked[0]).isEqualTo(1);
            }
        }
    }
}
