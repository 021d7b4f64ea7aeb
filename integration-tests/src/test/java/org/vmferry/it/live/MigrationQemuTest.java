package org.vmferry.it.live;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.qemu.GuestRom;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.QemuBinary;
import org.vmferry.it.qemu.QemuBuilder;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Archives;
import org.vmferry.testkit.tls.TestCertificates;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A guest goes from a real QEMU to us and on to another QEMU, over sockets. */
@RequiresQemu
class MigrationQemuTest {
    private static final Duration SOON = Duration.ofSeconds(120);
    private static final int MIB = 1 << 20;
    private static final int RAM = 64 * MIB;
    private static final int LINE = 9;

    // A packet for each of eight channels, which the slowest codec packs in a moment.
    private static final GuestRom STOPPED = GuestRom.counting().fill(2 * MIB, 4 * MIB);
    private static final GuestRom RUNNING = STOPPED.dirty(16 * MIB, 4 * MIB);

    /** One way to go: what both sides are set to. */
    record Way(
            String transport,
            int channels,
            String compression,
            int level,
            boolean tls,
            String zeroPages,
            boolean running,
            boolean returnPath) {
        static Way of(List<Object> row) {
            String[] codec = row.get(2).toString().split(" ");
            return new Way(
                    (String) row.get(0),
                    (int) row.get(1),
                    codec[0],
                    codec.length > 1 ? Integer.parseInt(codec[1]) : 0,
                    (boolean) row.get(3),
                    (String) row.get(4),
                    (boolean) row.get(5),
                    (boolean) row.get(6));
        }

        /** Without multifd there is nothing to compress, and nobody else to find zero pages. */
        static boolean makesSense(List<Object> row) {
            Way way = of(row);
            return way.channels > 0
                    || way.compression.equals("none") && way.zeroPages.equals("multifd");
        }

        List<String> capabilities() {
            List<String> names = new ArrayList<>();
            if (channels > 0) names.add("multifd");
            if (returnPath) names.add("return-path");
            return names;
        }

        Map<String, Object> parameters() {
            Map<String, Object> values = new HashMap<>();
            values.put("max-bandwidth", 0);
            // A guest under emulation dirties faster than the slowest codec sends: it is to move,
            // not to
            // wait for luck.
            values.put("downtime-limit", 60_000);
            if (channels > 0) {
                values.put("multifd-channels", channels);
                values.put("multifd-compression", compression);
                values.put("zero-page-detection", zeroPages);
                if (level > 0) values.put("multifd-" + compression + "-level", level);
            }
            return values;
        }

        Settings settings() {
            Settings settings = Settings.NONE;
            for (String name : capabilities()) settings = settings.capability(name);
            for (var entry : parameters().entrySet()) {
                settings = settings.parameter(entry.getKey(), entry.getValue().toString());
            }
            return settings;
        }
    }

    private static List<List<Object>> everyWay(String... codecs) {
        return Pairwise.all(
                List.of(
                        List.of("tcp", "unix"),
                        List.of(0, 1, 2, 8),
                        List.of((Object[]) codecs),
                        List.of(false, true),
                        List.of("multifd", "legacy", "none"),
                        List.of(false, true),
                        List.of(false, true)),
                Way::makesSense);
    }

    static Stream<Way> everyPair() {
        return Pairwise.cover(everyWay("none", "zlib 1", "zstd 1")).stream().map(Way::of);
    }

    static Stream<Way> everything() {
        return everyWay("none", "zlib 1", "zlib 9", "zstd 1", "zstd 19").stream().map(Way::of);
    }

    @TempDir static Path certificates;

    @TempDir Path folder;

