package org.vmferry.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.RawDestination.Pings;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.DowntimePart;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.engine.transport.FdTransport;
import org.vmferry.engine.transport.NamedChannels;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.doubles.SteadyDirtyLog;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.RunState;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** What a source knows before it pauses its guest, and what it tells of the pause afterwards. */
@Timeout(60)
class SwitchoverTest {
    private static final Settings BACK =
            Settings.NONE
                    .capability("return-path")
                    .parameter("max-bandwidth", "0")
                    .parameter("silence-timeout", "0");
    private static final Settings ACK = BACK.capability("switchover-ack");
    private static final int SWITCHOVER_ACK = 7;
    private static final byte[] NOTHING = {};

    @TempDir Path folder;
    private final Engine engine = new Engine(Plugins.builtIn());
    private final TestMachine source = TestMachine.live();
    private RawDestination destination;
    private Migration save;

    @AfterEach
    void nothingIsLeft() throws Exception {
        if (save != null) {
            save.cancel();
            if (destination != null) destination.close();
            until(() -> save.state().isFinal());
        }
    }

    private void begin(Settings settings, Pings pings) throws Exception {
        destination = new RawDestination(folder.resolve("peer"), pings);
        save = engine.send(source, "unix:" + folder.resolve("peer"), settings);
    }

    /** Spins until something is so; what ends this class's time ends it too. */
    private static void until(BooleanSupplier there) throws InterruptedException {
        while (!there.getAsBoolean()) {
            if (Thread.interrupted()) throw new InterruptedException("it never was");
            LockSupport.parkNanos(200_000);
        }
    }

    private void awaitPings(int count) throws InterruptedException {
        until(() -> destination.numbers.size() >= count);
    }

    /** All that was sent lies in its socket's buffer, as it takes 400 ms for the first round. */
    @Test
    @Tag("RPT-5")
    void theTimeUntilTheAnswerCounts() throws Exception {
        source.log = Optional.of(new SteadyDirtyLog(60));
        begin(
                BACK.parameter("downtime-limit", "100"),
                (peer, before, number) -> {
                    if (before == 1) LockSupport.parkNanos(400_000_000);
                    peer.say(2, number);
                });
        destination.awaitEverything();
        destination.say(1, 0);
        save.await();
        assertThat(destination.numbers)
                .as("hello, the one that took long, one more at least, and that for the devices")
                .hasSizeGreaterThan(3);
    }

    /**
     * From RAM's beginning on a silent source is its operator's affair: no connect-timeout holds.
     */
    @Test
    @Tag("ARR-5")
    void theOperatorMayTakeLongerThanAConnection() throws Exception {
        String place = "unix:" + folder.resolve("peer");
        Settings settings =
                Settings.NONE
                        .capability("pause-before-switchover")
                        .parameter("connect-timeout", "1500")
                        .parameter("silence-timeout", "0");
        TestMachine target = new TestMachine(RunState.INMIGRATE, TestMachine.heap(64, 0));
        Migration load = engine.receive(target, place, settings);
        save = engine.send(source, place, settings);
        until(() -> save.state() == MigrationState.PRE_SWITCHOVER || save.state().isFinal());
        assertThat(load.await(Duration.ofSeconds(3))).as("the load has ended").isFalse();
        save.proceed();
        save.await();
        load.await();
        assertThat(target.state).isEqualTo(RunState.RUNNING);
    }

    @Test
    @Tag("RPT-10")
    void theGuestIsNotPausedBeforeTheDestinationIsReady() throws Exception {
        CountDownLatch waits = new CountDownLatch(1);
        begin(
                ACK,
                (peer, before, number) -> {
                    peer.say(2, number);
                    if (before == 1) waits.countDown();
                });
        waits.await();
        until(() -> isAt("awaitReady"));
        assertThat(source.entered).isEmpty();
        destination.say(SWITCHOVER_ACK, NOTHING);
        destination.awaitEverything();
        assertThat(destination.numbers).as("a round more, and another look").hasSize(4);
        destination.say(1, 0);
        save.await();
    }

    private boolean isAt(String method) {
        return Thread.getAllStackTraces().entrySet().stream()
                .filter(thread -> thread.getKey().getName().equals(save.name()))
                .flatMap(thread -> Arrays.stream(thread.getValue()))
                .anyMatch(frame -> frame.getMethodName().equals(method));
    }

    @Test
    @Tag("RPT-10")
    void aDestinationThatIsNeverReadyCostsNoPause() throws Exception {
        begin(ACK, RawDestination.POLITE);
        awaitPings(2);
        save.change(Settings.NONE.parameter("silence-timeout", "300"));
        MigrationException failure = catchThrowableOfType(MigrationException.class, save::await);
        assertThat(failure).hasMessageContaining("is switchover-ack set there too?");
        assertThat(source.entered).isEmpty();
        assertThat(save.owner()).isEqualTo(GuestOwner.SOURCE);
    }

    @Test
    @Tag("RPT-2")
    void theWordHasNoPayload() throws Exception {
        begin(BACK, (peer, before, number) -> peer.say(SWITCHOVER_ACK, new byte[4]));
        assertThat(catchThrowableOfType(MigrationException.class, save::await))
                .hasMessageContaining("SWITCHOVER_ACK on the return path has 4 bytes, must be 0");
        assertThat(source.state).isEqualTo(RunState.RUNNING);
    }

    private Migration receive(TestMachine target, Settings settings) throws Exception {
        return engine.receive(target, "tcp:127.0.0.1:0", settings);
    }

