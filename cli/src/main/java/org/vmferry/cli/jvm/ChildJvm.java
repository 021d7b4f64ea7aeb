package org.vmferry.cli.jvm;

import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A second JVM with this one's class path and security properties, which is told what to do and
 * answers in lines. Its program is to end with its input, and so ends with this process, however
 * that does.
 */
public final class ChildJvm implements AutoCloseable {
    /** TLS key limits, and whether there are native calls. */
    private static final List<String> INHERITED =
            List.of("java.security.properties", "vmferry.native");

    private final String name;
    private final Process process;
    private final BufferedReader in;
    private final Writer out;

    /**
     * Starts it.
     *
     * @param program has the main method
     * @param arguments the program's
     * @throws IOException if it can't be started
     */
    public ChildJvm(Class<?> program, String... arguments) throws IOException {
        this(List.of(), List.of(), program, arguments);
    }

    /**
     * Starts it by another command.
     *
     * @param by what runs the command that follows it, such as {@code ip netns exec slow}; may be
     *     empty
     * @param options of the JVM's, besides those that it takes from this one
     * @param program has the main method
     * @param arguments the program's
     * @throws IOException if it can't be started
     */
    public ChildJvm(List<String> by, List<String> options, Class<?> program, String... arguments)
            throws IOException {
        name = program.getSimpleName();
        List<String> command = new ArrayList<>(by);
        command.addAll(command(options, program, arguments));
        process =
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        in = process.inputReader(StandardCharsets.UTF_8);
        out = process.outputWriter(StandardCharsets.UTF_8);
    }

    /**
     * What starts a JVM like this one.
     *
     * @param options of the JVM's, besides those that it takes from this one
     * @param program has the main method
     * @param arguments the program's
     * @return words
     */
    public static List<String> command(
            List<String> options, Class<?> program, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("-XX:+UseSerialGC");
        for (String name : INHERITED) {
            String value = System.getProperty(name);
            if (value != null) command.add("-D" + name + "=" + value);
        }
        command.addAll(options);
        Module module = program.getModule();
        if (module.isNamed()) { // a runtime that has them all within
            command.add("-m");
            command.add(module.getName() + "/" + program.getName());
        } else {
            command.add("-cp");
            command.add(System.getProperty("java.class.path"));
            command.add(program.getName());
        }
        command.addAll(List.of(arguments));
        return command;
    }

    /**
     * Tells it something.
     *
     * @param line what
     * @return what it answers
     * @throws IOException if it has ended
     */
    public String ask(String line) throws IOException {
        tell(line);
        return answer();
    }

    /**
     * Tells it something to which it has no answer yet.
     *
     * @param line what
     * @throws IOException if it has ended
     */
    public void tell(String line) throws IOException {
        out.write(line + "\n");
        out.flush();
    }

    /**
     * Waits for its next line.
     *
     * @return the line
     * @throws EOFException if it has ended
     * @throws IOException if it can't be read
     */
    public String answer() throws IOException {
        String line = in.readLine();
        if (line == null) throw new EOFException("the process of " + name + " has ended");
        return line;
    }

    /**
     * Its number.
     *
     * @return the system's
     */
    public long pid() {
        return process.pid();
    }

    /** Kills it, if it still runs: nothing in it is told. Returns at once. */
    public void kill() {
        process.destroyForcibly();
    }

    /** Kills it, and waits until it is gone. */
    @Override
    public void close() {
        kill();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
