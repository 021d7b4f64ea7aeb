package org.vmferry.engine.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.transport.TcpTransport;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.Opener;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.cert.CertificateFactory;
import java.util.HexFormat;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

class TlsChannelTest {
    private static final String JO = "CN=Jo, O=Example Home, C=GB";
    @TempDir static Path directory;
    private static TestCertificates certificates;
    private static Path serverDir;
    private static Path clientDir;

    private Acceptor in;
    private Opener out;
    private Channel there;
    private Channel here;

    @BeforeAll
    static void make() throws Exception {
        certificates = new TestCertificates(directory);
        serverDir = certificates.directory("server", "ca", "server", "PRIVATE KEY");
        clientDir = certificates.directory("client", "ca", "client", "PRIVATE KEY");
    }

    @BeforeEach
    void connect() throws IOException {
        in = new TcpTransport().acceptor(Address.parse("tcp:127.0.0.1:0"), Options.DEFAULTS);
        out = new TcpTransport().opener(in.address(), Options.DEFAULTS);
        there = out.open();
        here = in.accept();
    }

    @AfterEach
    void nothingStays() {
        out.close();
        in.close();
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(t -> t.getName().startsWith("vmferry-"));
    }

    static <T> FutureTask<T> start(Callable<T> call) {
        FutureTask<T> task = new FutureTask<>(call);
        Thread.ofPlatform().daemon().start(task);
        return task;
    }

    static <T> T get(FutureTask<T> task) throws Exception {
        try {
            return task.get(20, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception cause) throw cause;
            throw e;
        }
    }

    private FutureTask<TlsChannel> server(boolean verify, String authorized) throws IOException {
        TlsCredentials credentials = TlsCredentials.server(serverDir, verify);
        return start(() -> TlsChannel.accept(here, credentials, authorized, 10_000));
    }

    private TlsChannel client(Path from, String hostname) throws IOException {
        return TlsChannel.connect(there, TlsCredentials.client(from, true), hostname, 10_000);
    }

    static Void write(Channel channel, int bytes) throws IOException {
        ByteBuffer[] parts = new ByteBuffer[bytes >> 16];
        for (int i = 0; i < parts.length; i++) {
            parts[i] = ByteBuffer.allocateDirect(1 << 16);
            for (int j = 0; j < 1 << 16; j += 8) parts[i].putLong(j, (long) i << 32 | j);
        }
        for (int i = 0; i < parts.length; ) {
            if (!parts[i].hasRemaining()) i++;
            else channel.write(parts, i, parts.length - i);
        }
        return null;
    }

    static Void read(Channel channel, int bytes) throws IOException {
        ByteBuffer part = ByteBuffer.allocateDirect(1 << 16);
        ByteBuffer small = part.duplicate().limit(1000);
        for (int i = 0; i < bytes >> 16; i++) {
            part.clear();
            small.position(0);
            ByteBuffer rest = part.duplicate().position(1000);
            while (rest.hasRemaining()) {
                if (channel.read(new ByteBuffer[] {small, rest}) < 0) throw new IOException("end");
            }
            for (int j = 0; j < 1 << 16; j += 8) {
                if (part.getLong(j) != ((long) i << 32 | j)) throw new IOException("wrong " + i);
            }
        }
        return null;
    }

