package org.vmferry.spi;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MarkerFactory;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** What a host's backend is handed; here one that writes to standard error. */
class LogTest {
    private static final String HOSTILE = "a\u001b[2Jb\r\nc\u202ed\u2028e";
    private static final String CLEAN = "a?[2Jb? c?d?e";

    private final PrintStream before = System.err;
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();
    private final Logger log = Log.of(LogTest.class);

    @BeforeEach
    void listen() {
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void end() {
        System.setErr(before);
    }

    private String[] lines() {
        return said.toString(StandardCharsets.UTF_8).split("\n");
    }

    @Test
    void argumentsAndPatternsAreCleaned() {
        log.warn("{}: {} of {}", HOSTILE, 7, new Object[] {HOSTILE}, null);
        log.info(HOSTILE);
        log.atError().addMarker(MarkerFactory.getMarker("m")).log("fluent {}", HOSTILE);
        log.warn(MarkerFactory.getMarker("m"), "marked {}", new StringBuilder(HOSTILE));
        assertThat(lines())
                .satisfiesExactly(
                        line -> assertThat(line).endsWith(CLEAN + ": 7 of [" + CLEAN + "]"),
                        line -> assertThat(line).endsWith("LogTest - " + CLEAN),
                        line -> assertThat(line).endsWith("fluent " + CLEAN),
                        line -> assertThat(line).endsWith("marked " + CLEAN));
    }

    @Test
    void whatIsThrownIsCleanedDownItsCauses() {
        Exception thrown = new IllegalStateException("plain", new IOException(HOSTILE));
        thrown.addSuppressed(new IOException(HOSTILE));
        log.warn("{} failed", HOSTILE, thrown);
        assertThat(lines()[0]).endsWith(CLEAN + " failed");
        assertThat(lines()[1]).isEqualTo("java.lang.IllegalStateException: plain");
        assertThat(lines())
                .contains("Caused by: java.io.IOException: " + CLEAN)
                .contains("\tSuppressed: java.io.IOException: " + CLEAN);
        assertThat(said.toString(StandardCharsets.UTF_8)).doesNotContain("\u001b", "\r", "\u202e");
    }

    @Test
    void aLevelIsTheHosts() {
        log.debug("not {}", "said");
        log.trace("not {}", "said");
        assertThat(said.size()).isZero();
        Logger hosts = LoggerFactory.getLogger(LogTest.class);
        assertThat(log.getName()).isEqualTo(hosts.getName());
        assertThat(log.isDebugEnabled()).isEqualTo(hosts.isDebugEnabled());
        assertThat(log.isWarnEnabled()).isTrue();
    }
}
