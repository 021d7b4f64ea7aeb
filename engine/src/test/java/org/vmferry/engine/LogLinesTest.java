package org.vmferry.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.notifier.MigrationEvent;
import org.vmferry.spi.notifier.MigrationNotifier;

import java.nio.file.Path;
import java.util.List;

/** What a host's log has of a migration at the level that it has by default. */
@Timeout(60)
class LogLinesTest {
    private static final String TRACE = "\tat ";

    @TempDir Path folder;
    private final TestMachine source = TestMachine.live();
    private final TestMachine target = new TestMachine(RunState.INMIGRATE, TestMachine.heap(64, 0));

    private static List<String> lines(String said, String word) {
        return said.lines().filter(line -> line.contains(word)).toList();
    }

    private static Engine engine() {
        return new Engine(Plugins.builtIn());
    }

    @ParameterizedTest
    @ValueSource(strings = {"unix:", "file:"})
    void aSuccessHasNoStackTrace(String scheme) throws Exception {
        // What is used for the first time takes its time, and is no fault.
        Settings slow = Settings.NONE.parameter("downtime-limit", "60000");
        Settings settings = scheme.equals("unix:") ? slow.capability("return-path") : slow;
        String place = scheme + folder.resolve("vm");
        String said =
                Logged.during(
                        () -> {
                            Migration load = null;
                            if (scheme.equals("unix:"))
                                load = engine().receive(target, place, settings);
                            engine().send(source, place, settings).await();
                            if (load == null) load = engine().receive(target, place, settings);
                            load.await();
                        });
        assertThat(said).doesNotContain(TRACE, "WARN");
    }

    /** What a host's own code throws there is told in a line, and fails nothing. */
    @Test
    void norHasOneWithFaultsThatFailNothing() throws Exception {
        TestMachine stubborn =
                new TestMachine(RunState.RUNNING, TestMachine.heap(64, 3)) {
                    @Override
                    public synchronized void enter(RunState next) {
                        if (next == RunState.POSTMIGRATE)
                            throw new IllegalStateException("stuck on purpose");
                        state = next;
                    }
                };
        MigrationNotifier buggy =
                new MigrationNotifier() {
                    @Override
                    public String id() {
                        return "buggy";
                    }

                    @Override
                    public void notify(MigrationEvent event) {
                        throw new IllegalArgumentException("a bug on purpose");
                    }
                };
        String said =
                Logged.during(
                        () -> {
                            Engine engine = new Engine(Plugins.builtIn().plus(buggy));
                            Migration save =
                                    engine.send(
                                            stubborn,
                                            "file:" + folder.resolve("vm"),
                                            Settings.NONE);
                            save.listen(
                                    state -> {
                                        throw new IllegalStateException("deaf on purpose");
                                    });
                            save.await();
                        });
        assertThat(said).doesNotContain(TRACE);
        assertThat(lines(said, "WARN"))
                .anyMatch(line -> line.contains("a bug on purpose"))
                .anyMatch(line -> line.contains("deaf on purpose"))
                .anyMatch(line -> line.contains("stuck on purpose"));
    }

    @Test
    void aFailureIsOneLineThatSaysWhyAndWhoHasTheGuest() throws Exception {
        String said =
                Logged.during(
                        () -> {
                            Migration save =
                                    engine().send(source, "tcp:127.0.0.1:1", Settings.NONE);
                            assertThatThrownBy(save::await).hasMessageContaining("127.0.0.1:1");
                        });
        assertThat(said).doesNotContain(TRACE);
        assertThat(lines(said, "WARN"))
                .singleElement()
                .asString()
                .contains("Migration - send-1: failed: ", "127.0.0.1:1")
                .endsWith("; the guest is the source's");
    }

    @Test
    void aCancelIsNoWarning() throws Exception {
        String said =
                Logged.during(
                        () -> {
                            Migration load =
                                    engine().receive(target, "tcp:127.0.0.1:0", Settings.NONE);
                            load.cancel();
                            assertThatThrownBy(load::await).hasMessageContaining("cancelled");
                        });
        assertThat(said).doesNotContain(TRACE, "WARN").contains("receive-1: cancelled; ");
    }
}