    @ParameterizedTest
    @CsvSource({
        "TLSv1.3,PRIVATE KEY,PRIVATE KEY",
        "TLSv1.2,PRIVATE KEY,PRIVATE KEY",
        "TLSv1.3,RSA PRIVATE KEY,EC PRIVATE KEY"
    })
    void carriesBothWaysAtOnceAndEndsCleanly(String version, String server, String client)
            throws Exception {
        Path own = certificates.directory("s-" + version + server, "ca", "server", server);
        Path their = certificates.directory("c-" + version + client, "ca", "client", client);
        TlsCredentials old = TlsCredentials.server(own, true).only(version);
        FutureTask<TlsChannel> accepting = start(() -> TlsChannel.accept(here, old, JO, 10_000));
        TlsChannel a = client(their, "ferry.test");
        TlsChannel b = get(accepting);
        assertThat(a.protocol()).isEqualTo(version);
        // Both write more than the sockets hold before the other's reader is done.
        int much = 12 << 20;
        FutureTask<Void> toB = start(() -> write(a, much));
        FutureTask<Void> toA = start(() -> write(b, much));
        FutureTask<Void> atB = start(() -> read(b, much));
        FutureTask<Void> atA = start(() -> read(a, much));
        get(toB);
        get(toA);
        get(atA);
        get(atB);
        a.shutdownOutput();
        assertThat(b.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        assertThat(b.endedCleanly()).isTrue();
        if (version.equals("TLSv1.3")) { // 1.2 knows no half-closed channel
            write(b, 1 << 16);
            read(a, 1 << 16);
        }
        b.close();
        assertThat(a.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        a.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
    void tellsTheCertificateThatThePeerShowed(String version) throws Exception {
        TlsCredentials own = TlsCredentials.server(serverDir, true).only(version);
        FutureTask<TlsChannel> accepting = start(() -> TlsChannel.accept(here, own, "", 10_000));
        TlsChannel a = client(clientDir, "ferry.test");
        TlsChannel b = get(accepting);
        assertThat(a.certificate()).contains(fingerprint(serverDir.resolve("server-cert.pem")));
        assertThat(b.certificate()).contains(fingerprint(clientDir.resolve("client-cert.pem")));
        a.close();
        b.close();
    }

    @Test
    void tellsThatThePeerShowedNoCertificate() throws Exception {
        FutureTask<TlsChannel> accepting = server(false, "");
        TlsChannel a = client(certificates.directory("shy", "ca", "", ""), "ferry.test");
        TlsChannel b = get(accepting);
        assertThat(b.certificate()).isEmpty();
        a.close();
        b.close();
    }

    @Test
    void whoShowedNoCertificateIsNotWhoIsAllowed() throws Exception {
        FutureTask<TlsChannel> accepting = server(false, JO);
        Path shy = certificates.directory("shy-" + JO.length(), "ca", "", "");
        FutureTask<TlsChannel> connecting = start(() -> client(shy, "ferry.test"));
        assertThatThrownBy(() -> get(accepting))
                .isInstanceOf(MigrationException.class)
                .hasMessageContainingAll("tls-authz wants", "showed no certificate");
        assertThatThrownBy(() -> get(connecting).read(ByteBuffer.allocate(1)))
                .isInstanceOf(IOException.class);
    }

    private static String fingerprint(Path pem) throws Exception {
        try (InputStream in = Files.newInputStream(pem)) {
            byte[] der =
                    CertificateFactory.getInstance("X.509").generateCertificate(in).getEncoded();
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(der));
        }
    }

    @Test
    void aCutIsTold() throws Exception {
        FutureTask<TlsChannel> accepting = server(false, "");
        TlsChannel a = client(clientDir, "127.0.0.1");
        TlsChannel b = get(accepting);
        write(a, 1 << 16);
        there.shutdownOutput(); // as whoever sits in between could
        read(b, 1 << 16);
        assertThatThrownBy(() -> b.read(ByteBuffer.allocate(1)))
                .isInstanceOf(TlsCutException.class)
                .hasMessageContaining("without close_notify");
        assertThat(b.endedCleanly()).isFalse();
        b.close();
    }

    @Test
    void aResetIsACut() throws Exception {
        FutureTask<TlsChannel> accepting = server(false, "");
        client(clientDir, "127.0.0.1");
        TlsChannel b = get(accepting);
        write(b, 1 << 16);
        there.close(); // what it has not read makes it a reset
        assertThatThrownBy(() -> b.read(ByteBuffer.allocate(1)))
                .isInstanceOf(TlsCutException.class)
                .hasRootCauseInstanceOf(java.net.SocketException.class);
        b.close();
    }

    @Test
    void aCutWithinARecordIsToldAndGivesNothingOfIt() throws Exception {
        FutureTask<TlsChannel> accepting = server(false, "");
        TlsChannel a = client(clientDir, "127.0.0.1");
        TlsChannel b = get(accepting);
        write(a, 1 << 16);
        there.write(ByteBuffer.wrap(new byte[] {23, 3, 3, 0x10, 0, 1, 2, 3})); // of 4096 bytes
        there.shutdownOutput();
        read(b, 1 << 16);
        ByteBuffer more = ByteBuffer.allocate(1 << 16);
        assertThatThrownBy(() -> b.read(more)).isInstanceOf(TlsCutException.class);
        assertThat(more.position()).isZero();
        assertThat(b.endedCleanly()).isFalse();
        b.close();
    }

    @Test
    void closingLosesNothingThatIsOnItsWay() throws Exception {
        FutureTask<TlsChannel> accepting = server(false, "");
        TlsChannel a = client(clientDir, "127.0.0.1");
        TlsChannel b = get(accepting);
        write(a, 3 << 16); // fits into the sockets
        a.shutdownOutput();
        FutureTask<Void> closing =
                new FutureTask<>(
                        () -> {
                            a.close(); // over the session tickets, which nobody read
                            return null;
                        });
        Thread closer = Thread.ofPlatform().daemon().start(closing);
        while (closer.isAlive() && !waitsInTheSystem(closer)) LockSupport.parkNanos(200_000);
        read(b, 3 << 16);
        assertThat(b.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        b.close();
        get(closing);
    }

    /**
     * It would lie there unread, and a close over it resets the connection under the last pages.
     */
    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
    void aSourceIsSentNothingThatItMustRead(String version) throws Exception {
        TlsCredentials own = TlsCredentials.server(serverDir, true).only(version);
        FutureTask<TlsChannel> accepting = start(() -> TlsChannel.accept(here, own, "", 10_000));
        client(clientDir, "ferry.test");
        get(accepting);
        here.close();
        assertThat(there.read(ByteBuffer.allocate(1))).isEqualTo(-1);
    }

    static boolean waitsInTheSystem(Thread thread) {
        StackTraceElement[] frames = thread.getStackTrace();
        return frames.length > 0 && frames[0].isNativeMethod();
    }

    @Test
    void aStalledHandshakeEndsAtItsDeadline() throws Exception {
        TlsCredentials credentials = TlsCredentials.server(serverDir, true);
        assertThatThrownBy(() -> TlsChannel.accept(here, credentials, "", 50))
                .hasMessageContaining("not done within 50 ms");
        assertThat(here.isOpen()).isFalse();
    }

    @Test
    void anotherCaIsNotTrusted() throws Exception {
        Path wrong = certificates.directory("wrong", "other-ca", "", "");
        FutureTask<TlsChannel> accepting = server(false, "");
        assertThatThrownBy(() -> client(wrong, "ferry.test"))
                .hasMessageContaining("TLS handshake with tcp:")
                .hasMessageContaining("failed")
                .hasMessageContaining("certification path")
                .hasMessageNotContaining("Exception"); // the JDK names its classes
        assertThatThrownBy(() -> get(accepting)).hasMessageContaining("TLS handshake with");
        assertThat(there.isOpen()).isFalse();
    }

    @Test
    void anotherNameIsNotTrusted() throws Exception {
        FutureTask<TlsChannel> accepting = server(false, "");
        assertThatThrownBy(() -> client(clientDir, "elsewhere.test"))
                .hasMessageContaining("elsewhere.test");
        assertThatThrownBy(() -> get(accepting)).hasMessageContaining("TLS handshake with");
    }

    @Test
    void aNameMustBeGiven() {
        assertThatThrownBy(() -> client(clientDir, "")).hasMessageContaining("set tls-hostname");
    }

    @Test
    void aClientWithoutCertificateIsRefusedWhereOneIsRequired() throws Exception {
        Path nameless = certificates.directory("nameless", "ca", "", "");
        FutureTask<TlsChannel> accepting = server(true, "");
        assertThatThrownBy(
                        () -> {
                            // With 1.3 a client learns of it only when it reads.
                            TlsChannel a = client(nameless, "ferry.test");
                            a.read(ByteBuffer.allocate(1));
                        })
                .isInstanceOf(IOException.class);
        assertThatThrownBy(() -> get(accepting)).hasMessageContaining("TLS handshake with");
    }

    @ParameterizedTest
    @ValueSource(strings = {"CN=Jo", "CN=Mo, O=Example Home, C=GB", "nonsense"})
    void anotherDistinguishedNameIsRefused(String name) throws Exception {
        FutureTask<TlsChannel> accepting = server(true, name);
        TlsChannel a = client(clientDir, "ferry.test");
        assertThatThrownBy(() -> get(accepting)).hasMessageContaining("tls-authz");
        a.close();
    }

    @Test
    void saysWhichFileIsWrong() throws Exception {
        assertThatThrownBy(() -> TlsCredentials.server(clientDir, true))
                .hasMessageContaining("server-cert.pem': there is no such file");
        Path broken = certificates.directory("broken", "ca", "client", "PRIVATE KEY");
        Files.writeString(broken.resolve("client-key.pem"), "nothing");
        assertThatThrownBy(() -> TlsCredentials.client(broken, true))
                .hasMessageContaining("client-key.pem': holds no private key");
        certificates.key(broken.resolve("client-key.pem"), "ca", "PRIVATE KEY");
        assertThatThrownBy(() -> TlsCredentials.client(broken, true))
                .hasMessageContaining("client-key.pem': is not the key of");
        Files.writeString(broken.resolve("ca-cert.pem"), "");
        certificates.key(broken.resolve("client-key.pem"), "client", "PRIVATE KEY");
        assertThatThrownBy(() -> TlsCredentials.client(broken, true))
                .hasMessageContaining("ca-cert.pem'");
        assertThatThrownBy(() -> TlsCredentials.client(directory.resolve("none"), true))
                .hasMessageContaining("there is no directory");
    }

    /** As where the JDK has no direct memory for what goes through a socket. */
    @Test
    void aJvmWithoutMemoryIsSaidOfTheHostAndTheChannel() throws Exception {
        TlsCredentials credentials = TlsCredentials.client(clientDir, true);
        Channel poor = mock(Channel.class);
        when(poor.peer()).thenReturn("somebody");
        when(poor.write(any(ByteBuffer.class)))
                .thenThrow(new OutOfMemoryError("Cannot reserve 1 bytes of direct buffer memory"));
        assertThatThrownBy(() -> TlsChannel.connect(poor, credentials, "ferry.test", 10_000))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining("somebody")
                .hasMessageContaining("-XX:MaxDirectMemorySize")
                .extracting(e -> ((MigrationException) e).blame())
                .isEqualTo(Blame.HOST);
        verify(poor).release();
    }
}
