package org.vmferry.it.qmp;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.Engine;
import org.vmferry.engine.qmp.QmpServer;
import org.vmferry.it.qemu.GuestRom;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Commands;
import org.vmferry.it.support.FullMachine;
import org.vmferry.spi.machine.RunState;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** vmferry watch, beside those who drive a migration: of a QEMU, and of a host. */
@Timeout(240)
class WatchTest {
    private static final String AWAY = "exec:cat >/dev/null";

    @TempDir Path folder;

    private final Commands command = new Commands();

    /** With a second socket: a QEMU talks to one at a time. */
    private Qemu qemu() throws Exception {
        Qemu qemu =
                Qemu.builder()
                        .memory(64)
                        .rom(GuestRom.counting().dirty(2 << 20, 32 << 20))
                        .options("-qmp", "unix:" + folder.resolve("second") + ",server=on,wait=off")
                        .start();
        // Before its first pass the RAM is zero: no bandwidth is too low for that.
        qemu.awaitSerial("00000001", Duration.ofSeconds(60));
        return qemu;
    }

    private void awaitSaid(FutureTask<Integer> watching, String what) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
        while (!command.err().contains(what)) {
            assertThat(watching.isDone()).as(command.err() + command.out()).isFalse();
            assertThat(System.nanoTime()).as(command.err()).isLessThan(end);
            LockSupport.parkNanos(20_000_000);
        }
    }

    private FutureTask<Integer> watch(Path socket) {
        return command.begin("watch", socket);
    }

    @Test
    @RequiresQemu
    void aQemusMigrationIsFollowedToItsEnd() throws Exception {
        try (Qemu qemu = qemu()) {
            FutureTask<Integer> watching = watch(folder.resolve("second"));
            awaitSaid(watching, "waiting for a migration to begin, ");
            qemu.setParameters(Map.of("max-bandwidth", 4 << 20));
            qemu.migrate(AWAY);
            awaitSaid(watching, "vmferry: active, round 1, ");
            qemu.stop(); // what is not dirtied converges
            qemu.setParameters(Map.of("max-bandwidth", 1L << 40));
            assertThat(watching.get(60, TimeUnit.SECONDS)).as(command.err()).isZero();
            assertThat(command.out())
                    .containsPattern(
                            "^the migration completed: in \\d+\\.\\d s, \\d+ rounds?, .* sent, the"
                                    + " guest stood still for \\d+ ms\n"
                                    + "$");
        }
    }

    @Test
    @RequiresQemu
    void whatDoesNotConvergeIsToldWithWhatMayHelp() throws Exception {
        try (Qemu qemu = qemu()) {
            qemu.setParameters(Map.of("max-bandwidth", 8 << 20, "downtime-limit", 50));
            qemu.migrate(AWAY);
            FutureTask<Integer> watching = watch(folder.resolve("second"));
            awaitSaid(watching, "none in sight: the guest dirties RAM faster than it goes");
            awaitSaid(watching, "what may help: raise max-bandwidth, which holds it to 8 MiB/s");
            awaitSaid(watching, "what may help: cancel it, and begin it again with auto-converge");
            qemu.execute("migrate_cancel", Map.of());
            assertThat(watching.get(60, TimeUnit.SECONDS)).as(command.err()).isEqualTo(4);
            assertThat(command.out()).isEqualTo("the migration was cancelled\n");
        }
    }

    @Test
    @RequiresQemu
    void aQemuThatHangsOrIsKilledIsSaidToBe() throws Exception {
        try (Qemu qemu = qemu()) {
            qemu.setParameters(Map.of("max-bandwidth", 1 << 20));
            qemu.migrate(AWAY);
            FutureTask<Integer> watching = watch(folder.resolve("second"));
            awaitSaid(watching, "vmferry: active, round 1, ");
            Runtime.getRuntime().exec(new String[] {"kill", "-STOP", "" + qemu.process().pid()});
            awaitSaid(watching, "waiting for the answer to query-migrate");
            qemu.process().destroyForcibly();
            assertThat(watching.get(60, TimeUnit.SECONDS)).isEqualTo(1);
            assertThat(command.err())
                    .contains("is gone: ", "; the migration was seen last as 'active'");
            assertThat(command.out()).isEmpty();
        }
    }

    @Test
    void aHostsMigrationIsFollowedToo() throws Exception {
        Path socket = folder.resolve("qmp");
        FullMachine machine = new FullMachine(16 << 20, RunState.RUNNING);
        try (QmpServer server = QmpServer.listen(Engine.create(), machine, socket);
                RawQmp driver = RawQmp.negotiated(socket)) {
            driver.ask("migrate-set-parameters", Map.of("max-bandwidth", 64 << 10));
            driver.ask("migrate", Map.of("uri", "file:" + folder.resolve("vm.snap")));
            FutureTask<Integer> watching = watch(socket);
            awaitSaid(watching, " of 16 MiB remain");
            driver.ask("migrate-set-parameters", Map.of("max-bandwidth", 1L << 40));
            assertThat(watching.get(60, TimeUnit.SECONDS)).as(command.err()).isZero();
            assertThat(command.out()).startsWith("the migration completed: in ");

            driver.ask("cont", Map.of());
            driver.ask("migrate", Map.of("uri", "unix:" + folder.resolve("nobody")));
            Commands again = new Commands();
            assertThat(again.begin("watch", socket).get(60, TimeUnit.SECONDS)).isEqualTo(3);
            assertThat(again.out()).startsWith("the migration failed: ").contains("nobody");
        }
    }
}
