package org.vmferry.cli.bench;

import org.vmferry.engine.json.Json;

import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A QEMU whose RAM is a file, or its own, driven over QMP on its standard streams. */
final class QemuProcess implements AutoCloseable {
    private final Process process;
    private final BufferedReader in;
    private final Writer out;

    /**
     * Starts one, stopped.
     *
     * @param binary such as qemu-system-x86_64
     * @param ram the file that holds its RAM, or null for memory as plain -m has it
     * @param size of its RAM, in bytes
     * @param rom what it runs in place of firmware, or null
     * @param incoming whether it waits for a migration
     * @param prealloc whether it touches its RAM first
     * @throws IOException if it does not come up
     */
    QemuProcess(String binary, Path ram, long size, Path rom, boolean incoming, boolean prealloc)
            throws IOException {
        List<String> line =
                new ArrayList<>(
                        List.of(
                                binary,
                                "-M",
                                "pc,memory-backend=pc.ram",
                                "-m",
                                (size >> 20) + "M",
                                "-object",
                                (ram == null
                                                ? "memory-backend-ram"
                                                : "memory-backend-file,share=on,mem-path=" + ram)
                                        + ",id=pc.ram,size="
                                        + size
                                        + (prealloc ? ",prealloc=on" : ""),
                                "-S",
                                "-nodefaults",
                                "-display",
                                "none",
                                "-accel",
                                "tcg",
                                "-qmp",
                                "stdio"));
        if (rom != null) line.addAll(List.of("-bios", rom.toString()));
        if (incoming) line.addAll(List.of("-incoming", "defer"));
        process = new ProcessBuilder(line).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        in = process.inputReader(StandardCharsets.UTF_8);
        out = process.outputWriter(StandardCharsets.UTF_8);
        try {
            execute("qmp_capabilities", Map.of());
        } catch (IOException | RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /** Runs a command. */
    Map<?, ?> execute(String command, Map<String, ?> arguments) throws IOException {
        out.write(Json.write(Map.of("execute", command, "arguments", arguments)) + "\n");
        out.flush();
        for (String line; (line = in.readLine()) != null; ) {
            Map<?, ?> answer = (Map<?, ?>) Json.parse(line);
            if (answer.containsKey("error"))
                throw new IOException("QEMU, " + command + ": " + answer.get("error"));
            if (answer.get("return") instanceof Map<?, ?> value) return value;
        }
        throw new EOFException("QEMU ended during " + command);
    }

    /** Sets what a migration is to be like. */
    void set(List<String> capabilities, Map<String, ?> parameters) throws IOException {
        List<Map<String, ?>> on = new ArrayList<>();
        for (String name : capabilities) on.add(Map.of("capability", name, "state", true));
        execute("migrate-set-capabilities", Map.of("capabilities", on));
        execute("migrate-set-parameters", parameters);
    }

    /** Where a destination listens on the loopback, on a port that the system chose. */
    String address() throws IOException {
        Map<?, ?> state = execute("query-migrate", Map.of());
        if (state.get("socket-address") instanceof List<?> all
                && !all.isEmpty()
                && all.getFirst() instanceof Map<?, ?> one)
            return "tcp:127.0.0.1:" + one.get("port");
        throw new IOException("QEMU does not say where it listens: " + state);
    }

    /** Waits for the end of the migration that was begun. */
    void await() throws IOException, InterruptedException {
        while (true) {
            Map<?, ?> state = execute("query-migrate", Map.of());
            switch (String.valueOf(state.get("status"))) {
                case "completed" -> {
                    return;
                }
                case "failed" -> throw new IOException("QEMU failed: " + state.get("error-desc"));
                default -> TimeUnit.MILLISECONDS.sleep(2);
            }
        }
    }

    /** Which process it is. */
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
