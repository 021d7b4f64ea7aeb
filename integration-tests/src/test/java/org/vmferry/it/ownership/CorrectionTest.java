package org.vmferry.it.ownership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordingFile;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.MigrationListener;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.it.support.Leftovers;
import org.vmferry.it.support.OneGuest;
import org.vmferry.it.support.Relay;
import org.vmferry.it.support.Relay.Fault;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.tls.TestCertificates;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A link keeps the destination's word for itself until the source has given up waiting for it. */
@Timeout(60)
class CorrectionTest {
    private static final Duration BOUND = Duration.ofSeconds(20);
    private static final Settings BACK =
            Settings.NONE.parameter("max-bandwidth", "0").capability("return-path");

    @TempDir static Path folder;
    private final Engine engine = Engine.create();
    private final OneGuest guest = new OneGuest();
    private final OneGuest.Place here = guest.at(RunState.RUNNING);
    private final OneGuest.Place there = guest.at(RunState.INMIGRATE);
    private final CountDownLatch begins = new CountDownLatch(1);
    private final BlockingQueue<GuestOwner> corrections = new LinkedBlockingQueue<>();
    private Relay relay;
    private Migration load;
    private Migration save;

    @AfterEach
    void nothingIsLeft() throws Exception {
        if (relay != null) relay.close();
        assertThat(guest.mostAtOnce()).as("running at once").isEqualTo(1);
        Leftovers.assertNoThreadsAtAll();
    }

    private static Settings settings(String how) throws Exception {
        Settings settings = BACK;
        if (how.contains("multifd")) settings = settings.capability("multifd");
        if (!how.contains("tls")) return settings;
        return settings.parameter(
                        "tls-creds", "" + TestCertificates.in(folder.resolve("pki")).folder())
                .parameter("tls-hostname", TestCertificates.HOST);
    }

    /** The source's outcome is unknown, the destination's is not. */
    private void untilItIsUnknown(String how, boolean refuses) throws Exception {
        Settings settings = settings(how);
        if (refuses) there.refuses("no processor is free", true);
        load = engine.receive(there, "tcp:127.0.0.1:0", settings);
        relay = new Relay(load.address().toString(), Fault.NONE);
        there.beforeItEnters(
                () -> {
                    relay.hold();
                    begins.countDown();
                });
        save = engine.send(here, relay.address(), settings);
        save.listen(
                new MigrationListener() {
                    @Override
                    public void entered(MigrationState state) {}

                    @Override
                    public void corrected(GuestOwner owner) {
                        corrections.add(owner);
                    }
                });
        assertThat(begins.await(20, TimeUnit.SECONDS)).isTrue();
        save.change(Settings.NONE.parameter("silence-timeout", "200"));
        assertThat(save.await(BOUND)).isTrue();
        assertThat(load.await(BOUND)).isTrue();
        assertUnknown();
        assertThat(load.owner()).isEqualTo(refuses ? GuestOwner.SOURCE : GuestOwner.DESTINATION);
        assertThat(here.runState()).isEqualTo(RunState.POSTMIGRATE);
        assertThat(corrections).isEmpty();
    }

    private void assertUnknown() {
        assertThat(save.state()).isEqualTo(MigrationState.FAILED);
        assertThat(save.owner()).isEqualTo(GuestOwner.UNKNOWN);
        assertThatThrownBy(save::await).hasMessageContaining("only if it does not run there");
    }

    @ParameterizedTest
    @CsvSource({
        "'', false",
        "'', true",
        "multifd, false",
        "multifd, true",
        "multifd tls, false",
        "multifd tls, true"
    })
    @Tag("OWN-38")
    @Tag("OWN-39")
    @Tag("RPT-11")
    void theWordIsLate(String how, boolean refuses) throws Exception {
        untilItIsUnknown(how, refuses);
        relay.letGo();
        GuestOwner owner = refuses ? GuestOwner.SOURCE : GuestOwner.DESTINATION;
        assertThat(corrections.poll(20, TimeUnit.SECONDS)).isEqualTo(owner);
        assertThat(save.owner()).isEqualTo(owner);
        assertThat(save.state()).isEqualTo(MigrationState.FAILED);
        assertThatThrownBy(save::await)
                .hasMessageContaining(refuses ? "no processor is free" : "runs the guest");
        assertThat(here.runState()).isEqualTo(refuses ? RunState.RUNNING : RunState.POSTMIGRATE);
        assertThat(there.runState()).isEqualTo(refuses ? RunState.INMIGRATE : RunState.RUNNING);
        // A guest that was given back may go the next day.
        if (!refuses) return;
        there.refuses(null, false);
        there.beforeItEnters(() -> {});
        load = engine.receive(there, "tcp:127.0.0.1:0", BACK);
        engine.send(here, load.address().toString(), BACK).await();
        assertThat(there.runState()).isEqualTo(RunState.RUNNING);
    }

    @Test
    void theFlightRecorderHasIt() throws Exception {
        Path file = folder.resolve("jfr");
        try (Recording recording = new Recording()) {
            recording.enable("vmferry.Correction");
            recording.start();
            untilItIsUnknown("", false);
            relay.letGo();
            assertThat(corrections.poll(20, TimeUnit.SECONDS)).isNotNull();
            recording.dump(file);
        }
        assertThat(RecordingFile.readAllEvents(file))
                .filteredOn(event -> event.getEventType().getName().equals("vmferry.Correction"))
                .filteredOn(event -> event.getString("migration").equals(save.name()))
                .singleElement()
                .satisfies(event -> assertThat(event.getString("owner")).isEqualTo("DESTINATION"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"cancel", "yank", "cut", "take back"})
    @Tag("OWN-40")
    void theWordCountsNoMore(String deed) throws Exception {
        untilItIsUnknown("", true);
        switch (deed) {
            case "cancel" -> save.cancel();
            case "yank" -> save.yank();
            case "cut" -> relay.cut();
            default -> here.enter(RunState.RUNNING); // somebody has looked
        }
        Leftovers.assertNoThreads(); // it listens no more
        int entered = here.entered.size();
        relay.letGo();
        relay.close();
        assertUnknown();
        assertThat(here.entered).hasSize(entered);
        assertThat(corrections).isEmpty();
    }
}
