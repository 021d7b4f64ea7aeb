package org.vmferry.testkit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ForgetfulDirtyLog;
import org.vmferry.testkit.machine.HostMemory;
import org.vmferry.testkit.machine.MachineDigest;
import org.vmferry.testkit.machine.ReferenceMachine;
import org.vmferry.testkit.machine.ReferenceMachineBuilder;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/** The reference machine, saved to a file while it runs, against a twin that stayed at home. */
class LiveMigrationTest {
    private static final Settings INLINE =
            Settings.NONE
                    // Slow enough for the guest to write much in the first round, and then willing
                    // to stop for all of it.
                    .parameter("max-bandwidth", "33554432")
                    .parameter("downtime-limit", "2000");

    @TempDir Path folder;
    private final Engine engine = Engine.create();

    private static ReferenceMachineBuilder small() {
        return ReferenceMachine.builder()
                .ram(8 << 20)
                .dirtyWindow(1900)
                .dirtyEvery(250)
                .printEvery(100_000)
                .pace(100);
    }

    @ParameterizedTest
    @CsvSource({
        "stream, NATIVE, NATIVE, false",
        "stream, BYTES, INTS, false",
        "stream, INTS, BYTES, false",
        "mapped-ram, NATIVE, NATIVE, false",
        "mapped-ram, NATIVE, NATIVE, true",
        "mapped-ram, BYTES, INTS, false",
        "mapped-ram, INTS, NATIVE, true"
    })
    @Tag("DLG-4")
    void equalsItsTwin(String layout, HostMemory from, HostMemory to, boolean adopting)
            throws Exception {
        ReferenceMachineBuilder there = small().hostMemory(to);
        if (adopting) there.adopting();
        try (ReferenceMachine source = small().hostMemory(from).build();
                ReferenceMachine destination = there.build();
                ReferenceMachine twin = small().build()) {
            var before = destination.ram().blocks().get(2).memory();
            migrate(source, destination, settings(layout));
            var after = destination.ram().blocks().get(2).memory();
            if (adopting) assertThat(after).isNotEqualTo(before);
            else assertThat(after).isEqualTo(before);

            long switchOver = source.instructions();
            while (destination.instructions() < switchOver + 1_000_000)
                LockSupport.parkNanos(200_000);
            destination.enter(RunState.PAUSED);
            assertThat(destination.stopReason()).isEmpty();

            twin.runFor(switchOver);
            assertThat(source.digest()).isEqualTo(twin.digest());
            twin.runFor(destination.instructions() - switchOver);
            assertThat(destination.digest().differences(twin.digest())).isEmpty();
            assertThat(destination.digest()).isEqualTo(twin.digest());
            assertThat(source.output() + destination.output())
                    .isEqualTo(twin.output())
                    .startsWith("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
        }
    }

    /** The test above can fail: one page in a thousand is enough. */
    @ParameterizedTest
    @CsvSource({"stream", "mapped-ram"})
    @Tag("DLG-4")
    void doesNotWhenTheDirtyLogForgets(String layout) throws Exception {
        AtomicReference<ForgetfulDirtyLog> log = new AtomicReference<>();
        try (ReferenceMachine source =
                        small().dirtyLog(
                                        true_ -> {
                                            log.set(new ForgetfulDirtyLog(true_, 1000));
                                            return log.get();
                                        })
                                .build();
                ReferenceMachine destination = small().build();
                ReferenceMachine twin = small().build()) {
            migrate(source, destination, settings(layout));
            assertThat(log.get().forgotten()).isPositive();
            destination.enter(RunState.PAUSED);
            twin.runFor(destination.instructions());
            assertThat(destination.digest()).isNotEqualTo(twin.digest());

            // And the guest finds out itself, once it has been through all of its window.
            assertThat(destination.runFor(10_000_000)).isFalse();
            assertThat(destination.output()).endsWith("BAD\n");
        }
    }

    @Test
    void aPausedMachineIsPausedAgain() throws Exception {
        try (ReferenceMachine source = small().build();
                ReferenceMachine destination = small().build()) {
            source.runFor(1_000_000);
            source.enter(RunState.PAUSED);
            MachineDigest before = source.digest();
            send(source, INLINE);
            receive(destination, INLINE);
            assertThat(destination.runState()).isEqualTo(RunState.PAUSED);
            assertThat(destination.digest()).isEqualTo(before);
        }
    }

    private static Settings settings(String layout) {
        return layout.equals("stream") ? INLINE : INLINE.capability(layout);
    }

    private void migrate(ReferenceMachine source, ReferenceMachine destination, Settings settings)
            throws IOException, InterruptedException {
        source.runFor(2_000_000);
        source.enter(RunState.RUNNING);
        send(new LingeringMachine(source, 5_000_000), settings);
        assertThat(source.runState()).isEqualTo(RunState.POSTMIGRATE);
        receive(destination, settings);
        assertThat(destination.runState()).isIn(List.of(RunState.RUNNING, RunState.GUEST_PANICKED));
    }

    private void send(Machine machine, Settings settings) throws IOException, InterruptedException {
        Migration migration = engine.send(machine, uri(), settings);
        migration.await();
    }

    private void receive(ReferenceMachine machine, Settings settings)
            throws IOException, InterruptedException {
        engine.receive(machine, uri(), settings).await();
    }

    private String uri() {
        return "file:" + folder.resolve("machine.snap");
    }
}
