package org.vmferry.it.ownership;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.it.support.Leftovers;
import org.vmferry.it.support.OneGuest;
import org.vmferry.it.support.Relay;
import org.vmferry.it.support.Relay.Deed;
import org.vmferry.it.support.Relay.Fault;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** The table of docs/ownership.md, cell by cell, with the fault made to happen there. */
@Timeout(60)
class OwnershipTest {
    private static final Duration BOUND = Duration.ofSeconds(20);
    private static final Settings PLAIN = Settings.NONE.parameter("max-bandwidth", "0");
    private static final Settings BACK = PLAIN.capability("return-path");
    private static final String LOOK = "resume it only if it does not run there";

    @TempDir Path directory;
    private final Engine engine = Engine.create();
    private final OneGuest guest = new OneGuest();
    private final OneGuest.Place here = guest.at(RunState.RUNNING);
    private final OneGuest.Place there = guest.at(RunState.INMIGRATE);
    private Relay relay;
    private Migration load;
    private Migration save;

    @AfterEach
    void neverDidBothRun() throws Exception {
        if (relay != null) relay.close();
        assertThat(guest.mostAtOnce()).as("running at once").isEqualTo(1);
        Leftovers.assertNoThreadsAtAll();
    }

    private void begin(Settings settings, Fault fault) throws IOException {
        load = engine.receive(there, "tcp:127.0.0.1:0", settings);
        relay = new Relay(load.address().toString(), fault);
        save = engine.send(here, relay.address(), settings);
    }

    /** How many bytes the source's stream has before its end: the same each time. */
    private long beforeTheEnd(Settings settings) throws Exception {
        OneGuest other = new OneGuest();
        Migration to = engine.receive(other.at(RunState.INMIGRATE), "tcp:127.0.0.1:0", settings);
        try (Relay counting = new Relay(to.address().toString(), Fault.NONE)) {
            engine.send(other.at(RunState.RUNNING), counting.address(), settings).await();
            to.await();
            return counting.passedBeforeTheEnd();
        }
    }

    private static void assertEnd(
            Migration migration, MigrationState state, GuestOwner owner, String... said)
            throws Exception {
        assertThat(migration.await(BOUND)).as("%s ends", migration.name()).isTrue();
        assertThat(migration.state()).isEqualTo(state);
        assertThat(migration.owner()).isEqualTo(owner);
        MigrationException failure =
                catchThrowableOfType(MigrationException.class, migration::await);
        if (said.length > 0) assertThat(failure).hasMessageContainingAll(said);
        else assertThat(failure).isNull();
    }

    private void until(Migration migration, MigrationState state) {
        while (migration.state() != state) {
            assertThat(migration.state().isFinal()).as("ended early").isFalse();
            LockSupport.parkNanos(200_000);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 10, 60_000, 2_000_000})
    @Tag("OWN-1")
    void theLinkIsCutInARound(long after) throws Exception {
        here.restless();
        begin(PLAIN.parameter("downtime-limit", "0"), new Fault(0, false, after, Deed.CUT));
        assertEnd(save, MigrationState.FAILED, GuestOwner.SOURCE, "tcp:127.0.0.1");
        if (after == 0) load.cancel(); // it was nobody's connection: who listens goes on
        assertThat(load.await(BOUND)).isTrue();
        assertThat(load.owner()).isEqualTo(GuestOwner.SOURCE);
        assertThat(here.entered).isEmpty();
        assertThat(there.entered).isEmpty();
    }

