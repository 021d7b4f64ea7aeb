package org.vmferry.it.support;

import static org.assertj.core.api.Assertions.assertThat;

import org.vmferry.cli.Main;

import picocli.CommandLine;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** The command, run in this process as a person would. */
public final class Commands {
    private static final Path SOCKETS = Path.of("/proc/net/unix");
    private static final String ACCEPTS = " 00010000 "; // the kernel's SO_ACCEPTCON

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    /** Runs it to its end: its exit status. */
    public int run(Object... arguments) {
        CommandLine command = Main.commandLine();
        command.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        return command.execute(Stream.of(arguments).map(Object::toString).toArray(String[]::new));
    }

    /** Runs one that ends with this status. */
    public static Commands ending(int status, Object... arguments) {
        Commands command = new Commands();
        assertThat(command.run(arguments)).as(command.err()).isEqualTo(status);
        return command;
    }

    /** Begins it; the task's value is its exit status. */
    public FutureTask<Integer> begin(Object... arguments) {
        FutureTask<Integer> status = new FutureTask<>(() -> run(arguments));
        Thread.ofPlatform().daemon().start(status);
        return status;
    }

    /** Waits until somebody listens there, which is later than that there is a socket. */
    public static void await(Path socket) throws IOException {
        long end = System.nanoTime() + 60_000_000_000L;
        while (!Files.exists(socket) || !isListening(socket)) {
            assertThat(System.nanoTime()).as("waiting for %s", socket).isLessThan(end);
            LockSupport.parkNanos(200_000);
        }
    }

    private static boolean isListening(Path socket) throws IOException {
        if (!Files.isReadable(SOCKETS)) return true; // no Linux
        try (Stream<String> sockets = Files.lines(SOCKETS, StandardCharsets.ISO_8859_1)) {
            return sockets.filter(line -> line.endsWith(" " + name(socket)))
                    .anyMatch(line -> line.contains(ACCEPTS));
        }
    }

    /** As its bytes read in Latin 1. */
    private static String name(Path socket) {
        byte[] bytes = socket.toString().getBytes(StandardCharsets.UTF_8);
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    public String out() {
        return out.toString();
    }

    public String err() {
        return err.toString();
    }
}
