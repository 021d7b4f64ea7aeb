package org.vmferry.it.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** Programs of the system that tests need. */
public final class Tools {
    private static final long SOON = TimeUnit.SECONDS.toNanos(20);

    private Tools() {}

    /** Skips the test where one of them isn't; with CI=true it fails. */
    public static void require(String... names) {
        for (String name : names) {
            boolean there =
                    Stream.of(System.getenv("PATH").split(":"))
                            .anyMatch(folder -> Files.isExecutable(Path.of(folder, name)));
            require(there, "no " + name + "; .ci/install-tls installs it");
        }
    }

    /** The same of anything: what is missing says what to do. */
    public static void require(boolean there, String missing) {
        if ("true".equals(System.getenv("CI"))) assertThat(there).as(missing).isTrue();
        assumeTrue(there, missing);
    }

    /** Runs one to its end, which must be a good one. */
    public static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as("%s: %s", List.of(command), said).isZero();
    }

    /** Sends a process a signal, such as STOP. */
    public static void signal(long pid, String name) throws IOException, InterruptedException {
        run("kill", "-" + name, Long.toString(pid));
    }

    /** The words as one line for a shell. */
    public static String line(List<String> words) {
        List<String> quoted = new ArrayList<>();
        for (String word : words) quoted.add("'" + word.replace("'", "'\\''") + "'");
        return String.join(" ", quoted);
    }

    /** A TCP port of the loopback on which nobody listens yet. */
    public static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** Waits until somebody listens at 127.0.0.1 and this port; doesn't connect. */
    public static void awaitListening(int port) throws IOException {
        String listening = " 0100007F:%04X 00000000:0000 0A ".formatted(port);
        long end = System.nanoTime() + SOON;
        while (!Files.readString(Path.of("/proc/net/tcp")).contains(listening)) {
            assertThat(System.nanoTime()).as("nobody listens at %d", port).isLessThan(end);
            LockSupport.parkNanos(200_000);
        }
    }
}
