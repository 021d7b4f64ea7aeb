package org.vmferry.cli.bench;

import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** A second JVM, started as this one was, that is the {@link Destination}. */
final class DestinationProcess implements AutoCloseable {
    private final Process process;
    private final BufferedReader in;
    private final Writer out;

    DestinationProcess() throws IOException {
        process =
                new ProcessBuilder(
                                List.of(
                                        Path.of(System.getProperty("java.home"), "bin", "java")
                                                .toString(),
                                        "--enable-native-access=ALL-UNNAMED",
                                        "-XX:+UseSerialGC",
                                        "-cp",
                                        System.getProperty("java.class.path"),
                                        Destination.class.getName()))
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        in = process.inputReader(StandardCharsets.UTF_8);
        out = process.outputWriter(StandardCharsets.UTF_8);
    }

    /** Begins to receive; returns where it listens. */
    String receive(long size, String codec, boolean touch, Path ram) throws IOException {
        out.write(size + " " + codec + " " + touch + " " + ram + "\n");
        out.flush();
        return answer();
    }

    /** Waits until it has received. */
    void await() throws IOException {
        answer();
    }

    private String answer() throws IOException {
        String line = in.readLine();
        if (line == null) throw new EOFException("the destination's process ended");
        return line;
    }

    long pid() {
        return process.pid();
    }

    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
