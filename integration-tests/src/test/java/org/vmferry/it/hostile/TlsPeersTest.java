package org.vmferry.it.hostile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.tls.TlsChannel;
import org.vmferry.engine.tls.TlsCredentials;
import org.vmferry.engine.transport.TcpTransport;
import org.vmferry.it.hostile.RecordRelay.Pieces;
import org.vmferry.it.support.Certificates;
import org.vmferry.it.support.Certificates.Key;
import org.vmferry.it.support.Leftovers;
import org.vmferry.it.support.Talking;
import org.vmferry.it.support.Tools;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.Opener;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** OpenSSL's and GnuTLS's own commands do to a channel of ours what a VM's migration doesn't. */
@Timeout(60)
class TlsPeersTest {
    private static final int MS = 20_000;

    @TempDir static Path shared;
    private static Path pki;

    @TempDir Path folder;
    private Acceptor in;

    @BeforeAll
    static void make() throws Exception {
        Tools.require("openssl", "gnutls-cli");
        Path made = Files.createDirectory(shared.resolve("pki"));
        pki = new Certificates(made).folder(Key.RSA, Key.P256);
    }

    @BeforeEach
    void listen() throws Exception {
        in = new TcpTransport().acceptor(Address.parse("tcp:127.0.0.1:0"), Options.DEFAULTS);
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        in.close();
        Leftovers.assertNoThreads();
    }

    private int port() {
        String address = in.address().target();
        return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
    }

    private Talking client(String... more) throws Exception {
        return clientOf(port(), more);
    }

    private Talking clientOf(int port, String... more) throws Exception {
        List<String> words = new ArrayList<>(List.of("openssl", "s_client"));
        words.addAll(List.of("-connect", "127.0.0.1:" + port));
        return new Talking(folder.resolve("client"), openssl(words, "client", more));
    }

    private Talking server(int port, String... more) throws Exception {
        List<String> words = new ArrayList<>(List.of("openssl", "s_server", "-naccept", "1"));
        words.addAll(List.of("-accept", "127.0.0.1:" + port, "-Verify", "2"));
        return Talking.listening(folder.resolve("server"), openssl(words, "server", more), port);
    }

    private static List<String> openssl(List<String> words, String own, String... more) {
        words.addAll(List.of("-CAfile", pki.resolve("ca-cert.pem").toString()));
        words.addAll(List.of("-cert", pki.resolve(own + "-cert.pem").toString()));
        words.addAll(List.of("-key", pki.resolve(own + "-key.pem").toString()));
        words.addAll(List.of(more));
        return words;
    }

    private Talking gnutlsClient(String version) throws Exception {
        List<String> words = new ArrayList<>(List.of("gnutls-cli", "--inline-commands"));
        words.addAll(List.of("-p", "" + port(), "--verify-hostname=" + Certificates.HOST));
        words.add("--priority=NORMAL:-VERS-ALL:+VERS-TLS" + version);
        words.add("--x509cafile=" + pki.resolve("ca-cert.pem"));
        words.add("--x509certfile=" + pki.resolve("client-cert.pem"));
        words.add("--x509keyfile=" + pki.resolve("client-key.pem"));
        words.add("127.0.0.1");
        return new Talking(folder.resolve("client"), words);
    }

    private TlsChannel accepted() throws Exception {
        return TlsChannel.accept(in.accept(), TlsCredentials.server(pki, true), "", MS);
    }

    private static TlsChannel connected(int port) throws Exception {
        Address address = Address.parse("tcp:127.0.0.1:" + port);
        Opener out = new TcpTransport().opener(address, Options.DEFAULTS);
        return TlsChannel.connect(
                out.open(), TlsCredentials.client(pki, true), Certificates.HOST, MS);
    }

