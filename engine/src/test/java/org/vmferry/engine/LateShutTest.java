package org.vmferry.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.doubles.Rams;
import org.vmferry.spi.doubles.SteadyDirtyLog;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.RamBlock;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;

/** A destination says how it went after its source has given up waiting for that. */
@Timeout(60)
class LateShutTest {
    private static final Settings BACK =
            Settings.NONE
                    .capability("return-path")
                    .parameter("max-bandwidth", "0")
                    .parameter("silence-timeout", "0");
    private static final Settings FAST = Settings.NONE.parameter("max-bandwidth", "0");
    private static final int SHUT = 1;
    private static final int REASON = 0x766d;

    /** A machine, and what it does when it is to go on. */
    private static final class Guest extends TestMachine {
        volatile MigrationException refusal;

        Guest(RunState state) {
            super(state, TestMachine.heap(64, 3));
            log = Optional.of(new SteadyDirtyLog(0));
        }

        @Override
        public void enter(RunState next) throws MigrationException {
            if (refusal != null) throw refusal;
            super.enter(next);
        }
    }

    @TempDir Path folder;
    private final Engine engine = new Engine(Plugins.builtIn());
    private final List<String> heard = new CopyOnWriteArrayList<>();
    private Guest source = new Guest(RunState.RUNNING);
    private RawDestination destination;
    private Migration save;

