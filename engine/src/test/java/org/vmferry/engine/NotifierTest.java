package org.vmferry.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Mode;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.notifier.MigrationEvent;
import org.vmferry.spi.notifier.MigrationInfo;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.notifier.MigrationVeto;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Parameter;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;

/** Who is told of a migration, and may forbid it. */
class NotifierTest {
    @TempDir Path folder;

    private String file() {
        return "file:" + folder.resolve("vm");
    }

    private static final class Listener implements MigrationNotifier {
        private final String id;
        private final Set<Mode> modes;
        private final List<String> heard;
        private final RuntimeException bug;
        private final boolean veto;

        Listener(String id, List<String> heard, boolean veto, RuntimeException bug, Mode... modes) {
            this.id = id;
            this.heard = heard;
            this.veto = veto;
            this.bug = bug;
            this.modes = Set.of(modes);
        }

        @Override
        public String id() {
            return id;
        }

        @Override
        public Set<Mode> modes() {
            return modes;
        }

        @Override
        public void notify(MigrationEvent event) throws MigrationVeto {
            heard.add(id + " " + event.getClass().getSimpleName());
            if (veto) throw new MigrationVeto("a device is passed through");
            if (bug != null) throw bug;
        }
    }

    private final List<String> heard = Collections.synchronizedList(new ArrayList<>());

    private Engine engine(MigrationNotifier... notifiers) {
        return new Engine(Plugins.discover().plus(notifiers));
    }

    private Listener listener(String id) {
        return new Listener(id, heard, false, null, Mode.NORMAL);
    }

    @Test
    void notifiersAreTold() throws Exception {
        Engine engine =
                engine(
                        listener("one"),
                        new Listener(
                                "buggy",
                                heard,
                                false,
                                new IllegalStateException("bug"),
                                Mode.NORMAL),
                        new Listener("cpr", heard, false, null, Mode.CPR_REBOOT));
        engine.send(TestMachine.live(), file(), Settings.NONE).await();
        assertThat(heard)
                .containsExactly(
                        "one PrecopySetup",
                        "buggy PrecopySetup",
                        "one PrecopyDone",
                        "buggy PrecopyDone");
    }

    @Test
    void aVetoIsHeardByThoseToldBefore() throws Exception {
        Engine engine =
                engine(
                        listener("one"),
                        listener("two"),
                        new Listener("vetoing", heard, true, null, Mode.NORMAL),
                        listener("never"));
        TestMachine machine = TestMachine.live();
        Migration migration = engine.send(machine, file(), Settings.NONE);
        assertThatExceptionOfType(MigrationException.class)
                .isThrownBy(migration::await)
                .withMessageContaining("vetoing")
                .withMessageContaining("a device is passed through");
        assertThat(heard)
                .containsExactly(
                        "one PrecopySetup",
                        "two PrecopySetup",
                        "vetoing PrecopySetup",
                        "one PrecopyFailed",
                        "two PrecopyFailed");
        assertThat(machine.entered).isEmpty();
        assertThat(Files.list(folder)).isEmpty();
    }

    @Test
    void aFailureIsHeard() throws Exception {
        TestMachine machine = TestMachine.live();
        Migration migration =
                engine(listener("one")).send(machine, "tcp:127.0.0.1:1", Settings.NONE);
        assertThatExceptionOfType(MigrationException.class).isThrownBy(migration::await);
        assertThat(heard).containsExactly("one PrecopySetup", "one PrecopyFailed");
    }

    /** Whatever it throws: it forbids if it fails closed, and else is logged. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void oneRuleIsForExceptionsAndErrors(boolean closed) throws Exception {
        for (Throwable thrown :
                List.of(
                        new IllegalStateException("no database"),
                        new NoClassDefFoundError("org/example/Database"),
                        new OutOfMemoryError("on purpose"))) {
            heard.clear();
            Engine engine = engine(listener("one"), new Thrower("guard", closed, thrown, heard));
            Migration migration = engine.send(TestMachine.live(), file(), Settings.NONE);
            if (!closed) {
                migration.await();
                assertThat(heard)
                        .containsExactly(
                                "one PrecopySetup",
                                "guard PrecopySetup",
                                "one PrecopyDone",
                                "guard PrecopyDone");
                Files.delete(folder.resolve("vm"));
                continue;
            }
            assertThatExceptionOfType(MigrationException.class)
                    .isThrownBy(migration::await)
                    .withMessageContainingAll("notifier 'guard'", "fails closed")
                    .withMessageContaining(thrown.getMessage());
            assertThat(heard)
                    .containsExactly("one PrecopySetup", "guard PrecopySetup", "one PrecopyFailed");
            assertThat(Files.list(folder)).isEmpty();
        }
    }

    /** Throws at every event, and hears all. */
    private record Thrower(String id, boolean failsClosed, Throwable thrown, List<String> heard)
            implements MigrationNotifier {
        @Override
        public void notify(MigrationEvent event) {
            heard.add(id + " " + event.getClass().getSimpleName());
            if (thrown instanceof Error error) throw error;
            throw (RuntimeException) thrown;
        }
    }

    private static final Parameter<String> TICKET = Parameter.text("ticket");

    /** Hears of everything, and keeps what it was told of each migration. */
    private static final class Curious implements MigrationNotifier {
        final List<String> heard = Collections.synchronizedList(new ArrayList<>());
        private boolean vetoes;

        @Override
        public String id() {
            return "curious";
        }

