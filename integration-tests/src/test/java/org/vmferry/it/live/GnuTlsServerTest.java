package org.vmferry.it.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.tls.TlsChannel;
import org.vmferry.engine.tls.TlsCredentials;
import org.vmferry.engine.transport.TcpTransport;
import org.vmferry.it.support.Certificates;
import org.vmferry.it.support.Certificates.Key;
import org.vmferry.it.support.Leftovers;
import org.vmferry.it.support.Relay;
import org.vmferry.it.support.Talking;
import org.vmferry.it.support.Tools;
import org.vmferry.it.support.TwoHosts;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * GnuTLS's own server is the peer of a source. It listens at every address, so it has a host of its
 * own, and what it does with bytes is to say how many came, and to send lines of text back.
 */
@Timeout(60)
class GnuTlsServerTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final int MS = 20_000;
    private static final int PORT = 5556;
    private static final int LINE = 12_000; // bytes, of which 16,000 characters are made
    private static final Engine ENGINE = Engine.create();
    private static final Pattern CAME =
            Pattern.compile(
                    "Decrypted Packet\\[\\d+\\] Application Data\\(23\\) with length: (\\d+)");

    /** What it is told, and who has a key of which kind. */
    record Way(String version, boolean tickets, Key server, Key client) {
        static Way of(List<Object> row) {
            return new Way(
                    (String) row.get(0), (boolean) row.get(1), (Key) row.get(2), (Key) row.get(3));
        }
    }

    private static List<List<Object>> everyWay() {
        return Pairwise.all(
                List.of(
                        List.of("1.2", "1.3"),
                        List.of(true, false),
                        List.of(Key.RSA, Key.P256, Key.P384, Key.ED25519),
                        List.of(Key.values())),
                row -> true);
    }

    static Stream<Way> everyPair() {
        return Pairwise.cover(everyWay()).stream().map(Way::of);
    }

    static Stream<Way> everything() {
        return everyWay().stream().map(Way::of);
    }

    @TempDir static Path shared;
    private static TwoHosts hosts;
    private static Certificates certificates;
    private static Path snapshot;
    private static byte[] stream;

    @TempDir Path folder;
    private Talking server;
    private Relay link;

    @BeforeAll
    static void make() throws Exception {
        Tools.require("openssl", "gnutls-serv");
        hosts = new TwoHosts();
        certificates = new Certificates(Files.createDirectory(shared.resolve("pki")));
        snapshot = shared.resolve("vm.snap");
        try (ReferenceMachine machine = guest()) {
            machine.runFor(1_000_000);
            ENGINE.send(machine, "exec:cat > " + snapshot, Settings.NONE).await();
        }
        stream = Files.readAllBytes(snapshot);
    }

    @AfterAll
    static void end() {
        if (hosts != null) hosts.close();
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        if (server != null) server.close();
        if (link != null) link.close();
        Leftovers.assertNoThreadsAtAll();
    }

    private static ReferenceMachine guest() {
        return ReferenceMachine.builder().ram(1 << 20).dirtyWindow(64).build();
    }

    private void serve(Way way, String... more) throws Exception {
        Path pki = certificates.folder(way.server, way.client);
        List<String> words = new ArrayList<>(hosts.atDestination());
        words.addAll(List.of("gnutls-serv", "--echo", "--quiet", "--debug=5", "-p", "" + PORT));
        words.add("--priority=NORMAL:-VERS-ALL:+VERS-TLS" + way.version);
        words.add("--x509cafile=" + pki.resolve("ca-cert.pem"));
        words.add("--x509certfile=" + pki.resolve("server-cert.pem"));
        words.add("--x509keyfile=" + pki.resolve("server-key.pem"));
        if (way.client == Key.NONE) words.add("--disable-client-cert");
        else words.addAll(List.of("--require-client-cert", "--verify-client-cert"));
        if (!way.tickets) words.add("--noticket");
        words.addAll(List.of(more));
        server = new Talking(folder.resolve("server"), words);
        server.awaitSaid("IPv4 0.0.0.0 port %d...done".formatted(PORT));
        link =
                new Relay(
                        () -> hosts.atDestination(() -> new Socket("127.0.0.1", PORT)),
                        Relay.Fault.NONE);
    }

    private TlsChannel connected(Way way) throws Exception {
        Path pki = certificates.folder(way.server, way.client);
        Address address = Address.parse(link.address());
        Channel raw = new TcpTransport().opener(address, Options.DEFAULTS).open();
        return TlsChannel.connect(raw, TlsCredentials.client(pki, true), Certificates.HOST, MS);
    }

    /** The bytes of data that it got, after which it heard an orderly end. */
    private long came() throws Exception {
        server.awaitSaid("Close notify - was received");
        return CAME.matcher(server.said())
                .results()
                .mapToLong(record -> Long.parseLong(record.group(1)))
                .sum();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void everyPair(Way way) throws Exception {
        ferry(way);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    @Tag("stress")
    void everything(Way way) throws Exception {
        ferry(way);
    }

    private void ferry(Way way) throws Exception {
        serve(way);
        Settings tls =
                Settings.NONE
                        .parameter(
                                "tls-creds", certificates.folder(way.server, way.client).toString())
                        .parameter("tls-hostname", Certificates.HOST);
        try (ReferenceMachine source = guest()) {
            ENGINE.receive(source, "file:" + snapshot, Settings.NONE).await();
            Migration out = ENGINE.send(source, link.address(), tls);
            assertThat(out.await(SOON)).isTrue();
            out.await();
        }
        assertThat(came()).isEqualTo(stream.length);
        try (TlsChannel channel = connected(way)) {
            assertThat(channel.protocol()).isEqualTo("TLSv" + way.version);
            for (int at = 0; at < stream.length; at += LINE) {
                byte[] part = Arrays.copyOfRange(stream, at, Math.min(stream.length, at + LINE));
                String line = Base64.getEncoder().encodeToString(part);
                assertThat(answer(channel, line)).isEqualTo(line);
            }
        }
    }

    private static String answer(Channel channel, String line) throws Exception {
        ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) channel.write(bytes);
        ByteBuffer got = ByteBuffer.allocate(1 << 15);
        while (got.position() == 0 || got.get(got.position() - 1) != '\n') {
            if (channel.read(got) < 0) throw new AssertionError("it ended");
        }
        return new String(got.array(), 0, got.position() - 1, StandardCharsets.UTF_8);
    }

    @Test
    void itChangesItsKeyAndWantsAnother() throws Exception {
        Way way = new Way("1.3", true, Key.P256, Key.P256);
        serve(way);
        try (TlsChannel channel = connected(way)) {
            for (int i = 1; i <= 3; i++) {
                assertThat(answer(channel, "**REHANDSHAKE**")).startsWith("Successfully");
                server.awaitSaid("sending key update (1)", i); // and wants another
                server.awaitSaid("received TLS 1.3 key update (0)", i); // before it is written to
                assertThat(answer(channel, "line " + i)).isEqualTo("line " + i);
            }
        }
    }

    @Test
    void itsRenegotiationIsRefused() throws Exception {
        Way way = new Way("1.2", true, Key.P256, Key.P256);
        serve(way);
        try (TlsChannel channel = connected(way)) {
            assertThatThrownBy(() -> answer(channel, "**REHANDSHAKE**"))
                    .isInstanceOf(MigrationException.class)
                    .hasMessageContaining("renegotiation");
        }
    }

    /** Who names no protocol is none that speaks another one. */
    @ParameterizedTest
    @ValueSource(strings = {"1.2", "1.3"})
    void itDemandsAProtocolThatNobodyNamed(String version) throws Exception {
        Way way = new Way(version, true, Key.P256, Key.P256);
        serve(way, "--alpn=h2", "--alpn-fatal");
        try (TlsChannel channel = connected(way)) {
            assertThat(answer(channel, "line")).isEqualTo("line");
        }
    }
}
