package org.vmferry.engine.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.Opener;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.channels.UnsupportedAddressTypeException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** Where a tcp: address listens and connects to, and what its options do. */
class TcpAddressTest extends Sockets {
    private static Acceptor listen(String target) throws IOException {
        return new TcpTransport().acceptor(new Address("tcp", target), Options.DEFAULTS);
    }

    private static Opener connect(Address address) throws IOException {
        return new TcpTransport().opener(address, Options.DEFAULTS);
    }

    /** The first byte that is sent to a place arrives at the listener. */
    private static void reaches(Acceptor in, InetSocketAddress place) throws IOException {
        FutureTask<Channel> accepting = new FutureTask<>(in::accept);
        Thread waiting = Thread.ofPlatform().daemon().start(accepting);
        while (waiting.getState() != Thread.State.RUNNABLE || !selects(waiting))
            LockSupport.parkNanos(200_000);
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
    private static boolean answers(Acceptor in, InetSocketAddress place) throws IOException {
        try (SocketChannel there = SocketChannel.open(place)) {
            Optional<Channel> here = in.acceptNow();
            if (here.isPresent()) return true;
            assertThat(there.read(ByteBuffer.allocate(1))).as("it is closed").isEqualTo(-1);
            return false;
        } catch (ConnectException e) {
            return false;
        }
    }

    private static int port(Acceptor in) {
        String target = in.address().target();
        return Integer.parseInt(target.substring(target.lastIndexOf(':') + 1));
    }

    @Test
    void qemusOptionsOfTcpAreObeyed() throws IOException {
        try (Acceptor first = listen("127.0.0.1:0,keep-alive=on,ipv4")) {
            int port = port(first);
            reaches(first, new InetSocketAddress("127.0.0.1", port));
            assertThatThrownBy(() -> listen("127.0.0.1:" + port)).hasMessageContaining("in use");
            // Others may take a port meanwhile: any of a hundred will do.
            try (Acceptor next = listen("127.0.0.1:" + port + ",to=" + (port + 100))) {
                assertThat(port(next)).isBetween(port + 1, port + 100);
                reaches(next, new InetSocketAddress("127.0.0.1", port(next)));
            }
            try (Opener out = connect(new Address("tcp", "127.0.0.1:" + port + ",ipv6=off"));
                    Channel there = out.open();
                    Channel here = first.accept()) {
                there.write(ByteBuffer.wrap(new byte[] {7}));
                assertThat(here.read(ByteBuffer.allocate(2))).isEqualTo(1);
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
        assertThatThrownBy(() -> listen(target))
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
        try (Acceptor first = listen("127.0.0.1:0")) {
            Address taken = Address.parse("tcp:two:" + port(first));
            assertThatThrownBy(() -> TcpTransport.listening(taken, host -> two))
                    .isInstanceOf(MigrationException.class)
                    .hasMessageContaining("in use");
            Address range = Address.parse(taken + ",to=" + (port(first) + 100));
            try (Acceptor next = TcpTransport.listening(range, host -> two)) {
                for (InetAddress one : two) reaches(next, new InetSocketAddress(one, port(next)));
            }
        }
    }

    @Test
    void oneFamilyIsNotTheOther() throws IOException {
        assumeTrue(answersLocally("::1"), "no IPv6 here");
        try (Acceptor in = listen("[::]:0,ipv4=off")) {
            reaches(in, new InetSocketAddress("::1", port(in)));
            assertThat(answers(in, new InetSocketAddress("127.0.0.1", port(in)))).isFalse();
        }
        for (String host : List.of("", "0")) {
            try (Acceptor in = listen(host + ":0,ipv4=on")) {
                reaches(in, new InetSocketAddress("127.0.0.1", port(in)));
                assertThat(answers(in, new InetSocketAddress("::1", port(in)))).isFalse();
            }
            try (Acceptor in = listen(host + ":0,ipv6=on")) {
                reaches(in, new InetSocketAddress("::1", port(in)));
                assertThat(answers(in, new InetSocketAddress("127.0.0.1", port(in)))).isFalse();
            }
            for (String both : List.of("", ",ipv4=on,ipv6=on")) {
                try (Acceptor in = listen(host + ":0" + both)) {
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
        try (Acceptor in = TcpTransport.listening(Address.parse("tcp:two:0"), host -> both)) {
            for (int i = 0; i < 2; i++) {
                for (InetAddress one : both) reaches(in, new InetSocketAddress(one, port(in)));
            }
            assertThat(in.acceptNow()).isEmpty();
        }
        // One that this machine doesn't have keeps nobody from the others.
        List<InetAddress> foreign =
                List.of(InetAddress.getByName("192.0.2.77"), InetAddress.getByName("127.0.0.1"));
        try (Acceptor in = TcpTransport.listening(Address.parse("tcp:two:0"), host -> foreign)) {
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
            try (Acceptor in = TcpTransport.listening(upTo, host -> both)) {
                assertThat(port(in)).isGreaterThan(port);
                for (InetAddress one : both) reaches(in, new InetSocketAddress(one, port(in)));
            }
        }
    }

    @Test
    void speaksIpv6InBrackets() throws IOException {
        Address address = Address.parse("tcp:[::1]:0");
        try (Acceptor in = new TcpTransport().acceptor(address, Options.DEFAULTS);
                Opener out = connect(in.address());
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
        try (Acceptor in = new TcpTransport().acceptor(Address.parse(typed), Options.DEFAULTS);
                Opener out = connect(in.address());
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
}
