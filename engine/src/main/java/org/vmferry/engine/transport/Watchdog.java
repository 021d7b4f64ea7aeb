package org.vmferry.engine.transport;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Ends a command, with all its children, when it is told to, or this process ends, however that
 * comes: a shell beside it that waits for a word from here, and hears the pipe's end if there is
 * none. The command can't be its child: it keeps its terminal, on which it may ask for a password.
 *
 * <p>It is there first, and the command tells it its number before it begins. A command that has
 * ended itself, and left others running, has left them on purpose.
 */
final class Watchdog implements AutoCloseable {
    // Each is stopped first, which takes a moment: a shell whose child is killed goes on with its
    // next command. Its children come before it: those of a dead parent are no longer known to be
    // its.
    private static final String WATCH =
            """
            trap '' HUP INT QUIT TERM PIPE
            read -r command || exit
            echo "$command"
            read -r over && exit
            running() { grep -q '^State:[[:space:]]*[^TtZX[:space:]]' /proc/"$1"/status; }
            end() {
                kill -STOP "$1"
                tries=100
                while running "$1" && [ $((tries -= 1)) -gt 0 ]; do :; done
                for child in $(cat /proc/"$1"/task/*/children || pgrep -P "$1"); do
                    end "$child"
                done
                kill -KILL "$1"
            }
            end "$command"
            """;

    /** With the command and the watchdog's number: what it writes to is the watchdog's pipe. */
    private static final String TELL_AND_RUN = "echo $$ >/proc/$1/fd/0 && exec sh -c \"$0\"";

    private static final Path OWN_PIPES = Path.of("/proc/self/fd");
    private static final long GRACE_MS = 1000;
    private static final long START_NS = 10_000_000_000L;
    private static final long LOOK_NS = 500_000;

    private final Process shell;

    /** Waits for a command to be started. */
    Watchdog() throws IOException {
        shell =
                new ProcessBuilder("sh", "-c", WATCH)
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
    }

    /**
     * Starts the one command that it watches. Returns when the watchdog knows it: one that heard
     * first of its own end would leave the command to itself.
     *
     * @param builder where it reads and writes; its command is set here
     */
    Process start(String command, ProcessBuilder builder) throws IOException {
        boolean tells = Files.isDirectory(OWN_PIPES);
        if (tells) builder.command("sh", "-c", TELL_AND_RUN, command, "" + shell.pid());
        else builder.command("sh", "-c", command);
        Process started = builder.start();
        try {
            if (!tells) say(Long.toString(started.pid()));
            awaitHeard(started);
            return started;
        } catch (IOException e) {
            bite(started);
            throw e;
        }
    }

    private void awaitHeard(Process command) throws IOException {
        InputStream heard = shell.getInputStream();
        for (long end = System.nanoTime() + START_NS; heard.available() == 0; ) {
            boolean over = !command.isAlive() || !shell.isAlive();
            if (over || System.nanoTime() - end > 0) return;
            LockSupport.parkNanos(LOOK_NS);
        }
    }

    private void say(String word) throws IOException {
        OutputStream pipe = shell.getOutputStream();
        pipe.write((word + "\n").getBytes(StandardCharsets.US_ASCII));
        pipe.flush();
    }

    /** Ends the command, which has not ended yet, soon; if the watchdog was killed, without it. */
    void bite(Process command) {
        try {
            shell.getOutputStream().close();
        } catch (IOException e) {
            // It is gone.
        }
        if (shell.isAlive() || !command.isAlive()) return;
        List<ProcessHandle> all = new ArrayList<>();
        all.add(command.toHandle()); // the process itself would wait for who hangs in its stream
        command.descendants().forEach(all::add);
        all.forEach(ProcessHandle::destroyForcibly);
    }

    /** The command has ended, or was never started. */
    @Override
    public void close() {
        try (OutputStream _ = shell.getOutputStream();
                InputStream _ = shell.getInputStream()) {
            say("over");
        } catch (IOException e) {
            // It is gone.
        }
        try {
            if (!shell.waitFor(GRACE_MS, TimeUnit.MILLISECONDS)) shell.destroyForcibly();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
