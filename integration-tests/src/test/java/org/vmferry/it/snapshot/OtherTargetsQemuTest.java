package org.vmferry.it.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.QemuBinary;
import org.vmferry.it.qemu.QemuBuilder;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Captures;
import org.vmferry.it.support.Commands;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** The captured streams, converted, are loaded by a QEMU of their target. */
@RequiresQemu
@Timeout(180)
class OtherTargetsQemuTest {
    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource({
        "pseries, ppc64, 256, stream",
        "pseries, ppc64, 256, mapped-ram",
        "s390x, s390x, 4, stream",
        "s390x, s390x, 4, mapped-ram",
        "background, x86_64, 4, stream",
        "background, x86_64, 4, mapped-ram"
    })
    @Tag("STR-20")
    @Tag("STR-21")
    void loadsWhatWasConverted(String name, String target, int memory, String format)
            throws Exception {
        Path file = Files.write(folder.resolve(name), Captures.bytes(name));
        Path converted = folder.resolve("converted");
        Commands command = new Commands();
        assertThat(command.run("convert", file, converted, "--format", format))
                .as(command.err())
                .isZero();
        QemuBuilder builder =
                Qemu.builder()
                        .binary(QemuBinary.current().orElseThrow().target(target))
                        .memory(memory)
                        .paused()
                        .incoming();
        switch (target) {
            case "s390x" -> builder.machine("s390-ccw-virtio").options("-bios", "s390-ccw.img");
            case "ppc64" -> builder.machine("pseries");
            default -> builder.machine("pc");
        }
        try (Qemu destination = builder.start()) {
            if (format.equals("mapped-ram")) destination.setCapabilities("mapped-ram");
            destination.migrateIncoming("file:" + converted);
            destination.awaitMigration(Duration.ofSeconds(60));
        }
    }
}
