package org.vmferry.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.doubles.SteadyDirtyLog;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.CpuThrottle;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.option.Options;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Parameters that are changed while a migration runs. */
@Timeout(60)
class ChangeTest {
    private static final Settings NEVER = Settings.NONE.parameter("downtime-limit", "0");

    @TempDir Path folder;
    private final List<Integer> percents = Collections.synchronizedList(new ArrayList<>());
    private final SteadyDirtyLog dirty = new SteadyDirtyLog(60);
    private Migration migration;

    @AfterEach
    void end() throws Exception {
        migration.cancel();
        until(() -> migration.state().isFinal());
    }

    private Migration send(Settings settings) throws MigrationException {
        TestMachine machine =
                new TestMachine(RunState.RUNNING, TestMachine.heap(64, 3)) {
                    @Override
                    public Optional<CpuThrottle> throttle() {
                        return Optional.of(percents::add);
                    }
                };
        machine.log = Optional.of(dirty);
        Engine engine = new Engine(Plugins.builtIn());
        migration = engine.send(machine, "file:" + folder.resolve("vm"), settings);
        return migration;
    }

    private static Settings set(String name, Object value) {
        return Settings.NONE.parameter(name, "" + value);
    }

    private static void until(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) LockSupport.parkNanos(200_000); // the test has a timeout
    }

    private boolean rounds(long more) {
        return migration.statistics().dirtySyncCount() >= more;
    }

    private boolean isHeldBack() {
        return Thread.getAllStackTraces().entrySet().stream()
                .filter(thread -> thread.getKey().getName().equals(migration.name()))
                .flatMap(thread -> Arrays.stream(thread.getValue()))
                .anyMatch(frame -> frame.getClassName().endsWith(".Bandwidth"));
    }

    @Test
    void moreBandwidthHelpsWhoWaitsAlready() throws Exception {
        dirty.pages = 0;
        send(set("max-bandwidth", 1));
        until(this::isHeldBack);
        migration.change(set("max-bandwidth", 1_000_000_000));
        migration.await();
        assertThat(migration.options().get(EngineOptions.MAX_BANDWIDTH)).isEqualTo(1_000_000_000);
    }

    @Test
    void lessBandwidthHoldsAtOnce() throws Exception {
        send(NEVER);
        until(() -> rounds(3));
        migration.change(set("max-bandwidth", 1));
        until(this::isHeldBack);
        migration.change(set("max-bandwidth", 0));
        long now = migration.statistics().dirtySyncCount();
        until(() -> rounds(now + 3));
    }

    @Test
    void aLongerDowntimeLetsItComplete() throws Exception {
        send(NEVER);
        until(() -> rounds(3));
        migration.change(set("downtime-limit", 300));
        migration.await();
    }

    @Test
    void theSwitchOverIsReckonedAnew() throws Exception {
        send(set("avail-switchover-bandwidth", 1));
        until(() -> rounds(3));
        migration.change(set("avail-switchover-bandwidth", 1L << 40));
        migration.await();
    }

    @Test
    void roundsCanBeLimited() throws Exception {
        send(NEVER);
        until(() -> rounds(3));
        migration.change(set("round-limit", 1));
        assertThatExceptionOfType(MigrationException.class)
                .isThrownBy(migration::await)
                .withMessageContaining("did not converge");
    }

    @Test
    void theThrottleCanBeChanged() throws Exception {
        send(NEVER.capability("auto-converge").parameter("max-cpu-throttle", "20"));
        until(() -> percents.contains(20));
        migration.change(
                set("max-cpu-throttle", 99)
                        .parameter("cpu-throttle-increment", "70")
                        .parameter("throttle-trigger-threshold", "1"));
        until(() -> percents.contains(90));
        migration.change(set("max-cpu-throttle", 50));
        until(() -> percents.contains(50));
        dirty.pages = 0;
        migration.await();
        assertThat(percents).startsWith(20, 90).endsWith(50, 0).doesNotHaveDuplicates();
    }

    @Test
    void whatBothEndsOrSeveralPartsRelyOnStaysAsItIs() throws Exception {
        send(NEVER);
        Options before = migration.options();
        Settings change =
                set("max-bandwidth", 7)
                        .parameter("downtime-limit", "-1")
                        .parameter("mode", "cpr-reboot")
                        .parameter("tls-creds", "/etc/tls")
                        .parameter("connect-timeout", "5")
                        .parameter("max-bandwith", "5")
                        .capability("return-path");
        MigrationException refused =
                catchThrowableOfType(MigrationException.class, () -> migration.change(change));
        assertThat(refused)
                .hasMessageContaining("downtime-limit=-1: takes 0 to 2000000 ms")
                .hasMessageContaining("mode can't be changed while a migration runs")
                .hasMessageContaining("tls-creds can't be changed")
                .hasMessageContaining("connect-timeout can't be changed")
                .hasMessageContaining("return-path can't be changed")
                .hasMessageContaining("'max-bandwidth' is one");
        assertThat(refused.getSuppressed()).hasSize(6);
        assertThat(migration.options()).as("all or nothing").isSameAs(before);
        migration.change(set("mode", "normal").capability("return-path", false)); // as it is
    }

    @Test
    void whatIsOverCantBeChanged() throws Exception {
        dirty.pages = 0;
        send(Settings.NONE).await();
        assertThatExceptionOfType(MigrationException.class)
                .isThrownBy(() -> migration.change(set("downtime-limit", 1)))
                .withMessageContaining("send-1 is over");
    }
}
