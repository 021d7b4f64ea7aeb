package org.vmferry.it.qmp;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.json.Json;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.qmp.QmpServer;
import org.vmferry.it.support.Guests;
import org.vmferry.it.support.Leftovers;
import org.vmferry.it.support.Relay;
import org.vmferry.it.support.Relay.Deed;
import org.vmferry.it.support.Relay.Fault;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** cont after a migration: the guest goes on here, unless it is known to be elsewhere, or not. */
@Timeout(60)
class ContTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final Settings PLAIN = Settings.NONE.parameter("max-bandwidth", "0");
    private static final Settings BACK = PLAIN.capability("return-path");

    @TempDir Path folder;
    private final Engine engine = Engine.create();
    private final ReferenceMachine here = machine();
    private final ReferenceMachine there = machine();
    private QmpServer server;
    private RawQmp client;
    private Relay relay;

    private static ReferenceMachine machine() {
        return ReferenceMachine.builder().ram(4 << 20).dirtyWindow(64).build();
    }

    @AfterEach
    void close() throws Exception {
        if (client != null) client.close();
        if (server != null) server.close();
        if (relay != null) relay.close();
        here.close();
        there.close();
    }

    private void listen() throws Exception {
        here.enter(RunState.RUNNING);
        server = QmpServer.listen(engine, here, folder.resolve("qmp"));
        client = new RawQmp(folder.resolve("qmp"));
        client.next();
        ask("qmp_capabilities", Map.of());
        ask("migrate-set-parameters", Map.of("max-bandwidth", 0));
    }

    private Map<String, Object> ask(String command, Map<String, ?> arguments) throws Exception {
        client.send(Json.write(Map.of("execute", command, "arguments", arguments)));
        Map<String, Object> answer = client.next();
        while (answer.containsKey("event")) answer = client.next();
        return answer;
    }

    private void returnPath(boolean on) throws Exception {
        ask(
                "migrate-set-capabilities",
                Map.of("capabilities", List.of(Map.of("capability", "return-path", "state", on))));
    }

    private void migrate(String uri, String end) throws Exception {
        assertThat(ask("migrate", Map.of("uri", uri))).containsKey("return");
        untilItIs(end);
    }

    private void untilItIs(String end) throws Exception {
        long deadline = System.nanoTime() + SOON.toNanos();
        for (Object state = ""; !end.equals(state); LockSupport.parkNanos(200_000)) {
            assertThat(System.nanoTime()).as("%s in time, not %s", end, state).isLessThan(deadline);
            state = ((Map<?, ?>) ask("query-migrate", Map.of()).get("return")).get("status");
        }
        assertThat(here.runState()).isEqualTo(RunState.POSTMIGRATE);
    }

    private void runsThereOnly() {
        long before = here.instructions();
        Guests.assertRuns(there);
        assertThat(here.instructions()).isEqualTo(before);
    }

    private void goesOn(Map<String, ?> arguments) throws Exception {
        assertThat(ask("cont", arguments)).containsKey("return");
        Guests.assertRuns(here);
    }

    private void isRefused(String why) throws Exception {
        long before = here.instructions();
        Map<?, ?> error = (Map<?, ?>) ask("cont", Map.of()).get("error");
        assertThat((String) error.get("desc")).contains(why, "\"vmferry-take-back\": true");
        assertThat(ask("cont", Map.of("vmferry-take-back", false))).containsKey("error");
        assertThat(here.runState()).isEqualTo(RunState.POSTMIGRATE);
        assertThat(here.instructions()).isEqualTo(before);
    }

    private static final Map<String, ?> TAKE_BACK = Map.of("vmferry-take-back", true);

    @Test
    @Tag("OWN-11")
    void afterASnapshotItGoesOn() throws Exception {
        listen();
        for (int i = 0; i < 2; i++) {
            migrate("file:" + folder.resolve("vm"), "completed");
            goesOn(Map.of());
        }
    }

    @Test
    @Tag("OWN-4")
    @Tag("OWN-20")
    void whatNobodyConfirmedGoesOnAsInAQemu() throws Exception {
        listen();
        Migration load = engine.receive(there, "tcp:127.0.0.1:0", PLAIN);
        // The destination misses the last of it, and the source can't know.
        relay = new Relay(load.address().toString(), new Fault(0, false, 1000, Deed.SWALLOW));
        migrate(relay.address(), "completed");
        relay.cut();
        assertThat(load.await(SOON)).isTrue();
        goesOn(Map.of());
        assertThat(there.instructions()).isZero();
    }

    @Test
    @Tag("OWN-7")
    @Tag("OWN-21")
    void whatTheDestinationConfirmedStaysThere() throws Exception {
        listen();
        returnPath(true);
        Migration load = engine.receive(there, "tcp:127.0.0.1:0", BACK);
        migrate(load.address().toString(), "completed");
        load.await();
        isRefused("has confirmed that it has the guest");
        runsThereOnly();
        there.enter(RunState.SHUTDOWN); // it is lost there
        goesOn(TAKE_BACK);
        returnPath(false);
        // What was said of that migration does not count for the next.
        migrate("file:" + folder.resolve("vm"), "completed");
        goesOn(Map.of());
    }

    @Test
    @Tag("OWN-6")
    @Tag("OWN-21")
    void whatMayRunThereStaysUntilSomebodyHasLooked() throws Exception {
        listen();
        returnPath(true);
        Migration load = engine.receive(there, "tcp:127.0.0.1:0", BACK);
        // All goes forth. Three PONGs come back, and no SHUT.
        relay = new Relay(load.address().toString(), new Fault(0, true, 24, Deed.SWALLOW));
        assertThat(ask("migrate", Map.of("uri", relay.address()))).containsKey("return");
        load.await();
        relay.cut();
        untilItIs("failed");
        isRefused("The link was lost at the end");
        runsThereOnly();
        there.enter(RunState.SHUTDOWN);
        goesOn(TAKE_BACK);
    }

    /** The destination's word does not come before the source has given up waiting for it. */
    private void migrateAndHearNothing(Machine to) throws Exception {
        listen();
        returnPath(true);
        Migration load = engine.receive(to, "tcp:127.0.0.1:0", BACK);
        relay = new Relay(load.address().toString(), Fault.NONE);
        assertThat(ask("migrate", Map.of("uri", relay.address()))).containsKey("return");
        assertThat(begins.await(20, TimeUnit.SECONDS)).isTrue();
        ask("migrate-set-parameters", Map.of("silence-timeout", 200));
        untilItIs("failed");
        assertThat(load.await(SOON)).isTrue();
        isRefused("The link was lost at the end");
    }

    private final CountDownLatch begins = new CountDownLatch(1);

    /** The machine there, whose word is kept on its way, and which may not be able to begin. */
    private Machine thereWithItsWordKept(boolean refuses) {
        return (Machine)
                Proxy.newProxyInstance(
                        Machine.class.getClassLoader(),
                        new Class<?>[] {Machine.class},
                        (proxy, method, arguments) -> {
                            if (method.getName().equals("enter")) {
                                relay.hold();
                                begins.countDown();
                                if (refuses) throw MigrationException.host("it has no disk");
                            }
                            return method.invoke(there, arguments);
                        });
    }

    private void untilItSays(String why) throws Exception {
        long deadline = System.nanoTime() + SOON.toNanos();
        for (String said = ""; !said.contains(why); LockSupport.parkNanos(200_000)) {
            assertThat(System.nanoTime()).as(said).isLessThan(deadline);
            said = ask("query-migrate", Map.of()).get("return").toString();
            assertThat(said).contains("failed");
        }
    }

    @Test
    @Tag("OWN-38")
    void whatIsConfirmedLateStaysThere() throws Exception {
        migrateAndHearNothing(thereWithItsWordKept(false));
        relay.letGo();
        untilItSays("runs the guest");
        isRefused("has confirmed that it has the guest");
        runsThereOnly();
    }

    @Test
    @Tag("OWN-39")
    void whatIsRefusedLateGoesOnHere() throws Exception {
        migrateAndHearNothing(thereWithItsWordKept(true));
        long arrived = there.instructions();
        relay.letGo();
        untilItSays("it has no disk");
        while (here.runState() != RunState.RUNNING) LockSupport.parkNanos(200_000);
        assertThat(ask("cont", Map.of())).containsKey("return");
        Guests.assertRuns(here);
        assertThat(there.instructions()).isEqualTo(arrived);
    }

    /** What comes after the operator's word does not undo it. */
    @Test
    @Tag("OWN-40")
    void whatWasTakenBackHearsNoLateWord() throws Exception {
        migrateAndHearNothing(thereWithItsWordKept(true));
        goesOn(TAKE_BACK);
        ask("stop", Map.of());
        relay.letGo();
        Leftovers.assertNoThreads();
        assertThat(here.runState()).isEqualTo(RunState.PAUSED);
        returnPath(false);
        migrate("file:" + folder.resolve("vm"), "completed");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @Tag("OWN-40")
    void aCancelOrTheServersEndEndsTheListening(boolean cancel) throws Exception {
        migrateAndHearNothing(thereWithItsWordKept(true));
        if (cancel) ask("migrate_cancel", Map.of());
        else server.close();
        Leftovers.assertNoThreads();
        relay.letGo();
        assertThat(here.runState()).isEqualTo(RunState.POSTMIGRATE);
    }

    @Test
    @Tag("OWN-21")
    void whatTheHostSentItselfQmpDoesNotTakeBackUnasked() throws Exception {
        listen();
        Migration load = engine.receive(there, "tcp:127.0.0.1:0", BACK);
        engine.send(here, load.address().toString(), BACK).await();
        load.await();
        isRefused("was sent without QMP");
        runsThereOnly();
        there.enter(RunState.SHUTDOWN);
        goesOn(TAKE_BACK);
    }

    @Test
    @Tag("OWN-18")
    void whatIsBeingLoadedIsNotStarted() throws Exception {
        listen();
        here.enter(RunState.PAUSED);
        Migration load = engine.receive(here, "tcp:127.0.0.1:0", PLAIN);
        for (Map<String, ?> arguments : List.of(Map.<String, Object>of(), TAKE_BACK)) {
            assertThat(ask("cont", arguments).toString()).contains("is being loaded into");
        }
        assertThat(here.runState()).isEqualTo(RunState.PAUSED);
        load.cancel();
        assertThat(load.await(SOON)).isTrue();
        goesOn(Map.of());
    }

    @Test
    @Tag("OWN-17")
    void whatAnotherSocketSendsIsNotSentAgain() throws Exception {
        listen();
        ask("migrate-set-parameters", Map.of("max-bandwidth", 10_000));
        Migration load = engine.receive(there, "tcp:127.0.0.1:0", PLAIN);
        assertThat(ask("migrate", Map.of("uri", load.address().toString()))).containsKey("return");
        RawQmp first = client;
        try (first;
                QmpServer second = QmpServer.listen(Engine.create(), here, folder.resolve("2"));
                RawQmp at = new RawQmp(folder.resolve("2"))) {
            client = at;
            client.next();
            ask("qmp_capabilities", Map.of());
            String uri = "file:" + folder.resolve("vm");
            assertThat(ask("migrate", Map.of("uri", uri)).toString())
                    .contains("uses the machine: it can be in one migration at a time");
            Guests.assertRuns(here);
        }
        assertThat(folder.resolve("vm")).doesNotExist();
    }
}