    @Test
    @Tag("OWN-1")
    void theDestinationGivesUpInARound() throws Exception {
        here.restless();
        begin(PLAIN.parameter("downtime-limit", "0"), Fault.NONE);
        until(load, MigrationState.ACTIVE);
        load.cancel();
        assertEnd(save, MigrationState.FAILED, GuestOwner.SOURCE, "tcp:127.0.0.1");
        assertEnd(load, MigrationState.CANCELLED, GuestOwner.SOURCE, "cancelled");
        assertThat(here.entered).isEmpty();
        assertThat(there.entered).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Tag("OWN-2")
    void theLinkIsCutBeforeTheEnd(boolean back) throws Exception {
        begin((back ? BACK : PLAIN).capability("pause-before-switchover"), Fault.NONE);
        until(save, MigrationState.PRE_SWITCHOVER);
        until(load, MigrationState.ACTIVE);
        relay.cut();
        assertThat(load.await(BOUND)).isTrue();
        save.proceed();
        assertEnd(save, MigrationState.FAILED, GuestOwner.SOURCE, "");
        assertEnd(load, MigrationState.FAILED, GuestOwner.SOURCE, "");
        assertThat(here.entered).containsExactly(RunState.FINISH_MIGRATE, RunState.RUNNING);
        assertThat(there.entered).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(names = {"RUNNING", "SHUTDOWN"})
    @Tag("OWN-41")
    void itsHostLetsThePausedSourceEnterAnotherState(RunState next) throws Exception {
        begin(BACK.capability("pause-before-switchover"), Fault.NONE);
        until(save, MigrationState.PRE_SWITCHOVER);
        here.enter(next);
        save.proceed();
        assertEnd(save, MigrationState.FAILED, GuestOwner.SOURCE, "'" + next.wireName() + "'");
        assertEnd(load, MigrationState.FAILED, GuestOwner.SOURCE, "");
        assertThat(here.entered).containsExactly(RunState.FINISH_MIGRATE, next);
        assertThat(there.entered).isEmpty();
    }

    @Test
    @Tag("OWN-4")
    void whatWasSentDoesNotArrive() throws Exception {
        begin(PLAIN, new Fault(0, false, beforeTheEnd(PLAIN), Deed.SWALLOW));
        assertEnd(save, MigrationState.COMPLETED, GuestOwner.DESTINATION);
        // Cut before it has read RAM's end, it sees what it would see in a round (OWN-1).
        while (load.owner() != GuestOwner.UNKNOWN) LockSupport.parkNanos(200_000);
        relay.cut();
        assertEnd(load, MigrationState.FAILED, GuestOwner.UNKNOWN, "");
        assertThat(here.runState()).isEqualTo(RunState.POSTMIGRATE);
        assertThat(there.entered).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Tag("OWN-4")
    void theDestinationFailsAndCannotSaySo(boolean inTheEnd) throws Exception {
        there.refuses("no processor is free", inTheEnd);
        begin(PLAIN, Fault.NONE);
        assertEnd(load, MigrationState.FAILED, GuestOwner.UNKNOWN, "no processor is free");
        assertThat(save.await(BOUND)).isTrue();
        if (inTheEnd) assertEnd(save, MigrationState.COMPLETED, GuestOwner.DESTINATION);
        assertThat(there.entered).isEmpty();
    }

    @Test
    @Tag("OWN-5")
    void theLinkIsCutWhenTheDestinationHasEverything() throws Exception {
        // EOF is passed on, and nothing behind it.
        begin(PLAIN, new Fault(0, false, beforeTheEnd(PLAIN) + 1, Deed.SWALLOW));
        relay.done.await();
        assertEnd(load, MigrationState.COMPLETED, GuestOwner.DESTINATION);
        relay.cut();
        assertEnd(save, MigrationState.COMPLETED, GuestOwner.DESTINATION);
        assertEnd(load, MigrationState.COMPLETED, GuestOwner.DESTINATION);
        assertThat(here.runState()).isEqualTo(RunState.POSTMIGRATE);
        assertThat(there.runState()).isEqualTo(RunState.RUNNING);
    }

    @Test
    @Tag("OWN-6")
    void theEndIsLost() throws Exception {
        begin(BACK, new Fault(0, false, beforeTheEnd(BACK), Deed.SWALLOW));
        relay.done.await();
        while (save.owner() == GuestOwner.SOURCE)
            LockSupport.parkNanos(200_000); // the PING is answered first
        relay.cut();
        assertEnd(save, MigrationState.FAILED, GuestOwner.UNKNOWN, LOOK);
        assertEnd(load, MigrationState.FAILED, GuestOwner.SOURCE, "");
        assertThat(here.runState()).isEqualTo(RunState.POSTMIGRATE);
        assertThat(there.entered).isEmpty();
    }

    /** After three PONGs comes the SHUT, which is lost. */
    private static final Fault WORDLESS = new Fault(0, true, 24, Deed.SWALLOW);

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Tag("OWN-6")
    void theDestinationsWordIsLost(boolean yank) throws Exception {
        begin(BACK, WORDLESS);
        assertEnd(load, MigrationState.COMPLETED, GuestOwner.DESTINATION);
        assertThat(save.state()).isEqualTo(MigrationState.DEVICE);
        assertThat(save.owner()).isEqualTo(GuestOwner.UNKNOWN);
        assertThat(here.runState()).isEqualTo(RunState.FINISH_MIGRATE);
        if (yank) assertThat(save.yank()).isTrue();
        else relay.cut();
        assertEnd(save, MigrationState.FAILED, GuestOwner.UNKNOWN, LOOK);
        assertThat(here.runState()).isEqualTo(RunState.POSTMIGRATE);
        assertThat(there.runState()).isEqualTo(RunState.RUNNING);
    }

    @Test
    @Tag("OWN-7")
    void theDestinationSaysThatItRuns() throws Exception {
        begin(BACK, Fault.NONE);
        assertEnd(save, MigrationState.COMPLETED, GuestOwner.DESTINATION);
        assertEnd(load, MigrationState.COMPLETED, GuestOwner.DESTINATION);
        assertThat(here.entered).containsExactly(RunState.FINISH_MIGRATE, RunState.POSTMIGRATE);
        assertThat(there.runState()).isEqualTo(RunState.RUNNING);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Tag("OWN-8")
    void theDestinationFails(boolean inTheEnd) throws Exception {
        there.refuses(inTheEnd ? "no processor is free" : "the device is of glass", inTheEnd);
        begin(BACK, Fault.NONE);
        String reason = inTheEnd ? "no processor is free" : "the device is of glass";
        assertEnd(load, MigrationState.FAILED, GuestOwner.SOURCE, reason);
        assertEnd(
                save,
                MigrationState.FAILED,
                GuestOwner.SOURCE,
                "the destination failed to load the machine: ",
                reason);
        assertThat(here.runState()).isEqualTo(RunState.RUNNING);
        assertThat(there.entered).isEmpty();
    }

    /** The source, in a process of its own: says when it stands before the switch-over. */
    static final class Child {
        public static void main(String[] arguments) throws Exception {
            OneGuest guest = new OneGuest();
            Settings settings = BACK;
            if (arguments[1].equals("pause")) {
                settings = settings.capability("pause-before-switchover");
            }
            Migration save =
                    Engine.create().send(guest.at(RunState.RUNNING), arguments[0], settings);
            save.listen(state -> System.out.println(state.wireName()));
            while (System.in.read() >= 0) {}
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Tag("OWN-9")
    void theSourceIsKilled(boolean hasEverything) throws Exception {
        here.enter(RunState.POSTMIGRATE); // it runs in the child
        load = engine.receive(there, "tcp:127.0.0.1:0", BACK.capability("pause-before-switchover"));
        relay = new Relay(load.address().toString(), WORDLESS);
        Process source =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Child.class.getName(),
                                relay.address(),
                                hasEverything ? "go" : "pause")
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        try {
            String last = hasEverything ? "device" : "pre-switchover";
            for (String said = ""; !said.equals(last); ) {
                said = source.inputReader().readLine();
                assertThat(said).as("before %s", last).isNotNull();
            }
            if (hasEverything) assertThat(load.await(BOUND)).isTrue();
        } finally {
            source.destroyForcibly().waitFor(); // SIGKILL
        }
        if (hasEverything) {
            assertEnd(load, MigrationState.COMPLETED, GuestOwner.DESTINATION);
            assertThat(there.runState()).isEqualTo(RunState.RUNNING);
        } else {
            assertEnd(load, MigrationState.FAILED, GuestOwner.SOURCE, "");
            assertThat(there.entered).isEmpty();
        }
    }

    @Test
    @Tag("OWN-10")
    @Tag("OWN-11")
    void aSnapshotIsTheSourcesUntilItIsWhole() throws Exception {
        String uri = "file:" + directory.resolve("vm");
        save = engine.send(here, uri, PLAIN.capability("pause-before-switchover"));
        until(save, MigrationState.PRE_SWITCHOVER);
        save.cancel();
        assertEnd(save, MigrationState.CANCELLED, GuestOwner.SOURCE, "cancelled");
        assertThat(here.runState()).isEqualTo(RunState.RUNNING);
        assertThat(directory).isEmptyDirectory();

        save = engine.send(here, uri, PLAIN);
        assertEnd(save, MigrationState.COMPLETED, GuestOwner.SNAPSHOT);
        assertThat(here.runState()).isEqualTo(RunState.POSTMIGRATE);
        OneGuest.Place broken = guest.at(RunState.INMIGRATE);
        broken.refuses("no processor is free", true);
        load = engine.receive(broken, uri, PLAIN);
        assertEnd(load, MigrationState.FAILED, GuestOwner.SNAPSHOT, "no processor is free");
        load = engine.receive(there, uri, PLAIN);
        assertEnd(load, MigrationState.COMPLETED, GuestOwner.DESTINATION);
    }
}
