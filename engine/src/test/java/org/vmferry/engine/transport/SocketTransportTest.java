package org.vmferry.engine.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.Opener;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

class SocketTransportTest extends Sockets {
    @TempDir Path directory;

    private static ChannelTransport transport(String scheme) {
        return scheme.equals("tcp") ? new TcpTransport() : new UnixTransport();
    }

    private Acceptor listen(String scheme) throws IOException {
        return transport(scheme)
                .acceptor(
                        scheme.equals("tcp")
                                ? Address.parse("tcp:127.0.0.1:0")
                                : Address.parse("unix:" + directory.resolve("s")),
                        Options.DEFAULTS);
    }

    private static Acceptor listenAt(String path) throws IOException {
        return new UnixTransport().acceptor(new Address("unix", path), Options.DEFAULTS);
    }

    private static Opener connect(Address address) throws IOException {
        return transport(address.scheme()).opener(address, Options.DEFAULTS);
    }

    private static void writeAll(Channel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) assertThat(channel.write(bytes)).isPositive();
    }

    private static String readAll(Channel channel) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(100);
        while (channel.read(bytes) > 0) {}
        return new String(bytes.array(), 0, bytes.position());
    }

    @Test
    void theLongestUnixPathIsNamed() throws IOException {
        String longest = directory + "/" + "p".repeat(105 - directory.toString().length());
        try (Acceptor in = listenAt(longest);
                Opener out = connect(in.address());
                Channel there = out.open();
                Channel here = in.accept()) {
            assertThat(there.peer()).isNotEmpty();
            assertThat(here.peer()).isNotEmpty();
        }
        String message = "a unix socket's path may have 106 bytes, this one has 107";
        assertThatThrownBy(() -> listenAt(longest + "x")).hasMessageContaining(message);
        assertThatThrownBy(() -> connect(new Address("unix", longest + "x")))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"tcp", "unix"})
    void carriesManyChannelsBothWays(String scheme) throws IOException {
        try (Acceptor in = listen(scheme);
                Opener out = connect(in.address())) {
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
        try (Acceptor in = listen(scheme);
                Opener out = connect(in.address());
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
        try (Acceptor in = listen(scheme);
                Opener out = connect(in.address())) {
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
        try (Acceptor in = listen(scheme);
                Opener out = connect(in.address());
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
            try (Opener out = connect(address)) {
                Hanging connect = Hanging.in(out::open);
                out.release();
                assertThat(connect.letGo()).hasMessageContaining("given up");
            }
            Options hasty = Options.DEFAULTS.with(SocketOptions.CONNECT_TIMEOUT, 50L);
            try (Opener out = new TcpTransport().opener(address, hasty)) {
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
            try (Opener out = new UnixTransport().opener(Address.parse("unix:" + path), hasty)) {
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
        try (Opener out = connect(Address.parse("tcp:127.0.0.1:" + port))) {
            assertThatThrownBy(out::open)
                    .hasMessageContaining("can't reach tcp:127.0.0.1:" + port)
                    .hasMessageContaining("refused");
        }
        try (Opener out = connect(Address.parse("unix:" + directory.resolve("none")))) {
            assertThatThrownBy(out::open).hasMessageContaining("can't reach unix:");
        }
    }

    @Test
    void replacesAStaleSocketOnly() throws IOException {
        Path path = directory.resolve("s");
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(path));
        }
        assertThat(path).exists();
        try (Acceptor in = listen("unix")) {
            assertThatThrownBy(() -> listen("unix")).hasMessageContaining("somebody else");
            try (Opener out = connect(in.address());
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
        try (Acceptor in = listen("tcp")) {
            InetSocketAddress good =
                    new InetSocketAddress(
                            "127.0.0.1",
                            Integer.parseInt(in.address().target().replaceAll(".*:", "")));
            InetSocketAddress bad = new InetSocketAddress("127.0.0.1", 1);
            int[] asked = new int[1];
            try (SocketOpener out =
                    new SocketOpener(
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
