package org.vmferry.it.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.it.support.Certificates;
import org.vmferry.it.support.Certificates.Key;
import org.vmferry.it.support.Guests;
import org.vmferry.it.support.Launched;
import org.vmferry.it.support.Relay;
import org.vmferry.it.support.Relay.Fault;
import org.vmferry.it.support.Talking;
import org.vmferry.it.support.Tools;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * OpenSSL's and GnuTLS's own commands fall deaf: they are stopped in the handshake, in the data and
 * behind the end. The system goes on answering for them.
 */
@Timeout(60)
class DeafTlsPeerTest extends Listening {
    enum Kind {
        OPENSSL,
        GNUTLS
    }

    private static final Settings HASTY = Settings.NONE.parameter("silence-timeout", "700");

    @TempDir static Path shared;
    private static Path pki;

    @TempDir Path folder;
    private final ReferenceMachine source = restless();

    @BeforeAll
    static void make() throws Exception {
        Tools.require("openssl", "gnutls-cli");
        Path made = Files.createDirectory(shared.resolve("pki"));
        pki = new Certificates(made).folder(Key.RSA, Key.P256);
    }

    @AfterEach
    void close() {
        if (migration != null) migration.cancel();
        source.close();
    }

    private static Settings tls() {
        return Settings.NONE
                .parameter("tls-creds", pki.toString())
                .parameter("tls-hostname", Certificates.HOST)
                .parameter("max-bandwidth", "0")
                .parameter("downtime-limit", "0");
    }

    /** GnuTLS's can't be bound to one address. */
    private Talking server(int port) throws Exception {
        String line =
                "openssl s_server -quiet -naccept 1 -accept 127.0.0.1:%1$d -Verify 2"
                        + " -CAfile %2$s/ca-cert.pem -cert %2$s/server-cert.pem"
                        + " -key %2$s/server-key.pem";
        List<String> words = words(line.formatted(port, pki));
        return Talking.listening(folder.resolve("server"), words, port);
    }

    private static List<String> client(Kind kind, String port) {
        String line =
                switch (kind) {
                    case OPENSSL ->
                            "openssl s_client -quiet -no_ign_eof -nocommands -connect 127.0.0.1:%s"
                                    + " -CAfile %s/ca-cert.pem -cert %2$s/client-cert.pem"
                                    + " -key %2$s/client-key.pem -verify_return_error";
                    case GNUTLS ->
                            "gnutls-cli -p %s --x509cafile=%s/ca-cert.pem --verify-hostname="
                                    + Certificates.HOST
                                    + " --x509certfile=%2$s/client-cert.pem"
                                    + " --x509keyfile=%2$s/client-key.pem 127.0.0.1";
                };
        return words(line.formatted(port, pki));
    }

    private static List<String> words(String line) {
        return new ArrayList<>(List.of(line.split(" ")));
    }

    private static String port(String address) {
        return address.substring(address.lastIndexOf(':') + 1);
    }

    private static void await(Launched.Condition condition, Migration goingOn) throws Exception {
        long end = System.nanoTime() + BOUND.toNanos();
        while (!condition.holds()) {
            assertThat(goingOn.failure()).isEmpty();
            assertThat(System.nanoTime()).as("it comes so far").isLessThan(end);
            LockSupport.parkNanos(200_000);
        }
    }

    private String sourceFails(Migration out) throws Exception {
        assertThat(out.await(BOUND)).as("it ends in time").isTrue();
        assertThat(out.state()).isEqualTo(MigrationState.FAILED);
        assertThat(out.owner()).isEqualTo(GuestOwner.SOURCE);
        Guests.assertRuns(source);
        return out.failure().orElseThrow().getMessage();
    }

    @Test
    @Tag("OWN-1")
    void aServerInTheHandshake() throws Exception {
        int port = Tools.freePort();
        try (Talking server = server(port)) {
            server.signal("STOP");
            source.enter(RunState.RUNNING);
            Settings hasty = tls().parameter("connect-timeout", "700");
            Migration out = engine.send(source, "tcp:127.0.0.1:" + port, hasty);
            assertThat(sourceFails(out)).contains("TLS handshake", "700 ms");
        }
    }

    @Test
    @Tag("OWN-2")
    void aServerInTheData() throws Exception {
        int port = Tools.freePort();
        try (Talking server = server(port)) {
            source.enter(RunState.RUNNING);
            Migration out = engine.send(source, "tcp:127.0.0.1:" + port, tls());
            await(() -> server.said().length() > 1 << 16, out);
            server.signal("STOP");
            out.change(HASTY);
            assertThat(sourceFails(out)).contains("700 ms (silence-timeout)");
        }
    }

    /** It has all, or its system has: without a return path nobody could tell. */
    @Test
    @Tag("stress") // the goodbye takes its 10 s
    @Tag("OWN-5")
    void aServerBehindTheEnd() throws Exception {
        int port = Tools.freePort();
        try (Talking server = server(port);
                ReferenceMachine calm = guest()) {
            calm.enter(RunState.RUNNING);
            Settings hasty =
                    tls().parameter("downtime-limit", "2000")
                            .parameter("silence-timeout", "700")
                            .capability("pause-before-switchover");
            Migration out = engine.send(calm, "tcp:127.0.0.1:" + port, hasty);
            await(() -> out.state() == MigrationState.PRE_SWITCHOVER, out);
            server.signal("STOP");
            out.proceed();
            assertThat(out.await(BOUND)).as("it ends in time").isTrue();
            assertThat(out.owner()).isNotEqualTo(GuestOwner.SOURCE);
            Guests.assertStands(calm);
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("ARR-5")
    void aClientInTheHandshake(Kind kind) throws Exception {
        listen(tls().parameter("connect-timeout", "1000"));
        try (Relay relay = new Relay(migration.address().toString(), Fault.NONE)) {
            relay.hold();
            List<String> words = client(kind, port(relay.address()));
            try (Talking client = new Talking(folder.resolve("client"), words)) {
                await(() -> relay.passed() > 0, migration);
                client.signal("STOP");
                relay.letGo();
                await(() -> migration.statistics().turnedAway() > 0, migration);
            }
        }
        Settings genuine = tls().parameter("downtime-limit", "2000").capability("return-path");
        try (ReferenceMachine other = guest()) {
            other.enter(RunState.RUNNING);
            engine.send(other, migration.address().toString(), genuine).await();
        }
        migration.await();
        Guests.assertRuns(machine);
    }

    /** One that carries a source's stream: its source ends it, and the destination hears that. */
    @ParameterizedTest
    @EnumSource
    @Tag("OWN-1")
    void aClientInTheData(Kind kind) throws Exception {
        listen(tls());
        source.enter(RunState.RUNNING);
        Settings plain =
                Settings.NONE.parameter("max-bandwidth", "0").parameter("downtime-limit", "0");
        Path number = folder.resolve("number");
        String address = "exec:" + client(kind, number);
        Migration out = engine.send(source, address, plain);
        await(() -> migration.statistics().transferred() > 1 << 16, out);
        Tools.signal(Long.parseLong(Files.readString(number).strip()), "STOP");
        out.change(HASTY);
        assertThat(sourceFails(out)).contains("no byte for 700 ms (silence-timeout)");
        failure();
    }

    /** The command for a shell: it writes its number first. */
    private String client(Kind kind, Path number) {
        List<String> words = client(kind, port(migration.address().toString()));
        if (kind == Kind.GNUTLS) words.add(1, "--logfile=" + folder.resolve("client"));
        return "echo $$ >" + number + "; exec " + Tools.line(words);
    }
}
