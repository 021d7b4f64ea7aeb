package org.vmferry.it.live;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.support.FullMachine;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;

import java.time.Duration;
import java.util.Arrays;

/** What remains is what nobody has sent yet, whoever is to do so. */
class RemainingTest {
    private static final int PACKET = 512 << 10; // bytes of a packet's pages
    private static final int PACKETS = 4; // two wait, and two are being sent

    private final Engine engine = Engine.create();

    /** All pages are handed to the two channels at once; under the limit one packet passes. */
    @Test
    @Timeout(60)
    void whatAWorkerHasYetToSendRemains() throws Exception {
        Settings settings =
                Settings.NONE
                        .capability("multifd")
                        .parameter("multifd-channels", "2")
                        .parameter("max-bandwidth", "20000"); // a packet takes 26 s
        FullMachine target = new FullMachine(PACKET * PACKETS, RunState.INMIGRATE);
        Migration load = engine.receive(target, "tcp:127.0.0.1:0", settings);
        FullMachine full = new FullMachine(PACKET * PACKETS, RunState.RUNNING).live();
        Migration save = engine.send(full, load.address().toString(), settings);
        try {
            // The migration waits for its workers, both of them for leave to send.
            while (!stands(save.name(), "JobSlots", "drain")
                    || !stands(save.name() + "-multifd-send-0", "Bandwidth", "take")
                    || !stands(save.name() + "-multifd-send-1", "Bandwidth", "take"))
                assertThat(save.await(Duration.ofMillis(5))).as("over too early").isFalse();
            long counted = save.statistics().normal() * 4096;
            assertThat(save.statistics().remaining())
                    .isEqualTo((long) PACKET * PACKETS - counted)
                    .isGreaterThanOrEqualTo(2L * PACKET);
        } finally {
            save.cancel();
            load.cancel();
            over(save);
            over(load);
        }
    }

    private static boolean stands(String thread, String type, String method) {
        return Thread.getAllStackTraces().entrySet().stream()
                .filter(one -> one.getKey().getName().startsWith(thread))
                .flatMap(one -> Arrays.stream(one.getValue()))
                .anyMatch(
                        frame ->
                                frame.getMethodName().equals(method)
                                        && frame.getClassName().endsWith("." + type));
    }

    private static void over(Migration migration) throws InterruptedException {
        try {
            migration.await();
        } catch (MigrationException e) {
            // It was cancelled.
        }
    }
}
