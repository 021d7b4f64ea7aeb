package org.vmferry.it.live;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.cli.Main;
import org.vmferry.it.qemu.GuestRom;
import org.vmferry.it.qemu.Qemu;
import org.vmferry.it.qemu.QemuBuilder;
import org.vmferry.it.qemu.RequiresQemu;
import org.vmferry.testkit.tls.TestCertificates;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * The JVM's limits for TLS keys are passed many times over, in a small heap, with a real QEMU at
 * the other end: whatever it refuses, the guest runs in one place. Each vmferry is a process of its
 * own, for the limits are a JVM's.
 */
@RequiresQemu
class TlsKeyLimitsQemuTest {
    private static final Duration SOON = Duration.ofSeconds(120);
    private static final int MIB = 1 << 20;
    private static final int LINE = 9;
    private static final String LISTENING = "vmferry: listening on ";

    @TempDir static Path shared;
    @TempDir Path folder;
    private Path snapshot;

    @BeforeEach
    void choose() {
        snapshot = folder.resolve("vm.snap");
    }

    /** What a vmferry said, and how it ended. */
    private record Ended(int status, String said) {}

    @Test
    @Tag("OWN-1")
    @Tag("OWN-29")
    void oneChannelAtItsLimitIsRefusedWhileTheGuestIsTheSources() throws Exception {
        refuses(32, "2^18");
    }

    @Test
    void channelsThatAreOnlyReadHaveNoLimit() throws Exception {
        receives(32, "2^18", 2, true).close();
    }

    @Test
    @Tag("stress")
    void withTheLaunchersLimitsOneChannelGoesBothWays() throws Exception {
        try (Qemu source = receives(16, "2^62", 0, true)) {
            Ended sent = sends(16, "2^62", 0, true, source.serial());
            assertThat(sent.status).as(sent.said).isZero();
        }
    }

    @ParameterizedTest
    @CsvSource({"0,true", "0,false", "2,true", "2,false"})
    @Tag("stress")
    @Tag("OWN-1")
    void muchInASmallHeap(int channels, boolean returnPath) throws Exception {
        if (channels == 0 && returnPath) {
            refuses(256, "2^22");
            return;
        }
        try (Qemu source = receives(256, "2^22", channels, returnPath)) {
            sends(256, "2^22", channels, returnPath, source.serial());
        }
    }

    private void refuses(int mebibytes, String limit) throws Exception {
        try (Qemu source = source(mebibytes, 0, true)) {
            Ended over = receive(source, limit, 0);
            assertThat(over.status).as(over.said).isNotZero();
            assertThat(over.said).contains("jdk.tls.keyLimits", limit, "the guest is the source's");
            source.awaitMigration("failed", SOON);
            GuestRom.lastCount(source.awaitSerial(2 * LINE, SOON)); // it counts on
            assertThat(snapshot).doesNotExist();
        }
    }

    /** The source, whose guest has gone for good. */
    private Qemu receives(int mebibytes, String limit, int channels, boolean returnPath)
            throws Exception {
        Qemu source = source(mebibytes, channels, returnPath);
        try {
            Ended over = receive(source, limit, channels);
            assertThat(over.status).as(over.said).isZero();
            source.awaitMigration(SOON);
            assertThat(source.status()).isEqualTo("postmigrate");
            assertThat(snapshot).exists();
            return source;
        } catch (Exception | Error e) {
            source.close();
            throw e;
        }
    }

    /** Whether it is refused or not is up to the pace: the guest runs there if it was sent. */
    private Ended sends(
            int mebibytes, String limit, int channels, boolean returnPath, String counted)
            throws Exception {
        try (Qemu destination = builder(mebibytes).incoming().start()) {
            set(destination, "server", channels, returnPath);
            destination.migrateIncoming("tcp:127.0.0.1:0");
            List<String> arguments = arguments(channels, returnPath);
            arguments.addAll(0, List.of("send", snapshot.toString(), at(destination)));
            arguments.addAll(List.of("-p", "tls-hostname=" + TestCertificates.HOST));
            arguments.addAll(List.of("-p", "max-bandwidth=0"));
            Ended over = end(start(limit, arguments), new StringBuilder());
            if (over.status == 0) {
                GuestRom.lastCount(counted + destination.awaitSerial(2 * LINE, SOON));
            } else {
                assertThat(over.said).contains("the guest is the source's");
                assertThat(destination.serial()).as(over.said).isEmpty();
            }
            return over;
        }
    }

