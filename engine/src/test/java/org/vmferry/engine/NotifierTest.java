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
import org.vmferry.spi.notifier.MigrationEvent;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.notifier.MigrationVeto;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;

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
