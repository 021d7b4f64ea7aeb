package org.vmferry.it.faults;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.it.support.Leftovers;
import org.vmferry.it.support.OneGuest;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.tls.TestCertificates;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;

/**
 * Either end is cancelled at random moments, many times over: over every transport, with and
 * without channels, TLS, a return path and a pause before the switch-over.
 */
class CancelTest {
    private static final Duration BOUND = Duration.ofSeconds(20);

    /** What may follow each state; written down here once more. */
    private static final Map<MigrationState, List<MigrationState>> LEGAL =
            Map.of(
                    MigrationState.NONE,
                    List.of(MigrationState.SETUP, MigrationState.CANCELLING),
                    MigrationState.SETUP,
                    List.of(
                            MigrationState.ACTIVE,
                            MigrationState.FAILED,
                            MigrationState.CANCELLING),
                    MigrationState.ACTIVE,
                    List.of(
                            MigrationState.PRE_SWITCHOVER,
                            MigrationState.DEVICE,
                            MigrationState.COMPLETED,
                            MigrationState.FAILED,
                            MigrationState.CANCELLING),
                    MigrationState.PRE_SWITCHOVER,
                    List.of(
                            MigrationState.DEVICE,
                            MigrationState.FAILED,
                            MigrationState.CANCELLING),
                    MigrationState.DEVICE,
                    List.of(
                            MigrationState.COMPLETED,
                            MigrationState.FAILED,
                            MigrationState.CANCELLING),
                    MigrationState.CANCELLING,
                    List.of(MigrationState.CANCELLED),
                    MigrationState.COMPLETED,
                    List.of(),
                    MigrationState.FAILED,
                    List.of(),
                    MigrationState.CANCELLED,
                    List.of());

    @TempDir Path directory;
    private final Engine engine = Engine.create();
    private final Map<MigrationState, Integer> cancelledIn = new EnumMap<>(MigrationState.class);
    private int tooLate;
    private Random random;

    @Test
    void eightyTimes() throws Exception {
        cancel(80);
    }

    @Test
    @Tag("stress")
    @Timeout(1200)
    void aThousandTimes() throws Exception {
        cancel(1000);
    }

    private void cancel(int times) throws Exception {
        Path folder = TestCertificates.in(directory.resolve("pki")).folder();
        Settings tls =
                Settings.NONE
                        .parameter("tls-creds", folder.toString())
                        .parameter("tls-hostname", TestCertificates.HOST);
        long descriptors = 0;
        for (int i = 0; i < times; i++) {
            random = new Random(i);
            try {
                once(i, tls);
            } catch (Exception | AssertionError e) {
                throw new AssertionError("number " + i, e);
            }
            Leftovers.assertNoThreads();
            if (i == 60) descriptors = Leftovers.descriptors(); // what is loaded once is loaded
        }
        assertThat(Leftovers.descriptors()).as("descriptors").isLessThanOrEqualTo(descriptors);
        assertThat(cancelledIn)
                .containsKeys(
                        MigrationState.SETUP,
                        MigrationState.ACTIVE,
                        MigrationState.PRE_SWITCHOVER,
                        MigrationState.DEVICE);
        assertThat(tooLate).isPositive();
    }