        @Override
        public List<Option<?>> options() {
            return List.of(TICKET);
        }

        @Override
        public boolean hears(MigrationInfo migration) {
            return true;
        }

        @Override
        public void notify(MigrationEvent event) throws MigrationVeto {
            MigrationInfo migration = event.migration();
            heard.add(
                    String.join(
                            " ",
                            event.getClass().getSimpleName().substring("Precopy".length()),
                            migration.name(),
                            migration.direction().toString(),
                            migration.kind().toString(),
                            migration.address().toString(),
                            migration.options().get(TICKET)));
            if (vetoes && migration.direction() == MigrationInfo.Direction.INCOMING)
                throw new MigrationVeto("the house is full");
        }
    }

    @Test
    void itIsToldWhichMigrationAndOfItsOwnOptions() throws Exception {
        Curious curious = new Curious();
        Engine engine = engine(curious, listener("plain"));
        Settings settings = Settings.NONE.parameter("ticket", "T-17");
        engine.send(TestMachine.live(), file(), settings).await();
        TestMachine restored = target();
        engine.receive(restored, file(), Settings.NONE).await();
        Migration incoming = engine.receive(target(), "tcp:127.0.0.1:0", settings);
        String address = incoming.address().toString();
        engine.send(TestMachine.live(), address, settings).await();
        incoming.await();
        assertThat(curious.heard)
                .containsExactlyInAnyOrder(
                        "Setup send-1 OUTGOING SNAPSHOT " + file() + " T-17",
                        "Done send-1 OUTGOING SNAPSHOT " + file() + " T-17",
                        "Setup receive-2 INCOMING SNAPSHOT " + file() + " ",
                        "Done receive-2 INCOMING SNAPSHOT " + file() + " ",
                        "Setup receive-3 INCOMING LIVE " + address + " T-17",
                        "Setup send-4 OUTGOING LIVE " + address + " T-17",
                        "Done send-4 OUTGOING LIVE " + address + " T-17",
                        "Done receive-3 INCOMING LIVE " + address + " T-17");
        // Who has not asked for more hears of what goes out.
        assertThat(heard)
                .containsExactly(
                        "plain PrecopySetup",
                        "plain PrecopyDone",
                        "plain PrecopySetup",
                        "plain PrecopyDone");
    }

    @Test
    void aDestinationMayBeForbidden() throws Exception {
        Curious curious = new Curious();
        engine().send(TestMachine.live(), file(), Settings.NONE).await();
        curious.vetoes = true;
        TestMachine target = target();
        Migration restore = engine(curious).receive(target, file(), Settings.NONE);
        assertThatExceptionOfType(MigrationException.class)
                .isThrownBy(restore::await)
                .withMessageContaining("the house is full");
        assertThat(target.entered).isEmpty();
        assertThat(curious.heard).hasSize(1);
    }

    @Test
    void aDestinationThatFailsIsHeard() throws Exception {
        Curious curious = new Curious();
        Path broken = Files.writeString(folder.resolve("broken"), "no snapshot");
        Migration restore = engine(curious).receive(target(), "file:" + broken, Settings.NONE);
        assertThatExceptionOfType(MigrationException.class).isThrownBy(restore::await);
        assertThat(curious.heard)
                .map(line -> line.substring(0, line.indexOf(' ')))
                .containsExactly("Setup", "Failed");
    }

    /** Also where its thread hangs: who does is another notifier, of what was told before it. */
    @Test
    void aDestinationThatHangsAndIsYankedIsHeard() throws Exception {
        Curious curious = new Curious();
        CountDownLatch hangs = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        MigrationNotifier hanging =
                new MigrationNotifier() {
                    @Override
                    public String id() {
                        return "hanging";
                    }

                    @Override
                    public boolean hears(MigrationInfo migration) {
                        return true;
                    }

                    @Override
                    public void notify(MigrationEvent event) {
                        hangs.countDown();
                        try {
                            goOn.await();
                        } catch (InterruptedException e) {
                            throw new IllegalStateException(e);
                        }
                    }
                };
        try {
            Migration waits =
                    engine(curious, hanging).receive(target(), "tcp:127.0.0.1:0", Settings.NONE);
            hangs.await();
            waits.yank();
            assertThatExceptionOfType(MigrationException.class).isThrownBy(waits::await);
            assertThat(curious.heard)
                    .map(line -> line.substring(0, line.indexOf(' ')))
                    .containsExactly("Setup", "Failed");
        } finally {
            goOn.countDown();
        }
    }

    private static TestMachine target() {
        return new TestMachine(RunState.INMIGRATE, TestMachine.heap(64, 0));
    }

    @Test
    void lookingIntoASnapshotIsToldToNobody() throws Exception {
        Curious curious = new Curious();
        engine().send(TestMachine.live(), file(), Settings.NONE).await();
        engine(curious).inspect(file());
        assertThat(curious.heard).isEmpty();
    }

    /** Who was told that it begins is told that it came to nothing, however early. */
    @ParameterizedTest
    @ValueSource(strings = {"tcp:127.0.0.1:0", "file:x,offset=many"})
    void anAddressThatMakesNoSenseIsAFailureToo(String address) throws Exception {
        Migration migration =
                engine(listener("one")).send(TestMachine.live(), address, Settings.NONE);
        assertThatExceptionOfType(MigrationException.class).isThrownBy(migration::await);
        assertThat(heard).containsExactly("one PrecopySetup", "one PrecopyFailed");
    }
}
