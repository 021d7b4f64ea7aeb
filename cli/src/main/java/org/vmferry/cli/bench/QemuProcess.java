package org.vmferry.cli.bench;

import org.vmferry.engine.json.Json;

import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A QEMU whose RAM is a file, or its own, driven over QMP on its standard streams. */
final class QemuProcess implements AutoCloseable {
    private final Process process;
    private final BufferedReader in;
    private final Writer out;

    /** How one is to be: without more words its memory is its own, and it is a source. */
    static final class Builder {
        private final String binary;
        private final long size;
        private Path ram;
        private Path rom;
        private boolean incoming;
        private boolean prealloc;
        private final List<String> more = new ArrayList<>();

        private Builder(String binary, long size) {
            this.binary = binary;
            this.size = size;
        }

        /** The file that holds its RAM, or null for memory as plain -m has it. */
        Builder ram(Path file) {
            ram = file;
            return this;
        }

        /** What it runs in place of firmware. */
        Builder rom(Path file) {
            rom = file;
            return this;
        }

        /** Whether it waits for a migration. */
        Builder incoming(boolean waits) {
            incoming = waits;
            return this;
        }

        /** Whether it makes all pages of its RAM first. */
        Builder prealloc(boolean makes) {
            prealloc = makes;
            return this;
        }

        /** What part of its RAM is in use, and the file that has a run's content. */
        Builder sparse(SparseRam sparse, Path run) {
            for (long offset : sparse.offsets())
                more.addAll(
                        List.of(
                                "-device",
                                "loader,force-raw=on,file=%s,addr=%d"
                                        .formatted(run, address(size, offset))));
            return this;
        }

        /** Where a guest of this machine sees its RAM: what does not fit below devices is above. */
        static long address(long size, long offset) {
            boolean split = size >= 0xe000_0000L;
            return split && offset >= 3L << 30 ? offset + (1L << 30) : offset;
        }

        private String backend() {
            // QEMU refuses both; without prealloc it may be more than the machine has.
            String own = prealloc ? "memory-backend-ram" : "memory-backend-ram,reserve=off";
            return (ram == null ? own : "memory-backend-file,share=on,mem-path=" + ram)
                    + ",id=pc.ram,size="
                    + size
                    + (prealloc ? ",prealloc=on" : "");
        }

        private List<String> line() {
            List<String> line =
                    new ArrayList<>(
                            List.of(
                                    binary,
                                    "-M",
                                    "pc,memory-backend=pc.ram",
                                    "-m",
                                    (size >> 20) + "M",
                                    "-object",
                                    backend(),
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
            line.addAll(more);
            return line;
        }

        /**
         * Starts it, stopped.
         *
         * @throws IOException if it does not come up
         */
        QemuProcess start() throws IOException {
            return new QemuProcess(line());
        }
    }

    /**
     * Begins to say how one is to be.
     *
     * @param binary such as qemu-system-x86_64
     * @param size of its RAM, in bytes
     */
    static Builder builder(String binary, long size) {
        return new Builder(binary, size);
    }

    /**
     * Starts one whose memory is its own, with a file's content: another one moves there.
     *
     * @param binary such as qemu-system-x86_64
     * @param size of its RAM, in bytes
     * @param ram the file
     */
    static QemuProcess copyOf(String binary, long size, Path ram)
            throws IOException, InterruptedException {
        QemuProcess copy = builder(binary, size).incoming(true).start();
        try (var original = builder(binary, size).ram(ram).start()) {
            original.move(copy, List.of("max-bandwidth=0"));
            return copy;
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            copy.close();
            throw e;
        }
    }

    private QemuProcess(List<String> line) throws IOException {
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

    /** Sets what a migration is to be like: capabilities, and parameters as name=value. */
    void set(List<String> options) throws IOException {
        List<Map<String, ?>> on = new ArrayList<>();
        Map<String, Object> parameters = new LinkedHashMap<>();
        for (String word : options) {
            String[] option = word.split("=", 2);
            if (option.length == 1) on.add(Map.of("capability", word, "state", true));
            else parameters.put(option[0], value(option[1]));
        }
        execute("migrate-set-capabilities", Map.of("capabilities", on));
        execute("migrate-set-parameters", parameters);
    }

    private static Object value(String word) {
        return switch (word) {
            case "on" -> true;
            case "off" -> false;
            default -> word.matches("[0-9]++") ? (Object) Long.parseLong(word) : word;
        };
    }

    /**
     * Moves the machine into another one's over the loopback.
     *
     * @param target waits for it
     * @param options of both
     * @return what both took until both were done
     */
    Cost move(QemuProcess target, List<String> options) throws IOException, InterruptedException {
        for (QemuProcess end : List.of(this, target)) end.set(options);
        target.execute("migrate-incoming", Map.of("uri", "tcp:127.0.0.1:0"));
        String uri = target.address();
        Cost.Meter meter = Cost.of(pid(), target.pid());
        execute("migrate", Map.of("uri", uri));
        await();
        target.await();
        return meter.read();
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

    /** Lets its guest run. */
    void run() throws IOException {
        execute("cont", Map.of());
    }

    /** Saves into a file, or loads one, and waits for the end. */
    void await(String command, String uri, List<String> options)
            throws IOException, InterruptedException {
        set(options);
        execute(command, Map.of("uri", uri));
        await();
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