    private static void write(Channel channel, String text) throws Exception {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) channel.write(bytes);
    }

    private static String readLine(Channel channel) throws Exception {
        ByteBuffer one = ByteBuffer.allocate(1);
        StringBuilder line = new StringBuilder();
        while (channel.read(one.clear()) > 0 && one.get(0) != '\n') line.append((char) one.get(0));
        return line.toString();
    }

    @ParameterizedTest
    @ValueSource(strings = {"K", "k"}) // K wants an answer
    void aPeerChangesItsKey(String command) throws Exception {
        try (Talking client = client("-tls1_3")) {
            changesItsKey(client, command, "KEYUPDATE");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"^rekey^", "^rekey1^"}) // the second wants an answer
    void aGnuTlsClientChangesItsKey(String command) throws Exception {
        try (Talking client = gnutlsClient("1.3")) {
            changesItsKey(client, command, "Rekey was completed");
        }
    }

    private void changesItsKey(Talking client, String command, String says) throws Exception {
        try (TlsChannel channel = accepted()) {
            write(channel, "first\n");
            client.awaitSaid("first");
            for (int i = 0; i < 3; i++) {
                client.tell(command);
                client.awaitSaid(says, i + 1);
                client.tell("line " + i);
                assertThat(readLine(channel)).isEqualTo("line " + i);
                write(channel, "answer " + i + "\n");
                client.awaitSaid("answer " + i);
            }
        }
    }

    @Test
    void aGnuTlsClientsRenegotiationIsRefused() throws Exception {
        try (Talking client = gnutlsClient("1.2");
                TlsChannel channel = accepted()) {
            client.tell("line");
            assertThat(readLine(channel)).isEqualTo("line");
            client.tell("^renegotiate^");
            assertThatThrownBy(() -> readLine(channel)).hasMessageContaining("renegotiation");
        }
    }

    @Test
    void aPeerWhoWasNeverWrittenToWantsAnAnswer() throws Exception {
        try (Talking client = client("-tls1_3");
                TlsChannel channel = accepted()) {
            client.tell("K");
            client.awaitSaid("KEYUPDATE", 1);
            client.tell("line");
            assertThat(readLine(channel)).isEqualTo("line");
        }
    }

    @Test
    void aRenegotiationIsRefusedToAReaderAndToAWriter() throws Exception {
        try (Talking client = client("-tls1_2");
                TlsChannel channel = accepted()) {
            client.tell("line");
            assertThat(readLine(channel)).isEqualTo("line");
            write(channel, "answer\n");
            client.awaitSaid("answer");
            client.tell("R");
            assertThatThrownBy(() -> readLine(channel))
                    .isInstanceOf(MigrationException.class)
                    .hasMessageContaining("renegotiation")
                    .hasMessageContaining(channel.peer());
            assertThatThrownBy(() -> write(channel, "more\n"))
                    .isInstanceOf(MigrationException.class)
                    .hasMessageContaining("renegotiation");
        }
    }

    @Test
    void aServersRenegotiationIsRefusedToo() throws Exception {
        int port = Tools.freePort();
        try (Talking server = server(port, "-tls1_2")) {
            try (TlsChannel channel = connected(port)) {
                write(channel, "line\n");
                server.awaitSaid("line");
                server.tell("r");
                assertThatThrownBy(() -> readLine(channel))
                        .isInstanceOf(MigrationException.class)
                        .hasMessageContaining("renegotiation");
            }
        }
    }

    static Stream<Arguments> cuts() {
        return Stream.of(Pieces.values())
                .flatMap(p -> Stream.of("-tls1_2", "-tls1_3").map(v -> Arguments.of(p, v)));
    }

    @ParameterizedTest
    @MethodSource("cuts")
    void aHandshakeComesInPieces(Pieces pieces, String version) throws Exception {
        try (RecordRelay relay = new RecordRelay(port(), pieces);
                Talking client = clientOf(relay.port(), version);
                TlsChannel channel = accepted()) {
            client.tell("line");
            assertThat(readLine(channel)).isEqualTo("line");
            write(channel, "answer\n");
            client.awaitSaid("answer");
        }
    }

    @ParameterizedTest
    @MethodSource("cuts")
    void aServersHandshakeComesInPieces(Pieces pieces, String version) throws Exception {
        int port = Tools.freePort();
        try (Talking server = server(port, version);
                RecordRelay relay = new RecordRelay(port, pieces);
                TlsChannel channel = connected(relay.port())) {
            write(channel, "line\n");
            server.awaitSaid("line");
            server.tell("answer");
            assertThat(readLine(channel)).isEqualTo("answer");
        }
    }

    /** Whom a session's certificate was for, he is when he resumes it, and nobody else. */
    @ParameterizedTest
    @CsvSource({"'CN=Jo, O=Example Home, C=GB', true", "CN=Mo, false"})
    void whoComesBackWithATicketIsStillWhoHeIs(String authorized, boolean comesIn)
            throws Exception {
        TlsCredentials credentials = TlsCredentials.server(pki, true);
        String kept = folder.resolve("session").toString();
        String print;
        try (Talking client = client("-tls1_2", "-sess_out", kept, "-ign_eof");
                TlsChannel channel = TlsChannel.accept(in.accept(), credentials, "", MS)) {
            print = channel.certificate().orElseThrow();
            client.awaitSaid("New, TLSv1.2");
            write(channel, "bye\n");
            channel.shutdownOutput();
            client.end();
        }
        try (Talking client = client("-tls1_2", "-sess_in", kept, "-ign_eof")) {
            Channel raw = in.accept();
            if (!comesIn) {
                assertThatThrownBy(() -> TlsChannel.accept(raw, credentials, authorized, MS))
                        .hasMessageContaining("tls-authz");
                return;
            }
            try (TlsChannel channel = TlsChannel.accept(raw, credentials, authorized, MS)) {
                assertThat(channel.certificate()).contains(print);
                client.awaitSaid("Reused, TLSv1.2");
            }
        }
    }

    /** It was made while another list of revoked certificates held, or another CA. */
    @Test
    void aTicketIsOfNoUseOnceTheFolderIsReadAgain() throws Exception {
        String kept = folder.resolve("session").toString();
        try (Talking client = client("-tls1_2", "-sess_out", kept, "-ign_eof");
                TlsChannel channel = accepted()) {
            client.awaitSaid("New, TLSv1.2");
            channel.shutdownOutput();
            client.end();
        }
        try (Talking client = client("-tls1_2", "-sess_in", kept, "-ign_eof");
                TlsChannel channel = accepted()) {
            client.awaitSaid("New, TLSv1.2");
            assertThat(client.said()).doesNotContain("Reused");
            assertThat(channel.certificate()).isPresent();
        }
    }
}