    @AfterEach
    void nothingIsLeft() throws Exception {
        if (destination != null) destination.close();
        untilItListensNoMore();
        try (var open = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path each : open) {
                if (!Files.isSymbolicLink(each)) continue; // closed meanwhile
                assertThat(Files.readSymbolicLink(each).toString()).doesNotContain("" + folder);
            }
        }
    }

    private static void untilItListensNoMore() {
        while (Thread.getAllStackTraces().keySet().stream()
                .anyMatch(thread -> thread.getName().matches("(send|receive)-\\d+.*"))) {
            LockSupport.parkNanos(200_000);
        }
    }

    /** It has everything, and is silent for too long. */
    private void untilItIsUnknown() throws Exception {
        destination = new RawDestination(folder.resolve("peer"), RawDestination.POLITE);
        save = engine.send(source, "unix:" + folder.resolve("peer"), BACK);
        save.listen(
                new MigrationListener() {
                    @Override
                    public void entered(MigrationState state) {
                        if (state.isFinal()) heard.add(state.wireName());
                    }

                    @Override
                    public void corrected(GuestOwner owner) {
                        heard.add(owner + " " + source.state.wireName());
                    }
                });
        destination.awaitEverything();
        save.change(Settings.NONE.parameter("silence-timeout", "100"));
        assertThatThrownBy(save::await).hasMessageContaining("resume it only if it does not run");
        assertUnknown();
    }

    private void sayIfItListens(int word) {
        try {
            destination.say(SHUT, word);
        } catch (IOException e) {
            // It has closed.
        }
    }

    private void assertUnknown() {
        assertThat(save.state()).isEqualTo(MigrationState.FAILED);
        assertThat(save.owner()).isEqualTo(GuestOwner.UNKNOWN);
        assertThat(save.failure().orElseThrow()).hasMessageContaining("it does not run there");
    }

    private void assertCorrected(GuestOwner owner, RunState state) {
        untilItListensNoMore();
        assertThat(save.owner()).isEqualTo(owner);
        assertThat(save.state()).isEqualTo(MigrationState.FAILED);
        assertThat(source.state).isEqualTo(state);
        assertThat(heard).containsExactly("failed", owner + " " + state.wireName());
    }

    @Test
    @Tag("RPT-11")
    void thatItRunsThereIsTaken() throws Exception {
        untilItIsUnknown();
        destination.say(SHUT, 0);
        assertCorrected(GuestOwner.DESTINATION, RunState.POSTMIGRATE);
        assertThat(save.failure().orElseThrow())
                .hasMessageContainingAll("100 ms (silence-timeout)", "runs the guest")
                .hasMessageNotContaining("resume it only if");
        assertThat(source.entered).containsExactly(RunState.FINISH_MIGRATE, RunState.POSTMIGRATE);
    }

    @ParameterizedTest
    @EnumSource(names = {"RUNNING", "PAUSED"})
    @Tag("RPT-11")
    void thatItNeverWillGivesTheGuestBack(RunState before) throws Exception {
        source = new Guest(before);
        untilItIsUnknown();
        destination.say(REASON, "no processor is free".getBytes(UTF_8));
        destination.say(SHUT, 1);
        assertCorrected(GuestOwner.SOURCE, before);
        MigrationException why = save.failure().orElseThrow();
        assertThat(why).hasMessageContaining("no processor is free");
        assertThat(List.of(why.getSuppressed()))
                .singleElement()
                .satisfies(one -> assertThat(one).hasMessageContaining("no processor is free"));
    }

    @Test
    void ofTwoWordsTheFirstCounts() throws Exception {
        untilItIsUnknown();
        destination.say(SHUT, 0);
        sayIfItListens(1);
        assertCorrected(GuestOwner.DESTINATION, RunState.POSTMIGRATE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"cancel", "yank"})
    void afterAnOrderItCountsNoMore(String order) throws Exception {
        untilItIsUnknown();
        assertThat(order.equals("cancel") ? save.cancel() : save.yank()).as("too late").isFalse();
        sayIfItListens(1);
        untilItListensNoMore();
        assertUnknown();
        assertThat(source.state).isEqualTo(RunState.POSTMIGRATE);
        assertThat(heard).containsExactly("failed");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatIsNoWordChangesNothing(boolean garbage) throws Exception {
        untilItIsUnknown();
        if (garbage) destination.say(77, 0);
        else destination.hangUp();
        untilItListensNoMore();
        assertUnknown();
        assertThat(source.state).isEqualTo(RunState.POSTMIGRATE);
        assertThat(heard).containsExactly("failed");
    }

    @Test
    void signsOfLifeAreNoWord() throws Exception {
        untilItIsUnknown();
        for (int i = 0; i < 3; i++) destination.say(2, 7);
        destination.say(SHUT, 0);
        assertCorrected(GuestOwner.DESTINATION, RunState.POSTMIGRATE);
    }

    /** Its host has looked, and did not wait. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void aGuestThatWasResumedByHandIsLeftAlone(int word) throws Exception {
        untilItIsUnknown();
        source.enter(RunState.RUNNING);
        source.enter(RunState.PAUSED);
        sayIfItListens(word);
        untilItListensNoMore();
        assertThat(source.state).isEqualTo(RunState.PAUSED);
    }

    @Test
    void whoLeavesPostmigrateIsListenedForNoMore() throws Exception {
        untilItIsUnknown();
        source.enter(RunState.RUNNING);
        untilItListensNoMore();
        assertUnknown();
    }

    /** Sooner than its run state is looked at, it stands as it was left; but it was sent again. */
    @Test
    @Tag("OWN-40")
    void aGuestThatWasSentOnIsNotResumed() throws Exception {
        untilItIsUnknown();
        source.enter(RunState.RUNNING);
        engine.send(source, "file:" + folder.resolve("vm"), FAST).await();
        assertThat(source.state).isEqualTo(RunState.POSTMIGRATE);
        source.entered.clear();
        sayIfItListens(1);
        untilItListensNoMore();
        assertThat(source.entered).isEmpty();
    }

    /** A machine that was refused was not used. */
    @Test
    void aMigrationThatIsRefusedTakesNothingAway() throws Exception {
        untilItIsUnknown();
        assertThatThrownBy(() -> engine.send(source, "file:" + folder.resolve("vm"), FAST))
                .hasMessageContaining("'postmigrate'");
        destination.say(SHUT, 1);
        assertCorrected(GuestOwner.SOURCE, RunState.RUNNING);
    }

    @Test
    void whoHearsOfItMayBeginTheNext() throws Exception {
        untilItIsUnknown();
        CopyOnWriteArrayList<Object> next = new CopyOnWriteArrayList<>();
        save.listen(
                new MigrationListener() {
                    @Override
                    public void entered(MigrationState state) {}

                    @Override
                    public void corrected(GuestOwner owner) {
                        try {
                            next.add(engine.send(source, "file:" + folder.resolve("vm"), FAST));
                        } catch (IOException e) {
                            next.add(e);
                        }
                    }
                });
        destination.say(SHUT, 1);
        while (next.isEmpty()) LockSupport.parkNanos(200_000);
        assertThat(next.getFirst()).isInstanceOf(Migration.class);
        ((Migration) next.getFirst()).await();
    }

    @Test
    void aMachineThatCanNotGoOnSaysSo() throws Exception {
        untilItIsUnknown();
        source.refusal = MigrationException.host("its disk is gone");
        destination.say(SHUT, 1);
        assertCorrected(GuestOwner.SOURCE, RunState.POSTMIGRATE);
        assertThat(Arrays.toString(save.failure().orElseThrow().getSuppressed()))
                .contains("could not be resumed: its disk is gone");
    }

    /** It has gone on, and is the same. */
    @Test
    void itsRamIsAsItWas() throws Exception {
        RamBlock ram = source.ram().blocks().getFirst();
        byte[] before = Rams.content(ram);
        untilItIsUnknown();
        destination.say(SHUT, 1);
        assertCorrected(GuestOwner.SOURCE, RunState.RUNNING);
        assertThat(Rams.content(ram)).isEqualTo(before);
    }
}
