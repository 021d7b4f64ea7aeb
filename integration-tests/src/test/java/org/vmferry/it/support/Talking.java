package org.vmferry.it.support;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** A command that is told something now and then, and what it says. */
public final class Talking implements AutoCloseable {
    private static final long SOON = TimeUnit.SECONDS.toNanos(20);

    private final Process process;
    private final Path said;

    /**
     * Starts it.
     *
     * @param said where what it says is kept
     */
    public Talking(Path said, List<String> command) throws IOException {
        this.said = said;
        process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(said.toFile())
                        .start();
    }

    /** Starts one that listens at 127.0.0.1, and waits until it does. */
    public static Talking listening(Path said, List<String> command, int port) throws Exception {
        Talking server = new Talking(said, command);
        try {
            Tools.awaitListening(port);
            return server;
        } catch (Exception | AssertionError e) {
            server.close();
            throw e;
        }
    }

    /** Tells it a line. */
    public void tell(String line) throws IOException {
        process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
    }

    /** Sends it a signal, such as STOP. */
    public void signal(String name) throws IOException, InterruptedException {
        Tools.signal(process.pid(), name);
    }

    /** Waits until it has said this. */
    public void awaitSaid(String text) throws Exception {
        awaitSaid(text, 1);
    }

    /** Waits until it has said this so many times. */
    public void awaitSaid(String text, int times) throws Exception {
        long end = System.nanoTime() + SOON;
        while (said().split(Pattern.quote(text), -1).length <= times) {
            assertThat(System.nanoTime()).as("it says '%s': %s", text, said()).isLessThan(end);
            process.waitFor(2, TimeUnit.MILLISECONDS);
        }
    }

    /** What it has said so far. */
    public String said() throws IOException {
        return Files.readString(said, StandardCharsets.ISO_8859_1);
    }

    /** Waits for its end; its exit status. */
    public int end() throws InterruptedException {
        assertThat(process.waitFor(SOON, TimeUnit.NANOSECONDS)).as("it ends").isTrue();
        return process.exitValue();
    }

    @Override
    public void close() throws Exception {
        process.destroyForcibly().waitFor();
    }
}
