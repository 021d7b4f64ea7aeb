package org.vmferry.it.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.it.support.Certificates;
import org.vmferry.it.support.Certificates.Key;
import org.vmferry.it.support.Guests;
import org.vmferry.it.support.Talking;
import org.vmferry.it.support.Tools;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Who has no certificate that counts, or speaks a TLS that is none any more, is turned away by a
 * destination, which goes on listening; a source goes to no such one.
 */
@Timeout(60)
class TlsStrangersTest extends Listening {
    private static final String OLD = "-cipher DEFAULT:@SECLEVEL=0 ";

    @TempDir static Path shared;
    private static Path genuine;
    private static Path foreign;
    private static Path expired;
    private static Path chain;

    @TempDir Path folder;

    @BeforeAll
    static void make() throws Exception {
        Tools.require("openssl");
        Certificates ours = new Certificates(Files.createDirectory(shared.resolve("ours")));
        Certificates theirs = new Certificates(Files.createDirectory(shared.resolve("theirs")));
        genuine = ours.folder(Key.RSA, Key.RSA);
        expired = ours.expired(genuine);
        foreign = theirs.folder(Key.RSA, Key.RSA);
        chain = shared.resolve("chain");
        Files.writeString(chain, Files.readString(genuine.resolve("ca-cert.pem")).repeat(1000));
    }

    /** By OpenSSL's command, with these of its options; as a role of a folder. */
    private Talking openssl(String command, String role, String options) throws Exception {
        List<String> words = new ArrayList<>(List.of("openssl", command));
        String given =
                options.replace("GENUINE", pair(genuine, role))
                        .replace("FOREIGN", pair(foreign, role))
                        .replace("ROLE", pair(genuine, role.equals("client") ? "server" : "client"))
                        .replace("EXPIRED", pair(expired, role))
                        .replace("CHAIN", chain.toString());
        words.addAll(List.of(given.trim().split(" +")));
        return new Talking(folder.resolve(role), words);
    }

    private static String pair(Path of, String role) {
        return "-cert %1$s/%2$s-cert.pem -key %1$s/%2$s-key.pem".formatted(of, role);
    }

    private static Settings tls(String hostname) {
        return Settings.NONE
                .parameter("tls-creds", genuine.toString())
                .parameter("tls-hostname", hostname);
    }

    @ParameterizedTest
    @CsvSource({
        "TLS 1.0, GENUINE -tls1 " + OLD,
        "TLS 1.1, GENUINE -tls1_1 " + OLD,
        "no certificate, -tls1_3",
        "no certificate, -tls1_2",
        "another CA of the same name, FOREIGN -tls1_3",
        "another CA of the same name, FOREIGN -tls1_2",
        "one that has expired, EXPIRED -tls1_3",
        "one that has expired, EXPIRED -tls1_2",
        "a server's certificate, ROLE -tls1_3",
        "a server's certificate, ROLE -tls1_2",
        "a chain of 1000, GENUINE -cert_chain CHAIN -tls1_3",
        "a chain of 1000, GENUINE -cert_chain CHAIN -tls1_2",
    })
    void aDestinationTurnsAway(String whom, String options) throws Exception {
        listen(tls(Certificates.HOST));
        String at = migration.address().target();
        try (Talking stranger = openssl("s_client", "client", options + " -connect " + at)) {
            assertThat(stranger.end()).as("%s: %s", whom, stranger.said()).isNotZero();
        }
        try (ReferenceMachine source = guest()) {
            source.enter(RunState.RUNNING);
            String address = migration.address().toString();
            engine.send(source, address, tls(Certificates.HOST).capability("return-path")).await();
        }
        migration.await();
        Guests.assertRuns(machine);
        assertThat(migration.statistics().turnedAway()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({
        "TLS 1.0, protocol_version, ferry.test, GENUINE -tls1 " + OLD,
        "TLS 1.1, protocol_version, ferry.test, GENUINE -tls1_1 " + OLD,
        "another CA of the same name, trust anchors, ferry.test, FOREIGN",
        "one that has expired, certificate_expired, ferry.test, EXPIRED",
        "another name, other.test, other.test, GENUINE",
        "a client's certificate of that name, Extended key usage, ferry.test, ROLE",
        "a chain of 1000, exceeds the maximum, ferry.test, GENUINE -cert_chain CHAIN",
    })
    void aSourceDoesNotGoTo(String none, String why, String hostname, String options)
            throws Exception {
        int port = Tools.freePort();
        options += " -naccept 1 -accept 127.0.0.1:" + port;
        try (Talking stranger = openssl("s_server", "server", options);
                ReferenceMachine source = guest()) {
            Tools.awaitListening(port);
            source.enter(RunState.RUNNING);
            Migration out = engine.send(source, "tcp:127.0.0.1:" + port, tls(hostname));
            assertThat(out.await(BOUND)).isTrue();
            assertThat(out.state()).as(none).isEqualTo(MigrationState.FAILED);
            assertThat(out.owner()).isEqualTo(GuestOwner.SOURCE);
            assertThat(out.failure().orElseThrow()).hasMessageContainingAll("TLS", why);
            Guests.assertRuns(source);
            stranger.end();
            assertThat(stranger.said()).doesNotContain("QEVM");
        }
    }
}
