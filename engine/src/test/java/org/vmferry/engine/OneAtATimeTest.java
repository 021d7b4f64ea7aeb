package org.vmferry.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.doubles.Rams;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.RunState;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;

/** A machine is in one migration at a time, whichever engine's, and only in a state that fits. */
@Timeout(60)
class OneAtATimeTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final Settings FAST = Settings.NONE.parameter("max-bandwidth", "0");
    private static final Settings WAITS = FAST.capability("pause-before-switchover");

    @TempDir Path folder;
    private final Engine engine = new Engine(Plugins.builtIn());
    private final Engine other = new Engine(Plugins.builtIn());
    private final List<Migration> begun = new ArrayList<>();

    @AfterEach
    void endAll() throws Exception {
        for (Migration each : begun) {
            if (!each.cancel()) each.yank();
            assertThat(each.await(SOON)).isTrue();
        }
    }

    private static TestMachine in(RunState state) {
        return new TestMachine(state, TestMachine.heap(64, 3));
    }

    private String address(String name) {
        return "unix:" + folder.resolve(name);
    }

    private String file(String name) {
        return "file:" + folder.resolve(name);
    }

    private Migration begun(Migration migration) {
        begun.add(migration);
        return migration;
    }

    private Migration standing(TestMachine machine) throws Exception {
        Migration save = begun(engine.send(machine, file("first"), WAITS));
        while (save.state() != MigrationState.PRE_SWITCHOVER) LockSupport.parkNanos(200_000);
        return save;
    }

    private interface Beginning {
        void begin() throws IOException;
    }

    private void refused(Beginning second, String... why) throws Exception {
        List<Path> before = entries();
        assertThat(catchThrowable(second::begin))
                .isInstanceOf(MigrationException.class)
                .hasMessageContainingAll(why);
        assertThat(entries()).as("opened").isEqualTo(before);
    }

    private List<Path> entries() throws IOException {
        try (var all = Files.list(folder)) {
            return all.sorted().toList();
        }
    }

    @Test
    void whatIsSentIsNotSentAgain() throws Exception {
        TestMachine machine = TestMachine.live();
        Migration first = standing(machine);
        refused(() -> other.send(machine, file("second"), FAST), "send-1 uses the machine");
        refused(() -> engine.receive(machine, address("in"), FAST), "send-1 uses the machine");
        assertThat(machine.entered).containsExactly(RunState.FINISH_MIGRATE);
        first.proceed();
        first.await();
        assertThat(entries()).containsExactly(folder.resolve("first"));
    }

    @Test
    void whatIsReceivedIntoIsNotReceivedIntoAgain() throws Exception {
        TestMachine machine = in(RunState.PRELAUNCH);
        begun(engine.receive(machine, address("first"), FAST));
        refused(() -> other.receive(machine, address("second"), FAST), "receive-1 uses the");
        refused(() -> other.send(machine, file("second"), FAST), "receive-1 uses the machine");
        assertThat(machine.entered).isEmpty();
    }

    @Test
    void ofManyAtOnceOneIsBegun() throws Exception {
        for (int round = 0; round < 20; round++) {
            TestMachine machine = TestMachine.live();
            List<CompletableFuture<Migration>> all = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                Engine one = i % 2 == 0 ? engine : other;
                String uri = file(round + "-" + i);
                all.add(
                        CompletableFuture.supplyAsync(
                                () -> {
                                    try {
                                        return one.send(machine, uri, WAITS);
                                    } catch (MigrationException e) {
                                        return null;
                                    }
                                }));
            }
            List<Migration> accepted = new ArrayList<>();
            for (CompletableFuture<Migration> each : all) {
                if (each.get() != null) accepted.add(begun(each.get()));
            }
            assertThat(accepted).hasSize(1);
            accepted.getFirst().cancel();
        }
    }

    @Test
    void whoeverSawTheEndMayBeginAtOnce() throws Exception {
        TestMachine machine = in(RunState.PAUSED);
        for (int i = 0; i < 100; i++) {
            Migration save = begun(engine.send(machine, address("nobody"), FAST));
            while (!save.state().isFinal()) LockSupport.parkNanos(200_000);
            Migration load = begun(other.receive(machine, address("in"), FAST));
            load.cancel();
            while (!load.state().isFinal()) LockSupport.parkNanos(200_000);
        }
    }

    @Test
    void aListenerMayBeginTheNext() throws Exception {
        TestMachine machine = in(RunState.PAUSED);
        CompletableFuture<Migration> next = new CompletableFuture<>();
        Migration save = begun(engine.send(machine, file("vm"), FAST));
        save.listen(
                state -> {
                    if (state != MigrationState.COMPLETED) return;
                    try {
                        next.complete(engine.receive(machine, file("vm"), FAST));
                    } catch (IOException e) {
                        next.completeExceptionally(e);
                    }
                });
        begun(next.get()).await();
    }

    @Test
    void whateverEndedItTheMachineIsFree() throws Exception {
        TestMachine machine = TestMachine.live();
        assertThatThrownBy(() -> engine.send(machine, file("vm"), FAST.capability("colo")));
        assertThatThrownBy(() -> engine.send(machine, "nothing:here", FAST));
        Migration nobody = engine.send(machine, address("nobody"), FAST);
        assertThatThrownBy(nobody::await).isInstanceOf(MigrationException.class);
        Migration cancelled = standing(machine);
        cancelled.cancel();
        assertThatThrownBy(cancelled::await).isInstanceOf(MigrationException.class);
        engine.send(machine, file("vm"), FAST).await();

        TestMachine target = in(RunState.INMIGRATE);
        assertThatThrownBy(() -> engine.receive(target, address("no/folder"), FAST));
        assertThatThrownBy(() -> engine.receive(target, file("nothing"), FAST));
        Settings tls = FAST.parameter("tls-creds", folder.toString());
        assertThatThrownBy(() -> engine.receive(target, address("tls"), tls));
        Migration unheard = engine.receive(target, address("unheard"), FAST);
        unheard.cancel();
        assertThatThrownBy(unheard::await).isInstanceOf(MigrationException.class);
        engine.receive(target, file("vm"), FAST).await();
        assertThat(target.state).isEqualTo(RunState.RUNNING);
    }

    @Test
    void aHostThatThrowsLeavesTheMachineFree() throws Exception {
        boolean[] broken = {true};
        TestMachine machine =
                new TestMachine(RunState.PAUSED, TestMachine.heap(64, 3)) {
                    @Override
                    public RunState runState() {
                        if (broken[0]) throw new IllegalStateException("not yet");
                        return super.runState();
                    }
                };
        assertThatThrownBy(() -> engine.send(machine, file("vm"), FAST).await())
                .hasMessageContaining("not yet");
        assertThatThrownBy(() -> engine.receive(machine, address("in"), FAST))
                .hasMessageContaining("not yet");
        assertThat(entries()).isEmpty();
        broken[0] = false;
        engine.send(machine, file("vm"), FAST).await();
    }

    @Test
    void aThreadThatHangsStillUsesIt() throws Exception {
        StuckFile disk = new StuckFile(StuckFile.At.WRITE);
        TestMachine machine = TestMachine.live();
        Migration save =
                new Engine(Plugins.builtIn().plus(disk))
                        .send(machine, "stuck:" + folder.resolve("vm"), FAST);
        disk.reached.await();
        save.yank();
        assertThat(save.await(SOON)).isTrue();
        refused(
                () -> engine.send(machine, file("second"), FAST),
                "send-1 uses the machine",
                "was given up",
                "hangs");
        disk.letGo.countDown();
        long end = System.nanoTime() + SOON.toNanos();
        while (true) {
            try {
                engine.send(machine, file("second"), FAST).await();
                return;
            } catch (MigrationException e) {
                assertThat(System.nanoTime()).as(e.getMessage()).isLessThan(end);
                LockSupport.parkNanos(200_000);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"INMIGRATE", "FINISH_MIGRATE", "POSTMIGRATE"})
    void aGuestThatIsNotHereIsNotSent(RunState state) throws Exception {
        TestMachine machine = in(state);
        refused(() -> engine.send(machine, file("vm"), FAST), "'" + state.wireName() + "'");
        assertThat(machine.entered).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(
            mode = Mode.EXCLUDE,
            names = {"INMIGRATE", "FINISH_MIGRATE", "POSTMIGRATE"})
    void aGuestThatIsHereIsSent(RunState state) throws Exception {
        engine.send(in(state), file("vm"), FAST).await();
        TestMachine target = in(RunState.INMIGRATE);
        engine.receive(target, file("vm"), FAST).await();
        assertThat(target.state).isEqualTo(state);
    }

    @ParameterizedTest
    @EnumSource(names = {"RUNNING", "SUSPENDED", "FINISH_MIGRATE"})
    void aGuestThatMayRunIsNotWrittenOver(RunState state) throws Exception {
        TestMachine machine = in(state);
        refused(() -> engine.receive(machine, address("in"), FAST), "'" + state.wireName() + "'");
        assertThat(machine.entered).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(
            mode = Mode.EXCLUDE,
            names = {"RUNNING", "SUSPENDED", "FINISH_MIGRATE"})
    void aMachineThatStandsStillTakesAGuest(RunState state) throws Exception {
        engine.send(TestMachine.live(), file("vm"), FAST).await();
        TestMachine machine = in(state);
        engine.receive(machine, file("vm"), FAST).await();
        assertThat(machine.state).isEqualTo(RunState.RUNNING);
    }

    @Test
    void aGuestMayComeBack() throws Exception {
        TestMachine here = TestMachine.live();
        TestMachine there = in(RunState.INMIGRATE);
        Migration out = engine.receive(there, address("out"), FAST);
        engine.send(here, address("out"), FAST).await();
        out.await();
        assertThat(here.state).isEqualTo(RunState.POSTMIGRATE);
        Migration back = engine.receive(here, address("back"), FAST);
        engine.send(there, address("back"), FAST).await();
        back.await();
        assertThat(here.state).isEqualTo(RunState.RUNNING);
        assertThat(there.state).isEqualTo(RunState.POSTMIGRATE);
    }

    /** Its host starts it between the listening and the source's coming. */
    @Test
    void aMachineThatWasStartedMeanwhileKeepsItsGuest() throws Exception {
        Settings back = FAST.capability("return-path");
        TestMachine there = in(RunState.PAUSED);
        byte[] ram = Rams.content(there.ram().blocks().getFirst());
        Migration load = engine.receive(there, address("in"), back);
        there.enter(RunState.RUNNING);
        TestMachine here = new TestMachine(RunState.RUNNING, TestMachine.heap(64, 9));
        Migration save = engine.send(here, address("in"), back);
        assertThatThrownBy(load::await).hasMessageContaining("'running'");
        assertThatThrownBy(save::await).isInstanceOf(MigrationException.class);
        assertThat(here.state).isEqualTo(RunState.RUNNING);
        assertThat(there.entered).containsExactly(RunState.RUNNING);
        assertThat(Rams.content(there.ram().blocks().getFirst())).isEqualTo(ram);
    }

    /** As an archive does, which keeps a guest before its source gives it up. */
    @Test
    void whatHasJustArrivedMayBeSentOnFromItsOwnEnter() throws Exception {
        CompletableFuture<Migration> onwards = new CompletableFuture<>();
        TestMachine relay =
                new TestMachine(RunState.INMIGRATE, TestMachine.heap(64, 0)) {
                    @Override
                    public void enter(RunState next) throws MigrationException {
                        boolean arrived = state == RunState.INMIGRATE;
                        super.enter(arrived ? RunState.PAUSED : next);
                        if (!arrived) return;
                        assertThat(CompletableFuture.supplyAsync(this::stranger).join())
                                .contains("receive-1 uses the machine");
                        Migration save = engine.send(this, file("on"), FAST);
                        try {
                            save.await();
                        } catch (InterruptedException e) {
                            throw new AssertionError(e);
                        }
                        assertThatThrownBy(() -> other.send(this, file("no"), FAST))
                                .hasMessageContaining("'postmigrate'");
                        onwards.complete(save);
                    }

                    private String stranger() {
                        return catchThrowable(() -> other.send(this, file("no"), FAST))
                                .getMessage();
                    }
                };
        Migration load = engine.receive(relay, address("in"), FAST);
        engine.send(TestMachine.live(), address("in"), FAST).await();
        load.await();
        onwards.get().await();
        engine.receive(relay, file("on"), FAST).await(); // it is free
    }

    @Test
    void anotherMachineOfTheSameKindIsAnother() throws Exception {
        class Equal extends TestMachine {
            Equal() {
                super(RunState.PAUSED, TestMachine.heap(64, 3));
            }

            @Override
            public Optional<UUID> uuid() {
                return Optional.of(new UUID(1, 1));
            }

            @Override
            public boolean equals(Object other) {
                return other instanceof Equal;
            }

            @Override
            public int hashCode() {
                return 1;
            }
        }
        standing(new Equal());
        engine.send(new Equal(), file("second"), FAST).await();
    }
}
