package org.vmferry.engine.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import jdk.net.ExtendedSocketOptions;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.system.NativeCalls;
import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/** What the system does with a peer that is gone, as far as one host can show it. */
@Timeout(60)
@EnabledOnOs(OS.LINUX)
class TcpSocketTest {
    private record Pair(SocketChannel here, SocketChannel there) implements AutoCloseable {
        static Pair at(String host) throws IOException {
            try (ServerSocketChannel server = ServerSocketChannel.open()) {
                server.bind(new InetSocketAddress(InetAddress.getByName(host), 0));
                SocketChannel here = SocketChannel.open(server.getLocalAddress());
                return new Pair(here, server.accept());
            }
        }

        @Override
        public void close() throws IOException {
            here.close();
            there.close();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "60000, 20, 5, 8",
        "1000, 1, 1, 1",
        "1, 1, 1, 1",
        "6000, 2, 1, 4",
        "2147483647, 32767, 32767, 64"
    })
    void probesForAboutSoLong(long ms, int idle, int between, int probes) throws Exception {
        try (Pair pair = Pair.at("127.0.0.1")) {
            TcpSocket socket = new TcpSocket(pair.there);
            assertThat(socket.notice(ms)).isEqualTo(NativeCalls.available());
            assertThat(pair.there.getOption(StandardSocketOptions.SO_KEEPALIVE)).isTrue();
            assertThat(pair.there.getOption(ExtendedSocketOptions.TCP_KEEPIDLE)).isEqualTo(idle);
            assertThat(pair.there.getOption(ExtendedSocketOptions.TCP_KEEPINTERVAL))
                    .isEqualTo(between);
            assertThat(pair.there.getOption(ExtendedSocketOptions.TCP_KEEPCOUNT)).isEqualTo(probes);
            assertThat(socket.notice(0)).isEqualTo(NativeCalls.available());
            assertThat(pair.there.getOption(StandardSocketOptions.SO_KEEPALIVE)).isFalse();
        }
    }

    /** Bytes that the system took are not bytes that the peer took; its host is there. */
    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "::1"})
    void givesUpWhatIsNotTaken(String host) throws Exception {
        assumeTrue(NativeCalls.available(), "needs native access: the JDK has no such option");
        try (Pair pair = Pair.at(host);
                SocketStream stream = new SocketStream(pair.here, "there")) {
            assertThat(stream.notice(700)).isTrue();
            assertThatThrownBy(() -> writeForEver(stream))
                    .isInstanceOf(MigrationException.class)
                    .hasMessageStartingWith("writing to there: Connection timed out: ")
                    .hasMessageContaining("700 ms (silence-timeout)")
                    .hasMessageContaining("its process has taken no byte for about 700 ms")
                    .hasMessageNotContaining("sign of life");
        }
    }

    private static void writeForEver(SocketStream stream) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocateDirect(1 << 16);
        while (true) stream.write(bytes.clear());
    }
}
