package org.vmferry.it.support;

import static org.assertj.core.api.Assertions.assertThat;

import org.vmferry.cli.Main;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The command in a process of its own, as the launcher starts it, to be sent signals. */
public final class Launched implements AutoCloseable {
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(60);

    private final Process process;
    private final Path out;
    private final Path err;

    /** What is waited for. */
    public interface Condition {
        boolean holds() throws Exception;
    }

    private Launched(Process process, Path out, Path err) {
        this.process = process;
        this.out = out;
        this.err = err;
    }

    /**
     * Starts it.
     *
     * @param notes where what it prints is kept
     * @param temporary its folder for temporary files
     */
    public static Launched with(Path notes, Path temporary, Object... arguments)
            throws IOException {
        return with(notes.resolve("out"), notes.resolve("err"), temporary, arguments);
    }

    /** Starts it with options of its JVM. */
    public static Launched with(List<String> jvm, Path notes, Object... arguments)
            throws IOException {
        return start(jvm, notes.resolve("out"), notes.resolve("err"), notes, arguments);
    }

    /** Starts it with its input coming from there. */
    public static Launched reading(ProcessBuilder.Redirect in, Path notes, Object... arguments)
            throws IOException {
        return start(List.of(), in, notes.resolve("out"), notes.resolve("err"), notes, arguments);
    }

    /** Where it reads from, if that is a pipe. */
    public OutputStream in() {
        return process.getOutputStream();
    }

    /** Starts it with its output going to these. */
    public static Launched with(Path out, Path err, Path temporary, Object... arguments)
            throws IOException {
        return start(List.of(), out, err, temporary, arguments);
    }

    private static Launched start(
            List<String> jvm, Path out, Path err, Path temporary, Object... arguments)
            throws IOException {
        var nothing = ProcessBuilder.Redirect.from(new File("/dev/null"));
        return start(jvm, nothing, out, err, temporary, arguments);
    }

    private static Launched start(
            List<String> jvm,
            ProcessBuilder.Redirect in,
            Path out,
            Path err,
            Path temporary,
            Object... arguments)
            throws IOException {
        List<String> line =
                new ArrayList<>(
                        List.of(
                                "env", // a build in the background ignores some, its children too
                                "--default-signal=HUP,INT,TERM",
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-Djava.io.tmpdir=" + temporary,
                                "--enable-native-access=ALL-UNNAMED",
                                "-XX:+UseSerialGC",
                                "-XX:TieredStopAtLevel=1"));
        line.addAll(jvm);
        line.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        Stream.of(arguments).map(Object::toString).forEach(line::add);
        return new Launched(
                new ProcessBuilder(line)
                        .redirectInput(in)
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile())
                        .start(),
                out,
                err);
    }

    /** Sends a signal, such as TERM. */
    public void signal(String name) throws Exception {
        Tools.signal(process.pid(), name);
    }

    /** All that it has started, and what these have. */
    public List<ProcessHandle> descendants() {
        return process.descendants().toList();
    }

    /** Waits until it has come so far. */
    public void await(Condition condition) throws Exception {
        long deadline = System.nanoTime() + PATIENCE;
        while (!condition.holds()) {
            assertThat(process.isAlive()).as("it lives: %s", err()).isTrue();
            assertThat(System.nanoTime()).as("it comes so far: %s", err()).isLessThan(deadline);
            process.waitFor(2, TimeUnit.MILLISECONDS);
        }
    }

    /** Waits until it has said something on standard error. */
    public void awaitSaid(String text) throws Exception {
        await(() -> err().contains(text));
    }

    /** Whether it has a file open. */
    public boolean hasOpen(Path file) throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc/" + process.pid() + "/fd"))) {
            return all.anyMatch(one -> leadsTo(one, file));
        }
    }

    private static boolean leadsTo(Path descriptor, Path file) {
        try {
            return Files.readSymbolicLink(descriptor).equals(file);
        } catch (IOException e) {
            return false; // closed meanwhile
        }
    }

    /** Waits until it does nothing for a while, and not because a busy machine does not let it. */
    public void awaitIdle() throws Exception {
        await(
                () -> {
                    var before = process.info().totalCpuDuration();
                    return allWait()
                            && livesFor(300)
                            && allWait()
                            && process.info().totalCpuDuration().equals(before);
                });
    }

    /** Whether none of its threads runs, or could. */
    private boolean allWait() throws IOException {
        Path tasks = Path.of("/proc/" + process.pid() + "/task");
        try (Stream<Path> all = Files.list(tasks)) {
            return all.noneMatch(Launched::isRunnable);
        }
    }

    private static boolean isRunnable(Path task) {
        try {
            String stat = Files.readString(task.resolve("stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2) == 'R';
        } catch (IOException e) {
            return false; // it has ended meanwhile
        }
    }

    /** Waits for its end; its exit status, as a shell tells it. */
    public int end(long seconds) throws InterruptedException {
        assertThat(process.waitFor(seconds, TimeUnit.SECONDS))
                .as("it ends within %d s", seconds)
                .isTrue();
        return process.exitValue();
    }

    /** Whether it runs on for so long. */
    public boolean livesFor(long ms) throws InterruptedException {
        return !process.waitFor(ms, TimeUnit.MILLISECONDS);
    }

    public String out() throws IOException {
        return Files.readString(out);
    }

    public String err() throws IOException {
        return Files.readString(err);
    }

    @Override
    public void close() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }
}