    private static String at(Qemu destination) throws IOException {
        return "tcp:127.0.0.1:" + destination.incomingPort();
    }

    private QemuBuilder builder(int mebibytes) {
        return Qemu.builder().memory(mebibytes + 32).rom(GuestRom.counting());
    }

    private Qemu source(int mebibytes, int channels, boolean returnPath) throws Exception {
        byte[] noise = new byte[mebibytes * MIB];
        new Random(9).nextBytes(noise);
        Path ram = folder.resolve("noise");
        Files.write(ram, noise);
        String loader = "loader,file=%s,addr=%d,force-raw=on".formatted(ram, 16 * MIB);
        Qemu source = builder(mebibytes).options("-device", loader).start();
        try {
            source.awaitSerial(2 * LINE, SOON);
            set(source, "client", channels, returnPath);
            return source;
        } catch (Exception | Error e) {
            source.close();
            throw e;
        }
    }

    private Ended receive(Qemu source, String limit, int channels) throws Exception {
        List<String> arguments = arguments(channels, false); // a destination's is the source's wish
        arguments.addAll(0, List.of("receive", "tcp:127.0.0.1:0", "-o", snapshot.toString()));
        Process receiver = start(limit, arguments);
        BufferedReader lines = receiver.errorReader();
        StringBuilder said = new StringBuilder();
        for (String line; (line = lines.readLine()) != null; ) {
            said.append(line).append('\n');
            if (!line.startsWith(LISTENING)) continue;
            source.migrate(line.substring(LISTENING.length()));
            break;
        }
        return end(receiver, said);
    }

    private List<String> arguments(int channels, boolean returnPath) {
        List<String> all = new ArrayList<>(List.of("-p", "tls-creds=" + certificates()));
        if (returnPath) all.addAll(List.of("-c", "return-path"));
        if (channels > 0) {
            all.addAll(List.of("-c", "multifd", "-p", "multifd-channels=" + channels));
        }
        return all;
    }

    /** A vmferry whose JVM has these limits, and little heap. */
    private Process start(String limit, List<String> arguments) throws IOException {
        Path security = folder.resolve("security-" + limit.substring(2));
        Files.writeString(
                security,
                "jdk.tls.keyLimits=AES/GCM/NoPadding KeyUpdate %1$s, ChaCha20-Poly1305 KeyUpdate %1$s"
                        .formatted(limit));
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xmx96m", "-XX:+UseSerialGC"));
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("-Djava.security.properties=" + security);
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.add(Main.class.getName());
        command.addAll(arguments);
        return new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    }

    private static Ended end(Process vmferry, StringBuilder said) throws Exception {
        try (BufferedReader lines = vmferry.errorReader()) {
            for (String line; (line = lines.readLine()) != null; ) said.append(line).append('\n');
            assertThat(vmferry.waitFor(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
            return new Ended(vmferry.exitValue(), said.toString());
        } finally {
            vmferry.destroyForcibly();
        }
    }

    private static Path certificates() {
        try {
            return TestCertificates.in(shared.resolve("pki")).folder();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void set(Qemu qemu, String endpoint, int channels, boolean returnPath)
            throws IOException {
        qemu.addTlsCredentials(certificates(), endpoint, Map.of());
        Map<String, Object> parameters = new HashMap<>();
        parameters.put("tls-creds", "tls0");
        parameters.put("tls-hostname", TestCertificates.HOST);
        parameters.put("max-bandwidth", 0);
        parameters.put("downtime-limit", 60_000);
        List<String> capabilities = new ArrayList<>();
        if (returnPath) capabilities.add("return-path");
        if (channels > 0) {
            capabilities.add("multifd");
            parameters.put("multifd-channels", channels);
        }
        if (!capabilities.isEmpty()) qemu.setCapabilities(capabilities.toArray(String[]::new));
        qemu.setParameters(parameters);
    }
}
