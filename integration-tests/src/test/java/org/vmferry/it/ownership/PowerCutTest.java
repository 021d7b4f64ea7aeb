package org.vmferry.it.ownership;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.vmferry.it.support.TwoHosts;
import org.vmferry.testkit.tls.TestCertificates;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Two hosts, of which one loses its power, or whose cable loses what is sent, at each moment of a
 * migration: both sides end in time and agree on who has the guest, which is asked of the guests;
 * and so it stays when the link comes back.
 */
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PowerCutTest {
    private static final int SILENCE = 1000; // ms

    /** As much again for the system's clock, which counts in seconds, and for a busy machine. */
    private static final int BOUND = 15_000;

    /** A host that is gone would have been noticed by then. */
    private static final int PATIENCE = 2 * SILENCE + 500;

    /** When it happens. */
    enum Phase {
        CONNECTING,
        HANDSHAKE,
        ROUNDS,
        PRE_SWITCHOVER,
        PAUSED,
        LOADING,
        BEGUN
    }

    /** What happens. */
    enum Fault {
        NONE,
        UNPLUGGED,
        SWALLOWED,
        ONE_SWALLOWED,
        SOURCE_STANDS,
        DESTINATION_STANDS
    }

    /** What, when, and with which capabilities. */
    record Scenario(Phase phase, Fault fault, String how) {
        boolean makesSense() {
            if (fault == Fault.NONE) return false;
            boolean early = phase.ordinal() <= Phase.HANDSHAKE.ordinal();
            if (early && fault.ordinal() >= Fault.ONE_SWALLOWED.ordinal()) return false;
            if (phase == Phase.HANDSHAKE && !how.contains("tls")) return false;
            // In other phases nobody misses a channel, or it is the only one.
            boolean missed = phase == Phase.ROUNDS && how.contains("multifd");
            return fault != Fault.ONE_SWALLOWED || missed;
        }

        /** It is its operator that the source waits for, and its peer's host is there. */
        boolean waits() {
            return phase == Phase.PRE_SWITCHOVER && fault == Fault.DESTINATION_STANDS;
        }
    }

    @TempDir static Path folder;
    private TwoHosts hosts;
    private Site source;
    private Site destination;

    @BeforeAll
    void begin() throws Exception {
        hosts = new TwoHosts();
        source = new Site("source", hosts.atSource());
        destination = new Site("destination", hosts.atDestination());
    }

    @AfterAll
    void end() throws Exception {
        if (source != null) source.close();
        if (destination != null) destination.close();
        if (hosts != null) hosts.close();
    }

    /** One of each phase, and of each kind of link. */
    static Stream<Scenario> some() {
        return Stream.of(
                new Scenario(Phase.CONNECTING, Fault.UNPLUGGED, ""),
                new Scenario(Phase.ROUNDS, Fault.SWALLOWED, "multifd"),
                new Scenario(Phase.ROUNDS, Fault.ONE_SWALLOWED, "multifd"),
                new Scenario(Phase.PRE_SWITCHOVER, Fault.SOURCE_STANDS, ""),
                new Scenario(Phase.PAUSED, Fault.UNPLUGGED, ""),
                new Scenario(Phase.LOADING, Fault.SWALLOWED, "multifd"),
                new Scenario(Phase.BEGUN, Fault.UNPLUGGED, ""));
    }

    static Stream<Scenario> all() {
        List<Scenario> all = new ArrayList<>();
        for (Phase phase : Phase.values()) {
            for (Fault fault : Fault.values()) {
                for (String how : List.of("", "tls", "multifd", "multifd tls")) {
                    Scenario one = new Scenario(phase, fault, how);
                    if (one.makesSense()) all.add(one);
                }
            }
        }
        return all.stream();
    }

    /** Who waits for what may never come says so. */
    @Test
    @Tag("stress")
    @Tag("OWN-32")
    @Tag("RPT-8")
    void whoWaitsSaysSo() throws Exception {
        source.ready();
        destination.ready();
        begin(new Scenario(Phase.PRE_SWITCHOVER, Fault.NONE, ""));
        assertThat(source.hears("WARN send", 25_000)).isTrue();
        assertThat(destination.hears("WARN receive", 25_000)).isTrue();
        assertThat(source.await("WARN send", 0)).contains("waits for somebody's word", "20 s");
        assertThat(destination.await("WARN receive", 0)).contains("nothing has come", "20 s");
    }

    private void tell(Site site, String what, String where, Phase phase, Phase gate, String how)
            throws Exception {
        StringBuilder line = new StringBuilder(what + " " + where + " ");
        line.append(phase == gate ? phase.name().toLowerCase() : "-");
        line.append(" return-path silence-timeout=").append(SILENCE);
        if (phase.ordinal() <= Phase.HANDSHAKE.ordinal()) line.append(" connect-timeout=1500");
        if (phase == Phase.ROUNDS) line.append(" max-bandwidth=1000000 downtime-limit=1");
        else line.append(" max-bandwidth=0");
        if (phase == Phase.PRE_SWITCHOVER) line.append(" pause-before-switchover");
        if (how.contains("multifd")) line.append(" multifd");
        if (how.contains("tls")) {
            TestCertificates made = TestCertificates.in(folder.resolve("pki"));
            line.append(" tls-creds=").append(made.folder());
            line.append(" tls-hostname=").append(TestCertificates.HOST);
        }
        site.tell(line.toString());
    }

    private void strike(Fault fault) throws Exception {
        switch (fault) {
            case NONE -> {}
            case UNPLUGGED -> hosts.unplug();
            case SWALLOWED -> hosts.swallow();
            case ONE_SWALLOWED -> hosts.swallowTheBusiest();
            case SOURCE_STANDS -> source.stand();
            case DESTINATION_STANDS -> destination.stand();
        }
    }

    @AfterEach
    void repair() throws Exception {
        source.goOn();
        destination.goOn();
        hosts.connect();
    }

    @ParameterizedTest
    @MethodSource("all")
    @Tag("stress")
    void everyMoment(Scenario scenario) throws Exception {
        bothEnd(scenario);
    }

    @ParameterizedTest
    @MethodSource("some")
    @Tag("OWN-1")
    @Tag("OWN-2")
    @Tag("OWN-6")
    @Tag("OWN-13")
    @Tag("OWN-31")
    @Tag("OWN-32")
    void bothEnd(Scenario scenario) throws Exception {
        source.ready();
        destination.ready();
        begin(scenario);
        if (scenario.fault == Fault.SOURCE_STANDS) {
            standsAndGoesOn(scenario);
            return;
        }
        if (scenario.phase == Phase.PAUSED) source.tell("open");
        if (scenario.waits()) { // nobody is gone
            assertThat(source.hears("over ", PATIENCE)).as("%s", source).isFalse();
            source.tell("proceed");
        }
        boolean begun = scenario.phase == Phase.BEGUN;
        assertThat(source.await("over ", BOUND))
                .startsWith(begun ? "over failed UNKNOWN " : "over failed SOURCE ");
        if (scenario.phase == Phase.ROUNDS) assertThat(source.ask("downtime")).isEqualTo("0");
        destination.goOn();
        switch (scenario.phase) {
            case CONNECTING -> destination.tell("cancel"); // it waits for another
            case HANDSHAKE -> {}
            default -> destination.tell("open");
        }
        if (scenario.phase != Phase.HANDSHAKE) {
            String end =
                    scenario.phase == Phase.CONNECTING ? "cancelled SOURCE " : "failed SOURCE ";
            assertThat(destination.await("over ", BOUND))
                    .startsWith("over " + (begun ? "completed DESTINATION" : end));
        }
        assertOneRuns(begun);
        repair();
        assertOneRuns(begun);
    }

    /**
     * The link is down when the destination says how it went, or before, and comes back: its word
     * corrects what the source says.
     */
    @ParameterizedTest
    @CsvSource({"true, true, UNPLUGGED", "true, false, SWALLOWED", "false, true, UNPLUGGED"})
    @Tag("OWN-38")
    @Tag("OWN-39")
    @Tag("RPT-11")
    void theWordComesLate(boolean begins, boolean unheard, Fault fault) throws Exception {
        source.ready();
        destination.ready();
        if (!begins) destination.tell("refuse");
        begin(new Scenario(Phase.BEGUN, fault, ""));
        assertThat(source.await("over ", BOUND)).startsWith("over failed UNKNOWN ");
        if (!unheard) repair();
        destination.tell("open");
        assertThat(destination.await("over ", BOUND))
                .startsWith(begins ? "over completed DESTINATION" : "over failed SOURCE");
        assertThat(source.ask("guest")).isEqualTo("stands");
        if (unheard) {
            assertThat(source.hears("corrected ", 0)).isFalse();
            repair();
        }
        assertThat(source.await("corrected ", BOUND))
                .startsWith("corrected " + (begins ? "DESTINATION" : "SOURCE"))
                .contains(begins ? "runs the guest" : "no processor is free");
        assertOneRuns(begins);
        assertThat(source.ask("threads")).isEqualTo("[]");
        assertThat(destination.ask("threads")).isEqualTo("[]");
    }

    /** A source that is only slow is waited for. */
    private void standsAndGoesOn(Scenario scenario) throws Exception {
        if (scenario.phase == Phase.BEGUN) destination.tell("open");
        boolean over = destination.hears("over ", PATIENCE);
        // Elsewhere bytes may wait in a full window, which a system gives up.
        if (scenario.phase == Phase.PRE_SWITCHOVER)
            assertThat(over).as("%s", destination).isFalse();
        source.goOn();
        source.tell("open");
        destination.tell("open");
        switch (scenario.phase) {
            case ROUNDS -> source.tell("cancel"); // its guest dirties too much for ever
            case PRE_SWITCHOVER -> source.tell("proceed");
            default -> {}
        }
        String here = source.await("over ", BOUND);
        String there = destination.await("over ", BOUND);
        boolean runsThere = there.startsWith("over completed DESTINATION");
        if (!runsThere) assertThat(here).contains(" SOURCE ");
        if (scenario.phase == Phase.PRE_SWITCHOVER) assertThat(runsThere).as(there).isTrue();
        assertOneRuns(runsThere);
    }

    /** It comes to the moment, and strikes. */
    private void begin(Scenario scenario) throws Exception {
        Phase phase = scenario.phase;
        if (phase == Phase.HANDSHAKE) {
            destination.tell("mute " + hosts.destination());
        } else {
            String any = "tcp:" + hosts.destination() + ":0";
            Phase gate = phase == Phase.PAUSED ? null : phase; // that is the source's
            tell(destination, "receive", any, phase, gate, scenario.how);
        }
        String address = destination.await("address ", BOUND).substring("address ".length());
        if (phase == Phase.CONNECTING) strike(scenario.fault);
        tell(source, "send", address, phase, Phase.PAUSED, scenario.how);
        switch (phase) {
            case CONNECTING -> {}
            case HANDSHAKE -> destination.await("accepted", BOUND);
            case ROUNDS -> source.await("state active", BOUND);
            case PRE_SWITCHOVER -> source.await("state pre-switchover", BOUND);
            case PAUSED -> source.await("at paused", BOUND);
            case LOADING -> destination.await("at loading", BOUND);
            case BEGUN -> destination.await("at begun", BOUND);
        }
        if (phase != Phase.CONNECTING) strike(scenario.fault);
    }

    private void assertOneRuns(boolean there) throws Exception {
        assertThat(source.ask("guest")).as("%s", source).isEqualTo(there ? "stands" : "runs");
        assertThat(destination.ask("guest"))
                .as("%s", destination)
                .isEqualTo(there ? "runs" : "stands");
    }
}
