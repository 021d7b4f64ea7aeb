package org.vmferry.it.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.it.qemu.GuestRom;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.QemuBinary;
import org.vmferry.it.qemu.QemuBuilder;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Commands;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;

/**
 * Guests that a real QEMU saved into libvirt's images, through the programs that libvirt runs: what
 * {@code convert} and {@code send} make of them a real QEMU loads, and runs on from.
 */
@RequiresQemu(old = true)
class PackedImageQemuTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int MIB = 1 << 20;
    private static final int RAM = 16 * MIB;
    private static final int LINE = 9;
    private static final int XML = 512;

    @TempDir Path folder;
    private QemuBuilder builder;
    private byte[] ram;
    private String serial;

    @ParameterizedTest(name = "{0}, old: {2}")
    @CsvSource({
        "gzip, 1, false",
        "bzip2, 2, false",
        "xz, 3, false",
        "zstd, 5, false",
        "gzip, 1, true",
        "zstd, 5, true",
    })
    @Tag("LIB-4")
    void whatIsMadeOfItLoadsInAQemu(String program, int format, boolean old) throws Exception {
        QemuBinary qemu = (old ? QemuBinary.old() : QemuBinary.current()).orElseThrow();
        builder =
                Qemu.builder()
                        .binary(qemu)
                        .memory(RAM / MIB)
                        .rom(GuestRom.counting().fill(2 * MIB, 8 * MIB));
        Path image = saved(program, format);

        Path stream = folder.resolve("stream");
        Commands.ending(0, "convert", image, stream, "--format", "stream");
        loads("exec:cat " + stream);
        if (!old) { // which knows no mapped-ram
            Path mapped = folder.resolve("mapped");
            Commands.ending(0, "convert", image, mapped, "--format", "mapped-ram");
            loads("file:" + mapped, "mapped-ram");
        }
        sends(image);
    }

    /** As libvirt does: its header and XML, then the program's output behind them. */
    private Path saved(String program, int format) throws IOException {
        Path image = folder.resolve("web.save");
        ByteBuffer header = ByteBuffer.allocate(92 + XML).order(ByteOrder.LITTLE_ENDIAN);
        header.put("LibvirtQemudSave".getBytes(StandardCharsets.US_ASCII));
        header.putInt(2).putInt(XML).putInt(0).putInt(format);
        header.put(92, "<domain type='qemu'><name>web</name></domain>".getBytes("ASCII"));
        Files.write(image, header.array());
        try (Qemu source = builder.start()) {
            source.awaitSerial(5 * LINE, SOON);
            source.stop();
            source.setParameters(Map.of("max-bandwidth", 0));
            source.migrate("exec:" + program + " -c >> " + image);
            source.awaitMigration(SOON);
            ram = source.memory(0, RAM);
            serial = source.serial();
        }
        return image;
    }

    private void loads(String uri, String... capabilities) throws IOException {
        try (Qemu destination = builder.incoming().start()) {
            if (capabilities.length > 0) destination.setCapabilities(capabilities);
            destination.migrateIncoming(uri);
            runsOn(destination);
        }
    }

    private void sends(Path image) throws IOException {
        try (Qemu destination = builder.incoming().start()) {
            String uri = "unix:" + folder.resolve("socket");
            destination.migrateIncoming(uri);
            Commands.ending(0, "send", image, uri);
            runsOn(destination);
        }
    }

    private void runsOn(Qemu destination) throws IOException {
        destination.awaitMigration(SOON);
        destination.awaitStatus("paused", SOON);
        assertThat(Arrays.mismatch(destination.memory(0, RAM), ram)).isEqualTo(-1);
        destination.cont();
        GuestRom.lastCount(serial + destination.awaitSerial(5 * LINE, SOON));
    }
}
