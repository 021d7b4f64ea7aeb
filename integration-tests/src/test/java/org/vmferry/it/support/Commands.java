package org.vmferry.it.support;

import static org.assertj.core.api.Assertions.assertThat;

import org.vmferry.cli.Main;

import picocli.CommandLine;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;

/** The command, run in this process as a person would. */
public final class Commands {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    /** Runs it to its end: its exit status. */
    public int run(Object... arguments) {
        CommandLine command = Main.commandLine();
        command.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        return command.execute(Stream.of(arguments).map(Object::toString).toArray(String[]::new));
    }

    /** Begins it; the task's value is its exit status. */
    public FutureTask<Integer> begin(Object... arguments) {
        FutureTask<Integer> status = new FutureTask<>(() -> run(arguments));
        Thread.ofPlatform().daemon().start(status);
        return status;
    }

    /** Waits until somebody listens there. */
    public static void await(Path socket) throws IOException {
        long end = System.nanoTime() + 20_000_000_000L;
        while (!Files.exists(socket)) {
            assertThat(System.nanoTime()).as("waiting for %s", socket).isLessThan(end);
            Thread.onSpinWait();
        }
    }

    public String out() {
        return out.toString();
    }

    public String err() {
        return err.toString();
    }
}
