package org.vmferry.it.hostile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.it.support.Guests;
import org.vmferry.it.support.Leftovers;
import org.vmferry.it.support.Relay;
import org.vmferry.it.support.Relay.Deed;
import org.vmferry.it.support.Relay.Fault;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;
import org.vmferry.testkit.tls.TestCertificates;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;

/**
 * A link that falls silent while two ends of ours shake hands: by itself, or by a yank, it ends.
 */
class StallTest {
    private static final Duration BOUND = Duration.ofSeconds(20);

    @TempDir static Path certificates;

    private final Engine engine = Engine.create();
    private final ReferenceMachine machine = guest();
    private final ReferenceMachine there = guest();
    private Relay relay;
    private Migration load;
    private Migration save;

    private static ReferenceMachine guest() {
        return ReferenceMachine.builder()
                .ram(8 << 20)
                .dirtyWindow(1000)
                .dirtyEvery(300)
                .dirtyLog(NeverClean::new)
                .build();
    }

    @BeforeEach
    void guestRuns() {
        machine.runFor(1_000_000);
        machine.enter(RunState.RUNNING);
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        if (relay != null) relay.close();
        machine.close();
        there.close();
        Leftovers.assertNoThreadsAtAll();
    }

    /** Where it falls silent, and what the destination says of it: or either, of a handshake. */
    static Stream<Arguments> stalls() {
        return Stream.of(
                Arguments.of("tls", 0, false, 1, "TLS"),
                Arguments.of("tls", 0, false, 100, "TLS"),
                Arguments.of("tls", 0, true, 10, "TLS"),
                Arguments.of("multifd tls", 1, false, 100, "TLS"),
                Arguments.of("multifd tls", 2, true, 10, "TLS"),
                Arguments.of("multifd", 1, false, 3, "a channel is missing"),
                Arguments.of("multifd", 1, false, 4, "a channel is missing"),
                Arguments.of("multifd", 2, false, 63, "a channel is missing"));
    }

    private void begin(String how, int connection, boolean back, long after, String timeout)
            throws IOException {
        Settings settings =
                Settings.NONE
                        .parameter("max-bandwidth", "0")
                        .parameter("downtime-limit", "0")
                        .parameter("connect-timeout", timeout);
        if (how.contains("multifd")) settings = settings.capability("multifd");
        if (how.contains("tls")) {
            TestCertificates made = TestCertificates.in(certificates.resolve("pki"));
            settings =
                    settings.parameter("tls-creds", made.folder().toString())
                            .parameter("tls-hostname", TestCertificates.HOST);
        }
        load = engine.receive(there, "tcp:127.0.0.1:0", settings);
        relay =
                new Relay(
                        load.address().toString(), new Fault(connection, back, after, Deed.STALL));
        save = engine.send(machine, relay.address(), settings);
    }

    @ParameterizedTest(name = "{0}, connection {1}, back {2}, after {3} bytes")
    @MethodSource("stalls")
    @Tag("MFD-23")
    @Tag("ARR-5")
    void endsByItself(String how, int connection, boolean back, long after, String why)
            throws Exception {
        begin(how, connection, back, after, "1000");
        String source = failed(save);
        if (why.equals("TLS")) {
            assertThat(source).contains("TLS");
            // Who shook no hand is nobody: the next source is still waited for.
            assertThat(load.await(Duration.ofMillis(1500))).isFalse();
            assertThat(load.statistics().turnedAway()).isPositive();
            load.cancel();
            assertThat(load.await(BOUND)).isTrue();
        } else {
            assertThat(failed(load)).contains(why, "1000 ms");
        }
        assertGuests();
    }

    @ParameterizedTest(name = "{0}, connection {1}, back {2}, after {3} bytes")
    @MethodSource("stalls")
    void endsByYank(String how, int connection, boolean back, long after, String why)
            throws Exception {
        begin(how, connection, back, after, "0");
        relay.done.await();
        assertThat(load.yank()).isTrue();
        assertThat(failed(load)).contains("yanked");
        save.yank(); // it may have heard of the other's end
        failed(save);
        assertGuests();
    }

    private static String failed(Migration migration) throws Exception {
        assertThat(migration.await(BOUND)).as("%s ends in time", migration.name()).isTrue();
        assertThat(migration.state()).isEqualTo(MigrationState.FAILED);
        return catchThrowableOfType(MigrationException.class, migration::await).getMessage();
    }

    private void assertGuests() {
        assertThat(there.runState()).as("never started").isEqualTo(RunState.PRELAUNCH);
        Guests.assertRuns(machine);
    }
}
