package org.vmferry.it.live;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Engine;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.QemuBinary;
import org.vmferry.it.qemu.QemuBuilder;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.it.support.Commands;
import org.vmferry.spi.machine.SectionStore.Fact;
import org.vmferry.testkit.tls.TestCertificates;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/** A guest with a UUID goes over multifd into a snapshot, and out of it again. */
@RequiresQemu(old = true)
@Tag("ARR-7")
@Tag("TRL-4")
class UuidQemuTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final String OURS = "4dea22b3-1d52-48f3-a516-782e98ab3fa0";
    private static final String OTHER = "5dea22b3-1d52-48f3-a516-782e98ab3fa0";
    private static final String NONE = "00000000-0000-0000-0000-000000000000";

    @TempDir static Path certificates;
    @TempDir Path folder;

    private String version = "10.0";
    private boolean tls;

    private QemuBuilder builder(String... uuid) {
        QemuBuilder builder = Qemu.builder().machine("pc-i440fx-7.2").paused().memory(16);
        if (uuid.length > 0) builder.options("-uuid", uuid[0]);
        return version.equals("7.2") ? builder.binary(QemuBinary.old().orElseThrow()) : builder;
    }

    private static Path keys() throws IOException {
        return TestCertificates.in(certificates.resolve("pki")).folder();
    }

    private void set(Qemu qemu, String endpoint, String... capabilities) throws IOException {
        qemu.setCapabilities(capabilities);
        if (!tls) return;
        qemu.addTlsCredentials(keys(), endpoint, Map.of());
        qemu.setParameters(Map.of("tls-creds", "tls0", "tls-hostname", TestCertificates.HOST));
    }

    private List<Object> line(Object... words) throws IOException {
        List<Object> line = new ArrayList<>(List.of(words));
        if (!tls) return line;
        line.addAll(List.of("-p", "tls-creds=" + keys()));
        line.addAll(List.of("-p", "tls-hostname=" + TestCertificates.HOST));
        return line;
    }

    /** What a QEMU sends over multifd, as {@code receive} keeps it. */
    private Path received(QemuBuilder from, String... more) throws Exception {
        Path file = folder.resolve("vm.snap");
        Path socket = folder.resolve("in");
        Commands receive = new Commands();
        FutureTask<Integer> received =
                receive.begin(
                        line("receive", "unix:" + socket, "-o", file, "-c", "multifd").toArray());
        Commands.await(socket);
        List<String> capabilities = new ArrayList<>(List.of(more));
        capabilities.add("multifd");
        try (Qemu source = from.start()) {
            set(source, "client", capabilities.toArray(String[]::new));
            source.migrate("unix:" + socket);
            source.awaitMigration(SOON);
            assertThat(received.get(60, TimeUnit.SECONDS)).as(receive.err()).isZero();
        }
        return file;
    }

    /** Whether a QEMU takes it over multifd; what the command printed stands in the other. */
    private boolean sent(Path file, QemuBuilder to, Commands send, Object... more)
            throws Exception {
        Path socket = folder.resolve("out");
        try (Qemu destination = to.incoming().start()) {
            set(destination, "server", "multifd");
            destination.migrateIncoming("unix:" + socket);
            List<Object> line = line("send", file, "unix:" + socket, "-c", "multifd");
            line.addAll(List.of("-p", "zero-page-detection=legacy"));
            line.addAll(List.of("-p", "multifd-flush-after-each-section=on")); // an old machine
            line.addAll(List.of(more));
            boolean taken = send.run(line.toArray()) == 0;
            if (taken) destination.awaitMigration(SOON);
            return taken;
        } finally {
            Files.deleteIfExists(socket);
        }
    }

    private void takes(Path file, QemuBuilder to, Object... more) throws Exception {
        Commands send = new Commands();
        assertThat(sent(file, to, send, more)).as(send::err).isTrue();
    }

    private Path converted(Path file, String format, Object... more) {
        Path to = folder.resolve("vm." + format + file.getFileName());
        List<Object> line = new ArrayList<>(List.of("convert", file, to, "--format", format));
        line.addAll(List.of(more));
        Commands convert = new Commands();
        assertThat(convert.run(line.toArray())).as(convert::err).isZero();
        return to;
    }

    private static List<String> uuids(Path file) throws IOException {
        return Engine.create().inspect("file:" + file).facts().stream()
                .filter(fact -> fact.key().equals("uuid"))
                .map(Fact::value)
                .toList();
    }

    @ParameterizedTest
    @CsvSource({"10.0, false", "10.0, true", "7.2, false", "7.2, true"})
    void overMultifdBothWays(String qemu, boolean secure) throws Exception {
        version = qemu;
        tls = secure;
        Path file = received(builder(OURS));
        assertThat(uuids(file)).containsExactly(OURS);
        takes(file, builder(OURS));
    }

    /** Through both formats, and anew in the same one. */
    @Test
    void aConversionKeepsIt() throws Exception {
        Path stream = converted(received(builder(OURS)), "stream");
        Path again = converted(converted(stream, "mapped-ram"), "mapped-ram");
        assertThat(uuids(stream)).containsExactly(OURS);
        assertThat(uuids(again)).containsExactly(OURS);
        takes(again, builder(OURS));
    }

    /** In no section: a QEMU with another UUID loads such a file. */
    @ParameterizedTest
    @ValueSource(strings = {"10.0", "7.2"})
    void neverInTheConfiguration(String qemu) throws Exception {
        version = qemu;
        Path stream = converted(received(builder(OURS)), "stream");
        try (Qemu other = builder(OTHER).incoming().start()) {
            other.migrateIncoming("exec:cat " + stream);
            other.awaitMigration(SOON);
        }
    }

    /** A snapshot that never met one takes it by an option, and the refusal says so. */
    @Test
    void byTheOption() throws Exception {
        Path file = received(builder());
        assertThat(uuids(file)).isEmpty();
        takes(file, builder());
        Commands refused = new Commands();
        assertThat(
                        sent(
                                file,
                                builder(OURS),
                                refused,
                                "-c",
                                "return-path",
                                "-p",
                                "silence-timeout=2000")) // it neither answers nor ends
                .isFalse();
        assertThat(refused.err()).contains("--uuid");
        takes(file, builder(OURS), "--uuid", OURS);
        Path named = converted(file, "mapped-ram", "--uuid", OURS);
        assertThat(uuids(named)).containsExactly(OURS);
        takes(named, builder(OURS));
    }

    /** A copy of a machine is another one, or none. */
    @Test
    void theOptionGoesBeforeWhatWasKept() throws Exception {
        Path file = received(builder(OURS));
        takes(file, builder(OTHER), "--uuid", OTHER);
        takes(file, builder(), "--uuid", NONE);
        assertThat(uuids(converted(file, "stream", "--uuid", OTHER))).containsExactly(OTHER);
        assertThat(uuids(converted(file, "mapped-ram", "--uuid", NONE))).isEmpty();
    }

    /** Its source had validate-uuid on: no QEMU that is another machine takes the stream. */
    @ParameterizedTest
    @ValueSource(strings = {"10.0", "7.2"})
    @Tag("STR-2")
    void aStreamThatSaysItItself(String qemu) throws Exception {
        version = qemu;
        Path file = received(builder(OURS), "validate-uuid");
        assertThat(uuids(file)).containsExactly(OURS);
        takes(file, builder(OURS));
        for (Path one : List.of(file, converted(file, "stream", "--uuid", NONE))) {
            Commands send = new Commands();
            assertThat(sent(one, builder(OTHER), send, "--uuid", OTHER)).isFalse();
            assertThat(send.err()).contains(OURS, OTHER, "configuration/uuid");
        }
        Path none = folder.resolve("none");
        Commands convert = new Commands();
        assertThat(convert.run("convert", file, none, "--format", "stream", "--uuid", OTHER))
                .isEqualTo(1);
        assertThat(convert.err()).contains(OURS, OTHER, "configuration/uuid");
        assertThat(none).doesNotExist();
    }
}