    @ParameterizedTest(name = "{0}")
    @MethodSource
    @Tag("MFD-1")
    @Tag("RPT-5")
    void everyPair(Way way) throws Exception {
        ferry(way);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    @Tag("stress")
    void everything(Way way) throws Exception {
        ferry(way);
    }

    private void ferry(Way way) throws Exception {
        QemuBuilder builder = Qemu.builder().rom(way.running ? RUNNING : STOPPED);
        Engine engine = Engine.create();
        try (Qemu source = builder.start();
                ArchiveMachine archive = ArchiveMachine.in(folder)) {
            source.awaitSerial(5 * LINE, SOON);
            if (!way.running) source.stop();
            set(source, way, "client");
            Migration incoming = engine.receive(archive, listenAt(way), settings(way, "server"));
            source.migrate(incoming.address().toString());
            incoming.await();
            source.awaitMigration(SOON);
            byte[] ram = source.memory(0, RAM);
            assertThat(Archives.mismatch(archive, ram)).as("RAM came over").isEqualTo(-1);

            try (Qemu destination = builder.incoming().start()) {
                set(destination, way, "server");
                if (way.running) destination.stop(); // its memory is to be seen before it changes
                destination.migrateIncoming(listenAt(way));
                Migration outgoing =
                        engine.send(archive, address(way, destination), settings(way, "client"));
                destination.awaitMigration(SOON);
                outgoing.await();
                if (!way.running) destination.awaitStatus("paused", SOON);
                assertThat(Arrays.mismatch(destination.memory(0, RAM), ram))
                        .as("RAM went on")
                        .isEqualTo(-1);
                destination.cont();
                GuestRom.lastCount(source.serial() + destination.awaitSerial(5 * LINE, SOON));
            }
        }
    }

    private String listenAt(Way way) {
        return way.transport.equals("tcp") ? "tcp:127.0.0.1:0" : "unix:" + folder.resolve("socket");
    }

    private String address(Way way, Qemu destination) throws IOException {
        return way.transport.equals("tcp")
                ? "tcp:127.0.0.1:" + destination.incomingPort()
                : listenAt(way);
    }

    private TestCertificates certificates() throws IOException {
        return TestCertificates.in(certificates.resolve("pki"));
    }

    private void set(Qemu qemu, Way way, String endpoint) throws IOException {
        if (!way.capabilities().isEmpty()) {
            qemu.setCapabilities(way.capabilities().toArray(String[]::new));
        }
        Map<String, Object> parameters = way.parameters();
        if (way.tls) {
            qemu.addTlsCredentials(certificates().folder(), endpoint, Map.of());
            parameters.put("tls-creds", "tls0");
            parameters.put("tls-hostname", TestCertificates.HOST);
        }
        qemu.setParameters(parameters);
    }

    private Settings settings(Way way, String endpoint) throws IOException {
        Settings settings = way.settings();
        if (!way.tls) return settings;
        return settings.parameter("tls-creds", certificates().folder().toString())
                .parameter("tls-hostname", TestCertificates.HOST);
    }

    @ParameterizedTest
    @MethodSource("oldWays")
    @RequiresQemu(old = true)
    @Tag("RPT-5")
    void anOldQemuIsAPeerToo(String compression, int channels) throws Exception {
        QemuBinary old = QemuBinary.old().orElseThrow();
        QemuBuilder builder = Qemu.builder().binary(old).machine("pc-i440fx-7.2").rom(STOPPED);
        Engine engine = Engine.create();
        Settings settings = Settings.NONE.parameter("max-bandwidth", "0");
        Map<String, Object> parameters = new HashMap<>(Map.of("max-bandwidth", 0));
        if (channels > 0) {
            parameters.put("multifd-channels", channels);
            parameters.put("multifd-compression", compression);
            settings =
                    settings.capability("multifd")
                            .parameter("multifd-channels", "" + channels)
                            .parameter("multifd-compression", compression);
        }
        try (Qemu source = builder.start();
                ArchiveMachine archive = ArchiveMachine.in(folder);
                Qemu destination = builder.incoming().start()) {
            source.awaitSerial(5 * LINE, SOON);
            source.stop();
            for (Qemu qemu : List.of(source, destination)) {
                if (channels > 0) qemu.setCapabilities("multifd");
                qemu.setParameters(parameters);
            }
            Migration incoming = engine.receive(archive, "tcp:127.0.0.1:0", settings);
            source.migrate(incoming.address().toString());
            incoming.await();
            source.awaitMigration(SOON);
            byte[] ram = source.memory(0, RAM);
            assertThat(Archives.mismatch(archive, ram)).isEqualTo(-1);

            destination.migrateIncoming("tcp:127.0.0.1:0");
            Settings toOld =
                    channels == 0
                            ? settings
                            : settings.parameter("multifd-flush-after-each-section", "on")
                                    .parameter("zero-page-detection", "legacy");
            Migration outgoing =
                    engine.send(
                            archive,
                            "tcp:127.0.0.1:" + destination.incomingPort(),
                            toOld.capability("return-path")); // it answers each PING
            outgoing.await();
            destination.awaitStatus("paused", SOON);
            assertThat(Arrays.mismatch(destination.memory(0, RAM), ram)).isEqualTo(-1);
            destination.cont();
            GuestRom.lastCount(source.serial() + destination.awaitSerial(5 * LINE, SOON));
        }
    }

    static Stream<Arguments> oldWays() {
        return Stream.of(Arguments.of("none", 0), Arguments.of("none", 2), Arguments.of("zstd", 2));
    }
}
