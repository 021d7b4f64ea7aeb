package org.vmferry.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.RawDestination.Pings;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.RunState;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;

/**
 * A source that is told by a destination what it has, before the pause and before the end, and how
 * long it waits for that.
 */
@Timeout(60)
class ConfirmationTest {
    private static final Settings BACK =
            Settings.NONE
                    .capability("return-path")
                    .parameter("max-bandwidth", "0")
                    .parameter("silence-timeout", "0");

    /** The first says hello, the second stands before the pause, the third before the end. */
    private static Pings silentFrom(int count) {
        return (destination, before, number) -> {
            if (before < count) destination.say(2, number);
        };
    }

    @TempDir Path folder;
    private final Engine engine = new Engine(Plugins.builtIn());
    private final TestMachine source = TestMachine.live();
    private RawDestination destination;
    private Migration save;

    @AfterEach
    void nothingIsLeft() throws Exception {
        if (destination != null) destination.close();
        while (Thread.getAllStackTraces().keySet().stream()
                .anyMatch(thread -> thread.getName().matches("(send|receive)-\\d+.*"))) {
            LockSupport.parkNanos(200_000);
        }
    }

    private void begin(Settings settings, Pings pings) throws Exception {
        destination = new RawDestination(folder.resolve("peer"), pings);
        save = engine.send(source, "unix:" + folder.resolve("peer"), settings);
    }

    /** Only now: a busy machine may be slow before. */
    private void limitTo(int ms) throws Exception {
        save.change(Settings.NONE.parameter("silence-timeout", "" + ms));
    }

    private void awaitPings(int count) {
        while (destination.numbers.size() < count) LockSupport.parkNanos(200_000);
    }

    private MigrationException failure() {
        return catchThrowableOfType(MigrationException.class, save::await);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @Tag("RPT-5")
    void whoDoesNotAnswerBeforeThePauseGetsNoPause(boolean live) throws Exception {
        if (!live) source.log = Optional.empty();
        begin(BACK, silentFrom(1));
        awaitPings(2);
        limitTo(300);
        assertThat(failure())
                .hasMessageContainingAll("taken all that was sent", "300 ms", "silence-timeout");
        assertThat(save.owner()).isEqualTo(GuestOwner.SOURCE);
        assertThat(source.entered).isEmpty();
        assertThat(destination.numbers).hasSize(2);
    }

    @Test
    @Tag("RPT-5")
    void whoDoesNotAnswerBeforeTheEndGetsNoEnd() throws Exception {
        begin(BACK, silentFrom(2));
        awaitPings(3);
        limitTo(300);
        assertThat(failure())
                .hasMessageContainingAll("loaded every device", "300 ms", "silence-timeout");
        assertThat(save.owner()).isEqualTo(GuestOwner.SOURCE);
        assertThat(source.entered).containsExactly(RunState.FINISH_MIGRATE, RunState.RUNNING);
        assertThat(destination.hasEverything()).isFalse();
    }

    @Test
    @Tag("RPT-5")
    void onlyTheNumberThatWasSentCounts() throws Exception {
        begin(
                BACK,
                (peer, before, number) -> {
                    peer.say(2, before == 2 ? number + 1 : number);
                    if (before == 2) peer.say(2, peer.numbers.get(1)); // the one before
                });
        awaitPings(3);
        limitTo(300);
        assertThat(failure()).hasMessageContaining("loaded every device");
        assertThat(destination.numbers.get(1)).isNotEqualTo(destination.numbers.get(2));
        assertThat(source.state).isEqualTo(RunState.RUNNING);
    }

    @Test
    @Tag("RPT-5")
    void aDestinationThatHangsUpInsteadIsLost() throws Exception {
        begin(
                BACK,
                (peer, before, number) -> {
                    if (before == 2) peer.hangUp();
                    else peer.say(2, number);
                });
        assertThat(failure())
                .hasMessageStartingWith("the destination was lost")
                .hasMessageEndingWith("the return path ended");
        assertThat(source.state).isEqualTo(RunState.RUNNING);
    }

    @Test
    @Tag("RPT-8")
    void whoNeverSaysHowItWentLeavesItOpen() throws Exception {
        begin(BACK, RawDestination.POLITE);
        destination.awaitEverything();
        limitTo(300);
        assertThat(failure())
                .hasMessageContainingAll("300 ms", "resume it only if it does not run there");
        assertThat(save.owner()).isEqualTo(GuestOwner.UNKNOWN);
        assertThat(source.state).isEqualTo(RunState.POSTMIGRATE);
        assertThat(destination.hasEverything()).isTrue();
    }

    /** As an archive that is written to a slow disk does: it takes long to begin. */
    @Test
    @Tag("RPT-7")
    void whoGivesSignsOfLifeIsWaitedFor() throws Exception {
        begin(BACK, RawDestination.POLITE);
        destination.awaitEverything();
        destination.say(2, destination.numbers.getFirst());
        limitTo(1000);
        for (int i = 0; i < 8; i++) {
            LockSupport.parkNanos(200_000_000);
            destination.say(2, destination.numbers.getFirst());
        }
        assertThat(save.state()).isEqualTo(MigrationState.DEVICE);
        destination.say(1, 0);
        save.await();
        assertThat(save.owner()).isEqualTo(GuestOwner.DESTINATION);
    }

    @Test
    @Tag("RPT-8")
    void whoTakesNoByteIsNotWaitedForEither() throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        destination =
                new RawDestination(
                        folder.resolve("peer"),
                        RawDestination.POLITE,
                        (peer, into) -> {
                            try {
                                over.await();
                            } catch (InterruptedException e) {
                                throw new AssertionError(e);
                            }
                            return -1;
                        });
        TestMachine large = new TestMachine(RunState.RUNNING, TestMachine.heap(512, 3));
        large.log = source.log;
        save =
                engine.send(
                        large,
                        "unix:" + folder.resolve("peer"),
                        BACK.parameter("silence-timeout", "300"));
        assertThat(failure()).hasMessageContainingAll("has taken no byte for 300 ms");
        over.countDown();
        assertThat(large.entered).isEmpty();
    }

