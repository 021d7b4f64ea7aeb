package org.vmferry.it.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.QemuBinary;
import org.vmferry.it.qemu.QemuBuilder;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.spi.machine.SectionStore.Fact;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;

/** A real QEMU loads a file with a trailer, and doesn't mind it. */
@RequiresQemu
@Tag("TRL-1")
class TrailerQemuTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final String MACHINE = "pc-i440fx-7.2";

    @TempDir Path folder;

    private Path saved(String machine, String... capabilities) throws IOException {
        Path file = folder.resolve("qemu.save");
        try (Qemu source = Qemu.builder().machine(machine).paused().start()) {
            source.setCapabilities(capabilities);
            source.migrate("file:" + file);
            source.awaitMigration(SOON);
        }
        return file;
    }

    private static void loads(QemuBuilder builder, String uri, String... capabilities)
            throws IOException {
        try (Qemu destination = builder.machine(MACHINE).incoming().paused().start()) {
            destination.setCapabilities(capabilities);
            destination.migrateIncoming(uri);
            destination.awaitMigration(SOON);
        }
    }

    /** Through an archive, with the longest trailer that there is. */
    private Path carried(Path from, String capability) throws Exception {
        Path to = folder.resolve("carried");
        Settings settings = Settings.NONE;
        if (!capability.isEmpty()) settings = settings.capability(capability);
        Engine engine = Engine.create();
        try (ArchiveMachine archive = ArchiveMachine.in(folder)) {
            engine.receive(archive, "file:" + from, Settings.NONE).await();
            archive.sections().keepFacts(List.of(new Fact("long", "{\"ü\": 0} ".repeat(6400))));
            engine.send(archive, "file:" + to, settings).await();
        }
        assertThat(engine.inspect("file:" + to).facts()).hasSize(2);
        return to;
    }

    @Test
    @RequiresQemu(old = true)
    void behindTheDescription() throws Exception {
        Path qemu = saved(MACHINE);
        Path mapped = carried(qemu, "mapped-ram");
        loads(Qemu.builder(), "file:" + mapped, "mapped-ram");
        loads(Qemu.builder(), "file:" + mapped, "mapped-ram", "multifd");
        Path stream = carried(qemu, "");
        loads(Qemu.builder(), "file:" + stream);
        loads(Qemu.builder().binary(QemuBinary.old().orElseThrow()), "exec:cat " + stream);
    }

    @ParameterizedTest
    @CsvSource({"''", "mapped-ram"})
    void behindEof(String capability) throws Exception {
        String[] capabilities = capability.isEmpty() ? new String[0] : new String[] {capability};
        Path file = saved(MACHINE + ",suppress-vmdesc=on", capabilities);
        Files.writeString(
                file, "vmferry 1\nwriter test\ncrc32c 01234567\n", StandardOpenOption.APPEND);
        loads(Qemu.builder(), "file:" + file, capabilities);
    }
}