    /** All three transports in turn, the rest by chance. */
    private void once(int number, Settings tls) throws Exception {
        boolean file = number % 3 == 0;
        boolean multifd = random.nextBoolean();
        boolean atSource = random.nextBoolean();
        boolean slow = random.nextBoolean();
        Settings settings = Settings.NONE.parameter("max-bandwidth", slow ? "50000000" : "0");
        if (multifd) settings = settings.capability("multifd");
        if (file && (multifd || number % 2 == 0)) settings = settings.capability("mapped-ram");
        if (!file && random.nextBoolean()) settings = settings.plus(tls);
        if (!file && random.nextBoolean()) settings = settings.capability("return-path");
        boolean pause = random.nextBoolean();
        if (pause) settings = settings.capability("pause-before-switchover");

        OneGuest guest = new OneGuest();
        OneGuest.Place here = guest.at(RunState.RUNNING);
        OneGuest.Place there = guest.at(RunState.INMIGRATE);
        boolean restless = random.nextInt(3) == 0;
        if (restless) {
            here.restless();
            settings = settings.parameter("downtime-limit", "0");
        }
        Path name = directory.resolve("vm");
        if (file) {
            String uri = "file:" + name;
            if (atSource) {
                Migration save = engine.send(here, uri, settings);
                cancelled(save, pause, !restless && !slow);
                assertGuest(save, here);
                assertThat(Files.exists(name)).isEqualTo(save.owner() == GuestOwner.SNAPSHOT);
            } else {
                OneGuest.Place saved = guest.at(RunState.PAUSED);
                engine.send(saved, uri, settings.capability("pause-before-switchover", false))
                        .await();
                Migration load = engine.receive(there, uri, settings);
                cancelled(load, false, false);
                boolean completed = load.state() == MigrationState.COMPLETED;
                assertThat(there.entered).hasSize(completed ? 1 : 0);
            }
            Files.deleteIfExists(name);
        } else {
            String uri = number % 3 == 1 ? "tcp:127.0.0.1:0" : "unix:" + name;
            Migration load = engine.receive(there, uri, settings);
            Migration save = engine.send(here, load.address().toString(), settings);
            if (atSource) {
                cancelled(save, pause, !restless && !slow);
                // If the source never got to it, the destination goes on waiting.
                if (save.state() != MigrationState.COMPLETED) load.cancel();
            } else {
                if (pause) save.proceed();
                cancelled(load, false, false);
                if (load.state() != MigrationState.COMPLETED) save.cancel();
            }
            assertThat(save.await(BOUND)).isTrue();
            assertThat(load.await(BOUND)).isTrue();
            assertGuest(save, here);
            boolean completed = load.state() == MigrationState.COMPLETED;
            assertThat(there.entered).hasSize(completed ? 1 : 0);
            if (save.owner() == GuestOwner.SOURCE) assertThat(there.entered).isEmpty();
        }
        assertThat(guest.mostAtOnce()).as("running at once").isEqualTo(1);
        try (var files = Files.list(directory)) {
            assertThat(files).containsExactly(directory.resolve("pki"));
        }
    }

    /** One that comes to its end soon is waited for, however long it takes. */
    private void cancelled(Migration migration, boolean pause, boolean ends) throws Exception {
        List<MigrationState> states = new CopyOnWriteArrayList<>();
        migration.listen(states::add);
        MigrationState target =
                List.of(
                                MigrationState.SETUP,
                                MigrationState.ACTIVE,
                                MigrationState.PRE_SWITCHOVER,
                                MigrationState.DEVICE)
                        .get(random.nextInt(4));
        boolean comes = ends && (pause || target != MigrationState.PRE_SWITCHOVER);
        // A destination never comes to some of them, and a restless source stays active.
        long end = System.nanoTime() + random.nextInt(40_000_000);
        while (migration.state().compareTo(target) < 0 && (comes || System.nanoTime() < end)) {
            if (pause && target == MigrationState.DEVICE) migration.proceed();
            LockSupport.parkNanos(50_000); // it needs a processor for itself
        }
        long until = System.nanoTime() + random.nextInt(400_000);
        while (System.nanoTime() < until) Thread.onSpinWait();
        MigrationState before = migration.state();
        boolean won = migration.cancel();
        if (won) cancelledIn.merge(before, 1, Integer::sum);
        else tooLate++;
        if (!won && pause) migration.proceed();
        assertThat(migration.await(BOUND)).as("it ends").isTrue();
        if (won) assertThat(migration.state()).isEqualTo(MigrationState.CANCELLED);
        else assertThat(migration.state()).isNotEqualTo(MigrationState.CANCELLED);
        assertLegal(states);
    }

    private static void assertLegal(List<MigrationState> states) {
        while (states.isEmpty() || !states.getLast().isFinal()) LockSupport.parkNanos(200_000);
        MigrationState last = MigrationState.NONE;
        for (MigrationState next : states) {
            assertThat(LEGAL.get(last)).as("%s", states).contains(next);
            last = next;
        }
    }

    private static void assertGuest(Migration save, OneGuest.Place here) {
        RunState is =
                switch (save.owner()) {
                    case SOURCE -> RunState.RUNNING;
                    case DESTINATION, UNKNOWN, SNAPSHOT -> RunState.POSTMIGRATE;
                };
        assertThat(here.runState()).as("%s, %s", save.state(), save.owner()).isEqualTo(is);
    }
}
