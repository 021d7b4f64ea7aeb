package org.vmferry.engine.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.mock;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;

/** How often a key is changed, by a clock of the test's. */
class OwnKeyTest {
    private static final long SECOND = 1_000_000_000;

    private long now = -3 * SECOND; // a system's may begin anywhere
    private final OwnKey own = new OwnKey(mock(SSLEngine.class), "somebody", () -> now);

    /** What is logged as the key changes after so many nanoseconds more. */
    private String changesAfter(long ns) throws SSLException {
        now += ns;
        PrintStream before = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
        try {
            own.wrapped(new SSLEngineResult(Status.OK, HandshakeStatus.NOT_HANDSHAKING, 0, 30));
        } finally {
            System.setErr(before);
        }
        return said.toString(StandardCharsets.UTF_8);
    }

    @Test
    void aSecondChangeWithinASecondIsSaidOnce() throws Exception {
        assertThat(changesAfter(0)).isEmpty();
        assertThat(changesAfter(SECOND)).isEmpty();
        assertThat(changesAfter(SECOND - 1))
                .contains("TLS to somebody", "more than once a second", "jdk.tls.keyLimits");
        assertThat(changesAfter(1)).isEmpty();
        assertThat(own.changes()).isEqualTo(4);
    }
}
