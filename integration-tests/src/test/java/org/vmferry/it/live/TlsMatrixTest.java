package org.vmferry.it.live;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Archives;
import org.vmferry.it.support.Certificates;
import org.vmferry.it.support.Certificates.Key;
import org.vmferry.it.support.Launched;
import org.vmferry.it.support.Leftovers;
import org.vmferry.it.support.Tools;
import org.vmferry.testkit.machine.MachineDigest;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Whole migrations over TLS with everybody's: OpenSSL's and GnuTLS's own commands, which carry a
 * plain stream of ours, a QEMU, and a vmferry in a JVM with other settings.
 */
@RequiresQemu
class TlsMatrixTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final String LISTENING = "vmferry: listening on ";
    private static final int RAM = 16 << 20;

    private enum Peer {
        OPENSSL,
        GNUTLS,
        QEMU,
        OURS
    }

    /** One way to go: the version, whose TLS is the other end's, and what that end is told. */
    record Way(
            String version,
            Peer peer,
            boolean toUs,
            boolean tickets,
            Key server,
            Key client,
            boolean alpn) {
        static Way of(List<Object> row) {
            return new Way(
                    (String) row.get(0),
                    (Peer) row.get(1),
                    (boolean) row.get(2),
                    (boolean) row.get(3),
                    (Key) row.get(4),
                    (Key) row.get(5),
                    (boolean) row.get(6));
        }

        static boolean makesSense(List<Object> row) {
            Way way = of(row);
            // No VM's migration names a protocol. GnuTLS's own server carries nothing on: a QEMU is
            // one, and GnuTlsServerTest has the other.
            return switch (way.peer) {
                case OPENSSL -> true;
                case GNUTLS -> way.toUs;
                case QEMU, OURS -> !way.alpn;
            };
        }

        /** GnuTLS's name for it. */
        String priority() {
            String only = "NORMAL:-VERS-ALL:+VERS-TLS" + version;
            return tickets ? only : only + ":%NO_TICKETS";
        }
    }

    private static List<List<Object>> everyWay() {
        return Pairwise.all(
                List.of(
                        List.of("1.2", "1.3"),
                        List.of(Peer.values()),
                        List.of(true, false),
                        List.of(true, false),
                        List.of(Key.RSA, Key.P256, Key.P384, Key.ED25519),
                        List.of(Key.values()),
                        List.of(false, true)),
                Way::makesSense);
    }

    static Stream<Way> everyPair() {
        return Pairwise.cover(everyWay()).stream().map(Way::of);
    }

    static Stream<Way> everything() {
        return everyWay().stream().map(Way::of);
    }

    @TempDir static Path shared;
    private static final Engine ENGINE = Engine.create();
    private static Certificates certificates;
    private static Path snapshot;
    private static MachineDigest digest;
    private static Qemu qemu;
    private static byte[] ram;

    @TempDir Path folder;

    @BeforeAll
    static void guests() throws Exception {
        Tools.require("openssl", "gnutls-cli");
        certificates = new Certificates(Files.createDirectory(shared.resolve("pki")));
        snapshot = shared.resolve("vm.snap");
        try (ReferenceMachine machine = small()) {
            machine.runFor(1_000_000);
            ENGINE.send(machine, "file:" + snapshot, Settings.NONE).await();
            digest = machine.digest();
        }
        qemu = Qemu.builder().memory(16).start();
        qemu.awaitSerial(9, SOON);
        qemu.stop();
        qemu.setParameters(Map.of("max-bandwidth", 0));
        ram = qemu.memory(0, RAM);
        qemu.migrate("file:" + shared.resolve("qemu.snap"));
        qemu.awaitMigration(SOON);
    }

    @AfterAll
    static void end() throws IOException {
        if (qemu != null) qemu.close();
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        Leftovers.assertNoThreadsAtAll();
    }

    private static ReferenceMachine small() {
        return ReferenceMachine.builder().ram(1 << 20).dirtyWindow(64).build();
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
        switch (way.peer) {
            case OPENSSL, GNUTLS -> {
                if (way.toUs) throughAClient(way);
                else throughAServer(way);
            }
            case QEMU -> {
                if (way.toUs) fromQemu(way);
                else toQemu(way);
            }
            case OURS -> {
                if (way.toUs) fromOurs(way);
                else toOurs(way);
            }
        }
    }

    private void throughAClient(Way way) throws Exception {
        try (ReferenceMachine source = restored(snapshot);
                ReferenceMachine destination = small()) {
            Migration in = ENGINE.receive(destination, "tcp:127.0.0.1:0", tls(way, way.toUs));
            List<String> client = way.peer == Peer.OPENSSL ? openssl(way) : gnutls(way);
            client.addAll(
                    way.peer == Peer.OPENSSL
                            ? List.of("-connect", "127.0.0.1:" + port(in))
                            : List.of("-p", port(in), "127.0.0.1"));
            both(in, ENGINE.send(source, "exec:exec " + Tools.line(client), Settings.NONE));
            assertThat(destination.digest()).isEqualTo(digest);
        }
    }

    /**
     * As people call it: then it waits for the destination's end, and takes a cut for a failure.
     */
    @ParameterizedTest
    @ValueSource(strings = {"1.2", "1.3"})
    void aClientThatWaitsForOurEndHearsIt(String version) throws Exception {
        Way way = new Way(version, Peer.OPENSSL, true, true, Key.P256, Key.P256, false);
        List<String> client = openssl(way);
        client.remove("-no_ign_eof");
        try (ReferenceMachine source = restored(snapshot);
                ReferenceMachine destination = small()) {
            Migration in = ENGINE.receive(destination, "tcp:127.0.0.1:0", tls(way, true));
            client.addAll(List.of("-connect", "127.0.0.1:" + port(in)));
            both(in, ENGINE.send(source, "exec:exec " + Tools.line(client), Settings.NONE));
            assertThat(destination.digest()).isEqualTo(digest);
        }
    }

    private List<String> openssl(Way way) throws Exception {
        List<String> words = new ArrayList<>(List.of("openssl"));
        words.addAll(
                way.toUs
                        ? List.of("s_client", "-quiet", "-no_ign_eof", "-nocommands")
                        : List.of("s_server", "-quiet", "-naccept", "1"));
        words.add("-verify_return_error");
        words.addAll(List.of("-CAfile", pki(way).resolve("ca-cert.pem").toString()));
        words.add("-tls" + way.version.replace('.', '_'));
        if (way.toUs) words.addAll(List.of("-verify_hostname", Certificates.HOST));
        else if (way.client != Key.NONE) words.addAll(List.of("-Verify", "2"));
        String own = way.toUs ? "client" : "server";
        if (!way.toUs || way.client != Key.NONE) {
            words.addAll(List.of("-cert", pki(way).resolve(own + "-cert.pem").toString()));
            words.addAll(List.of("-key", pki(way).resolve(own + "-key.pem").toString()));
        }
        if (!way.tickets) words.add("-no_ticket");
        if (way.alpn) words.addAll(List.of("-alpn", "h2,http/1.1"));
        return words;
    }

    private List<String> gnutls(Way way) throws Exception {
        List<String> words = new ArrayList<>(List.of("gnutls-cli"));
        words.add("--logfile=" + folder.resolve("gnutls"));
        words.add("--priority=" + way.priority());
        words.add("--x509cafile=" + pki(way).resolve("ca-cert.pem"));
        words.add("--verify-hostname=" + Certificates.HOST);
        if (way.client != Key.NONE) {
            words.add("--x509certfile=" + pki(way).resolve("client-cert.pem"));
            words.add("--x509keyfile=" + pki(way).resolve("client-key.pem"));
        }
        if (way.alpn) words.add("--alpn=h2");
        return words;
    }

    private void throughAServer(Way way) throws Exception {
        int port = Tools.freePort();
        Path input = folder.resolve("input"); // one that doesn't end
        Tools.run("mkfifo", input.toString());
        List<String> server = openssl(way);
        server.addAll(List.of("-accept", "127.0.0.1:" + port));
        String command = Tools.line(server) + " <> " + Tools.line(List.of(input.toString()));
        try (ReferenceMachine source = restored(snapshot);
                ReferenceMachine destination = small()) {
            Migration in = ENGINE.receive(destination, "exec:exec " + command, Settings.NONE);
            try {
                Tools.awaitListening(port);
            } catch (AssertionError e) {
                in.cancel();
                in.await();
                throw e;
            }
            both(in, ENGINE.send(source, "tcp:127.0.0.1:" + port, tls(way, way.toUs)));
            assertThat(destination.digest()).isEqualTo(digest);
        }
    }

    private void fromQemu(Way way) throws Exception {
        qemu.cont(); // it went before
        qemu.stop();
        byte[] now = qemu.memory(0, RAM);
        try (ArchiveMachine archive = ArchiveMachine.in(folder)) {
            Migration in = ENGINE.receive(archive, "tcp:127.0.0.1:0", tls(way, way.toUs));
            try {
                set(qemu, way, "client");
                qemu.migrate(in.address().toString());
                qemu.awaitMigration(SOON);
                assertThat(in.await(SOON)).isTrue();
                in.await();
            } finally {
                in.cancel();
                qemu.setParameters(Map.of("tls-creds", ""));
                qemu.execute("object-del", Map.of("id", "tls0"));
            }
            assertThat(Archives.mismatch(archive, now)).isEqualTo(-1);
        }
    }

    private void toQemu(Way way) throws Exception {
        try (ArchiveMachine archive = ArchiveMachine.in(folder);
                Qemu destination = Qemu.builder().memory(16).incoming().start()) {
            ENGINE.receive(archive, "file:" + shared.resolve("qemu.snap"), Settings.NONE).await();
            set(destination, way, "server");
            destination.migrateIncoming("tcp:127.0.0.1:0");
            String address = "tcp:127.0.0.1:" + destination.incomingPort();
            Migration out = ENGINE.send(archive, address, tls(way, way.toUs));
            assertThat(out.await(SOON)).isTrue();
            out.await();
            destination.awaitMigration(SOON);
            assertThat(Arrays.equals(destination.memory(0, RAM), ram)).isTrue();
        }
    }

    private void set(Qemu peer, Way way, String endpoint) throws Exception {
        boolean asks = endpoint.equals("client") || way.client != Key.NONE;
        peer.addTlsCredentials(
                pki(way), endpoint, Map.of("verify-peer", asks, "priority", way.priority()));
        peer.setParameters(Map.of("tls-creds", "tls0", "tls-hostname", Certificates.HOST));
    }

    private void fromOurs(Way way) throws Exception {
        try (ReferenceMachine destination = small()) {
            Migration in = ENGINE.receive(destination, "tcp:127.0.0.1:0", tls(way, way.toUs));
            try (Launched source = ours(way, "send", snapshot, in.address())) {
                assertThat(source.end(SOON.toSeconds())).as(source.err()).isZero();
                assertThat(in.await(SOON)).isTrue();
                in.await();
            } finally {
                in.cancel();
            }
            assertThat(destination.digest()).isEqualTo(digest);
        }
    }

    private void toOurs(Way way) throws Exception {
        Path got = folder.resolve("got.snap");
        try (ReferenceMachine source = restored(snapshot);
                Launched destination = ours(way, "receive", "tcp:127.0.0.1:0", "-o", got)) {
            destination.awaitSaid(LISTENING);
            String address = destination.err().lines().findFirst().orElseThrow();
            Migration out =
                    ENGINE.send(source, address.substring(LISTENING.length()), tls(way, way.toUs));
            assertThat(out.await(SOON)).isTrue();
            out.await();
            assertThat(destination.end(SOON.toSeconds())).as(destination.err()).isZero();
        }
        try (ReferenceMachine there = small()) {
            Settings placed = Settings.NONE.capability("mapped-ram");
            ENGINE.receive(there, "file:" + got, placed).await();
            assertThat(there.digest()).isEqualTo(digest);
        }
    }

    /** A vmferry whose JVM knows one version only, and may know no tickets. */
    private Launched ours(Way way, Object... arguments) throws Exception {
        Path security = folder.resolve("security");
        Files.writeString(
                security,
                "jdk.tls.disabledAlgorithms=TLSv1, TLSv1.1, TLSv"
                        + (way.version.equals("1.2") ? "1.3" : "1.2"));
        List<String> jvm = new ArrayList<>(List.of("-Djava.security.properties=" + security));
        for (String side : List.of("client", "server")) {
            jvm.add("-Djdk.tls.%s.enableSessionTicketExtension=%s".formatted(side, way.tickets));
        }
        List<Object> all = new ArrayList<>(List.of(arguments));
        for (var entry : tls(way, !way.toUs).parameters().entrySet()) {
            all.addAll(List.of("-p", entry.getKey() + "=" + entry.getValue()));
        }
        return Launched.with(jvm, folder, all.toArray());
    }

    private static Path pki(Way way) throws Exception {
        return certificates.folder(way.server, way.client);
    }

    private static Settings tls(Way way, boolean destination) throws Exception {
        boolean nameless = destination && way.client == Key.NONE;
        return Settings.NONE
                .parameter("tls-creds", pki(way).toString())
                .parameter("tls-hostname", Certificates.HOST)
                .parameter("tls-verify-peer", nameless ? "off" : "on");
    }

    private static ReferenceMachine restored(Path from) throws Exception {
        ReferenceMachine machine = small();
        ENGINE.receive(machine, "file:" + from, Settings.NONE).await();
        return machine;
    }

    private static String port(Migration listening) {
        String address = listening.address().target();
        return address.substring(address.lastIndexOf(':') + 1);
    }

    private static void both(Migration in, Migration out) throws Exception {
        try {
            assertThat(out.await(SOON)).isTrue();
            out.await();
            assertThat(in.await(SOON)).isTrue();
            in.await();
        } finally {
            in.cancel();
            out.cancel();
        }
    }
}