    @Test
    @Tag("RPT-10")
    void ourDestinationSaysThatItIsReady() throws Exception {
        TestMachine target = new TestMachine(RunState.INMIGRATE, TestMachine.heap(64, 0));
        Migration load = receive(target, ACK);
        save = engine.send(source, load.address().toString(), ACK);
        save.await();
        load.await();
        assertThat(target.state).isEqualTo(RunState.RUNNING);
    }

    @Test
    void theDowntimeIsToldInItsParts() throws Exception {
        Settings asked = BACK.capability("pause-before-switchover");
        TestMachine target = new TestMachine(RunState.INMIGRATE, TestMachine.heap(64, 0));
        Migration load = receive(target, asked);
        save = engine.send(source, load.address().toString(), asked);
        save.proceed();
        save.await();
        load.await();
        Statistics sent = save.statistics();
        assertThat(sent.downtimeParts())
                .containsOnlyKeys(
                        DowntimePart.STOP,
                        DowntimePart.WAIT,
                        DowntimePart.DRAIN,
                        DowntimePart.DEVICE_SAVE,
                        DowntimePart.LINK,
                        DowntimePart.START);
        assertThat(sent.downtimeParts().values().stream().mapToLong(Long::longValue).sum())
                .as("each is cut to whole ms")
                .isBetween(sent.downtime() - 6, sent.downtime());
        assertThat(load.statistics().downtimeParts())
                .containsOnlyKeys(DowntimePart.DEVICE_LOAD, DowntimePart.START);
    }

    @Test
    void whatASourceDoesNotKnowIsAbsent() throws Exception {
        TestMachine target = new TestMachine(RunState.INMIGRATE, TestMachine.heap(64, 0));
        Migration load = receive(target, Settings.NONE);
        save = engine.send(source, load.address().toString(), Settings.NONE);
        save.await();
        load.await();
        assertThat(save.statistics().downtimeParts())
                .containsOnlyKeys(DowntimePart.STOP, DowntimePart.DRAIN, DowntimePart.DEVICE_SAVE);
        TestMachine still = new TestMachine(RunState.PAUSED, TestMachine.heap(64, 3));
        Migration snapshot = engine.send(still, "file:" + folder.resolve("vm"), Settings.NONE);
        snapshot.await();
        assertThat(snapshot.statistics().downtimeParts()).as("it never ran").isEmpty();
    }

    @Test
    void theTimeOfItsOperatorIsNotHeldAgainstTheLimit() throws Exception {
        String said =
                Logged.during(
                        () -> {
                            begin(
                                    BACK.parameter("downtime-limit", "1000")
                                            .capability("pause-before-switchover"),
                                    RawDestination.POLITE);
                            until(() -> save.statistics().downtime() >= 1100);
                            save.proceed();
                            destination.awaitEverything();
                            destination.say(1, 0);
                            save.await();
                        });
        assertThat(save.statistics().downtime()).isGreaterThanOrEqualTo(1100);
        assertThat(said).doesNotContain("stood still");
    }

    /** The peer takes 400 ms to say that it has every device, and 100 were allowed. */
    @Test
    void aLimitThatWasBrokenIsSaidWithTheLongestPart() throws Exception {
        String said =
                Logged.during(
                        () -> {
                            begin(
                                    BACK.parameter("downtime-limit", "100"),
                                    (peer, count, number) -> {
                                        if (count == 2) LockSupport.parkNanos(400_000_000);
                                        peer.say(2, number);
                                    });
                            destination.awaitEverything();
                            destination.say(1, 0);
                            save.await();
                        });
        assertThat(save.statistics().downtimeParts().get(DowntimePart.LINK))
                .isGreaterThanOrEqualTo(400);
        assertThat(said)
                .contains(
                        save.name() + ": the guest stood still for ",
                        ", with downtime-limit 100 ms; ",
                        "The longest part was: link (stop ");
    }

    /** Without a return path all was sent before the last word, which its peer takes late. */
    @Test
    void aGoodbyeHoldsUpNoGuest() throws Exception {
        CountDownLatch parting = new CountDownLatch(1);
        CountDownLatch gone = new CountDownLatch(1);
        NamedChannels links = new NamedChannels();
        links.register(
                "deaf",
                new MemoryChannel(NOTHING, 1 << 20) {
                    @Override
                    public void shutdownOutput() {
                        parting.countDown();
                        while (gone.getCount() > 0) LockSupport.parkNanos(200_000);
                    }
                });
        Engine engine = new Engine(Plugins.builtIn().plus(new FdTransport(links)));
        save = engine.send(source, "fd:deaf", Settings.NONE.parameter("max-bandwidth", "0"));
        parting.await();
        long downtime = save.statistics().downtime();
        long since = save.statistics().totalTime();
        try {
            until(() -> save.statistics().totalTime() > since + 50);
            assertThat(save.statistics().downtime()).isEqualTo(downtime);
        } finally {
            gone.countDown();
        }
        save.await();
        assertThat(save.statistics().downtime()).isEqualTo(downtime);
    }

    /** Its peer is slow to close the connection; the guest ran there long before. */
    @Test
    void theDowntimeEndsWhenTheGuestRunsThere() throws Exception {
        begin(BACK, RawDestination.POLITE);
        destination.awaitEverything();
        destination.say(1, 0);
        save.await();
        long downtime = save.statistics().downtime();
        assertThat(save.statistics().downtimeParts()).containsKey(DowntimePart.START);
        assertThat(save.statistics().downtime()).isEqualTo(downtime);
    }
}
