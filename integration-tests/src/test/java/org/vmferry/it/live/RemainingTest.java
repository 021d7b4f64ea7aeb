package org.vmferry.it.live;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.support.FullMachine;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.AtomicDirtyLog;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

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
        FullMachine full = new FullMachine(PACKET * PACKETS, RunState.RUNNING);
        Migration save = engine.send(new Live(full), load.address().toString(), settings);
        try {
            // The migration waits for its workers, both of them for leave to send.
            while (!stands(save.name(), "Crew", "drain")
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

    /** A guest that runs, and leaves its RAM as it is. */
    private record Live(FullMachine full) implements Machine {
        @Override
        public String type() {
            return full.type();
        }

        @Override
        public RunState runState() {
            return full.runState();
        }

        @Override
        public void enter(RunState state) {
            full.enter(state);
        }

        @Override
        public RamProvider ram() {
            List<RamBlock> blocks = full.ram().blocks();
            AtomicDirtyLog log = new AtomicDirtyLog(blocks);
            return new RamProvider() {
                @Override
                public List<RamBlock> blocks() {
                    return blocks;
                }

                @Override
                public Optional<DirtyLog> dirtyLog() {
                    return Optional.of(log);
                }
            };
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