    /** The end is longer than what lies between: who writes it hangs, and is let go. */
    @Test
    @Timeout(20)
    @Tag("RPT-8")
    void whoTakesNoByteOfTheEndLeavesItOpen() throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        destination =
                new RawDestination(
                        folder.resolve("peer"),
                        RawDestination.POLITE,
                        (peer, into) -> {
                            int count = destination.numbers.size() < 3 ? peer.read(into) : 0;
                            if (count != 0) return count;
                            try {
                                over.await();
                            } catch (InterruptedException e) {
                                throw new AssertionError(e);
                            }
                            return -1;
                        });
        TestMachine many =
                new TestMachine(RunState.RUNNING, TestMachine.heap(64, 3)) {
                    @Override
                    public List<DeviceState> devices() {
                        List<DeviceState> all = new ArrayList<>();
                        for (int i = 0; i < 5000; i++) all.add(new Named("device-" + i));
                        return all;
                    }
                };
        many.log = source.log;
        save = engine.send(many, "unix:" + folder.resolve("peer"), BACK);
        awaitPings(3);
        while (save.owner() != GuestOwner.UNKNOWN) LockSupport.parkNanos(200_000);
        limitTo(300);
        try {
            assertThat(failure())
                    .hasMessageContainingAll("has taken no byte for 300 ms", "resume it only if");
        } finally {
            over.countDown();
        }
        assertThat(save.owner()).isEqualTo(GuestOwner.UNKNOWN);
        assertThat(many.state).isEqualTo(RunState.POSTMIGRATE);
    }

    /** What it saves goes into the stream at once. */
    private static final class Large implements DeviceState {
        @Override
        public String id() {
            return "large";
        }

        @Override
        public void save(DataOutput out) throws IOException {
            out.write(new byte[3 << 20]);
        }

        @Override
        public void load(DataInput in, int version) {}
    }

    /** One of many. */
    private record Named(String id) implements DeviceState {
        @Override
        public void save(DataOutput out) throws IOException {
            out.writeInt(7);
        }

        @Override
        public void load(DataInput in, int version) {}
    }

    /** A link so slow that all takes far longer than the limit, but each byte does not. */
    @Test
    @Tag("RPT-8")
    void whoTakesThemSlowlyIsWaitedFor() throws Exception {
        destination =
                new RawDestination(
                        folder.resolve("peer"),
                        RawDestination.POLITE,
                        (peer, into) -> {
                            LockSupport.parkNanos(50_000_000);
                            return peer.read(into);
                        });
        TestMachine large =
                new TestMachine(RunState.RUNNING, TestMachine.heap(64, 3)) {
                    @Override
                    public List<DeviceState> devices() {
                        return List.of(new Large());
                    }
                };
        large.log = source.log;
        long began = System.nanoTime();
        save =
                engine.send(
                        large,
                        "unix:" + folder.resolve("peer"),
                        BACK.parameter("silence-timeout", "1000"));
        destination.awaitEverything();
        destination.say(1, 0);
        save.await();
        assertThat(System.nanoTime() - began).isGreaterThan(1_500_000_000L);
    }

    @Test
    @Tag("RPT-6")
    void theReasonOfADestinationIsTold() throws Exception {
        begin(
                BACK,
                (peer, before, number) -> {
                    peer.say(2, number);
                    if (before != 1) return;
                    String why = "the disk is full\u001b[2J\nof \u202eholes";
                    peer.say(0x766d, why.getBytes(StandardCharsets.UTF_8));
                    peer.say(1, 1);
                    peer.hangUp();
                });
        assertThat(failure())
                .hasMessage(
                        "the destination failed to load the machine: the disk is full\ufffd[2J of"
                                + " \ufffdholes");
        assertThat(source.state).isEqualTo(RunState.RUNNING);
    }

    /** QEMU sends one where it was asked for; nobody here asks. */
    @Test
    @Tag("RPT-2")
    void anAckOfTheSwitchOverIsIgnored() throws Exception {
        begin(
                BACK,
                (peer, before, number) -> {
                    peer.say(7, new byte[0]);
                    peer.say(2, number);
                });
        destination.awaitEverything();
        destination.say(1, 0);
        save.await();
        assertThat(save.owner()).isEqualTo(GuestOwner.DESTINATION);
    }
}
