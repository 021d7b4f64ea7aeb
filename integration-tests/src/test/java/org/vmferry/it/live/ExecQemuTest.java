package org.vmferry.it.live;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.qemu.GuestRom;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.QemuBuilder;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Archives;
import org.vmferry.it.support.Leftovers;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;

/** A guest goes through commands of the shell: from a real QEMU to us, and on to another. */
@RequiresQemu
class ExecQemuTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int MIB = 1 << 20;
    private static final int RAM = 64 * MIB;
    private static final int LINE = 9;

    @TempDir Path folder;

    @Test
    void thereAndBack() throws Exception {
        QemuBuilder builder = Qemu.builder().rom(GuestRom.counting().fill(2 * MIB, 8 * MIB));
        Engine engine = Engine.create();
        Path theirs = folder.resolve("theirs.gz");
        Path ours = folder.resolve("ours");
        try (Qemu source = builder.start();
                ArchiveMachine archive = ArchiveMachine.in(folder)) {
            source.awaitSerial(5 * LINE, SOON);
            source.stop();
            source.setParameters(Map.of("max-bandwidth", 0));
            source.migrate("exec:gzip -1 > " + theirs);
            source.awaitMigration(SOON);
            byte[] ram = source.memory(0, RAM);

            engine.receive(archive, "exec:gzip -dc " + theirs, Settings.NONE).await();
            assertThat(Archives.mismatch(archive, ram)).isEqualTo(-1);

            engine.send(archive, "exec:cat > " + ours, Settings.NONE).await();
            try (Qemu destination = builder.incoming().start()) {
                destination.migrateIncoming("exec:cat " + ours);
                destination.awaitMigration(SOON);
                destination.awaitStatus("paused", SOON);
                assertThat(Arrays.mismatch(destination.memory(0, RAM), ram)).isEqualTo(-1);
                destination.cont();
                GuestRom.lastCount(source.serial() + destination.awaitSerial(5 * LINE, SOON));
            }
        }
        Leftovers.assertNoThreads();
    }
}
