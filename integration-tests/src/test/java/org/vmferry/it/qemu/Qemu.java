package org.vmferry.it.qemu;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * A real QEMU, the referee of this project, with a {@link GuestRom} running in it.
 *
 * <p>Any thread may call any method. All of them throw {@link QmpException} when QEMU refuses, and
 * IOException when it is gone or silent; then the message has what QEMU printed. {@link #close}
 * kills the process and deletes its files.
 */
public final class Qemu implements AutoCloseable {
    static final String ROM = "guest.rom";
    static final String SERIAL = "serial";
    static final String SOCKET = "qmp";
    private static final String STDERR = "stderr";

    private static final Duration START_DEADLINE = Duration.ofSeconds(30);
    private static final int POLL_MILLIS = 10;
    private static final Set<String> ENDS = Set.of("completed", "failed", "cancelled");

    private final QemuBinary binary;
    private final Path folder;
    private final Process process;
    private final Thread killer;
    private final QmpClient qmp;

    private Qemu(QemuBinary binary, Path folder, Process process) throws IOException {
        this.binary = binary;
        this.folder = folder;
        this.process = process;
        // A JVM that is told to end must not leave guests behind that eat a processor for ever.
        killer = new Thread(process::destroyForcibly, "qemu-killer");
        Runtime.getRuntime().addShutdownHook(killer);
        qmp = connect();
    }

    /** Describes a QEMU to start. */
    public static QemuBuilder builder() {
        return new QemuBuilder();
    }

    static Qemu start(QemuBinary binary, Path folder, List<String> command) throws IOException {
        Process process =
                new ProcessBuilder(command)
                        .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .redirectError(folder.resolve(STDERR).toFile())
                        .start();
        try {
            return new Qemu(binary, folder, process);
        } catch (IOException | RuntimeException | Error e) {
            process.destroyForcibly();
            throw e;
        }
    }

    private QmpClient connect() throws IOException {
        long until = System.nanoTime() + START_DEADLINE.toNanos();
        while (true) {
            try {
                return QmpClient.connect(folder.resolve(SOCKET), START_DEADLINE);
            } catch (IOException e) {
                if (!process.isAlive() || System.nanoTime() > until) throw explained(e);
                pause();
            }
        }
    }

    /** The QEMU that runs here. */
    public QemuBinary binary() {
        return binary;
    }

    /** The process: to kill it, stop it, look at it. */
    public Process process() {
        return process;
    }

    /** The connection to it, for events and for commands with a deadline of their own. */
    public QmpClient qmp() {
        return qmp;
    }

    /** A folder that goes away with this QEMU. */
    public Path folder() {
        return folder;
    }

    /** Has QEMU execute a QMP command, and returns what it returns. */
    public Object execute(String command, Map<String, ?> arguments) throws IOException {
        try {
            return qmp.execute(command, arguments);
        } catch (IOException e) {
            throw explained(e);
        }
    }

    /** Switches these migration capabilities on. */
    public void setCapabilities(String... names) throws IOException {
        var capabilities =
                Stream.of(names).map(n -> Map.of("capability", n, "state", true)).toList();
        execute("migrate-set-capabilities", Map.of("capabilities", capabilities));
    }

    /** Sets migration parameters, by QEMU's names and in its units. */
    public void setParameters(Map<String, ?> parameters) throws IOException {
        execute("migrate-set-parameters", parameters);
    }

    /**
     * Adds the credentials {@code tls0}, which the parameter tls-creds may then name. Its peer has
     * to show a certificate.
     *
     * @param endpoint client or server
     * @param more properties, such as priority; those given here go before the others
     */
    public void addTlsCredentials(Path folder, String endpoint, Map<String, ?> more)
            throws IOException {
        Map<String, Object> all = new HashMap<>();
        all.put("qom-type", "tls-creds-x509");
        all.put("id", "tls0");
        all.put("dir", folder.toString());
        all.put("endpoint", endpoint);
        all.put("verify-peer", true);
        all.putAll(more);
        execute("object-add", all);
    }

    /** Starts an outgoing migration; returns at once. */
    public void migrate(String uri) throws IOException {
        execute("migrate", Map.of("uri", uri));
    }

    /**
     * Starts to wait for, or to load, an incoming migration; returns at once. Where it can (9.1 and
     * later), QEMU survives a failure, and {@link #awaitMigration} tells it.
     */
    public void migrateIncoming(String uri) throws IOException {
        execute(
                "migrate-incoming",
                binary.atLeast(9, 1)
                        ? Map.of("uri", uri, "exit-on-error", false)
                        : Map.of("uri", uri));
    }

    /** The TCP port on which an incoming migration listens. */
    public int incomingPort() throws IOException {
        var addresses = (List<?>) migration().get("socket-address");
        return Integer.parseInt((String) QmpClient.object(addresses.getFirst()).get("port"));
    }

    /** What query-migrate tells about the migration, outgoing or incoming. */
    public Map<String, Object> migration() throws IOException {
        return QmpClient.object(execute("query-migrate", Map.of()));
    }

    /**
     * Waits until the migration is complete.
     *
     * @return query-migrate's last answer
     * @throws MigrationFailedException if it fails or is cancelled
     */
    public Map<String, Object> awaitMigration(Duration deadline) throws IOException {
        return awaitMigration("completed", deadline);
    }

    /**
     * Waits until the migration has this status, such as {@code pre-switchover}.
     *
     * @return query-migrate's last answer
     * @throws MigrationFailedException if it ends with another status
     */
    public Map<String, Object> awaitMigration(String status, Duration deadline) throws IOException {
        return await(
                this::migration,
                info -> {
                    Object now = info.getOrDefault("status", "none");
                    if (!now.equals(status) && ENDS.contains(now)) {
                        throw new MigrationFailedException(
                                now.toString(),
                                info.getOrDefault("error-desc", "").toString(),
                                printed());
                    }
                    return now.equals(status);
                },
                deadline,
                "a migration that is '" + status + "'");
    }

    /** Lets the guest run. */
    public void cont() throws IOException {
        execute("cont", Map.of());
    }

    /** Pauses the guest. */
    public void stop() throws IOException {
        execute("stop", Map.of());
    }

    /** The run state, such as {@code running}, {@code paused}, {@code inmigrate}. */
    public String status() throws IOException {
        return (String) QmpClient.object(execute("query-status", Map.of())).get("status");
    }

    /** Waits until the run state is this one. */
    public void awaitStatus(String status, Duration deadline) throws IOException {
        await(this::status, status::equals, deadline, "the run state '" + status + "'");
    }

    /** The guest's memory from this guest address on, length in bytes, below 2 GiB. */
    public byte[] memory(long address, int length) throws IOException {
        Path file = Files.createTempFile(folder, "memory", "");
        try {
            saveMemory(address, length, file);
            return Files.readAllBytes(file);
        } finally {
            Files.delete(file);
        }
    }

    /** Writes the guest's memory from this guest address on, length in bytes, to a file. */
    public void saveMemory(long address, long length, Path file) throws IOException {
        execute(
                "pmemsave",
                Map.of(
                        "val",
                        address,
                        "size",
                        length,
                        "filename",
                        file.toAbsolutePath().toString()));
    }

    /**
     * Writes a stream of the devices alone, without RAM, to a file. QEMU lets the guest run again
     * afterwards if it did before.
     */
    public void saveDevices(Path file) throws IOException {
        execute("xen-save-devices-state", Map.of("filename", file.toAbsolutePath().toString()));
    }

    /** What the guest has printed so far. */
    public String serial() throws IOException {
        return Files.readString(folder.resolve(SERIAL), StandardCharsets.ISO_8859_1);
    }

    /**
     * Waits until the guest has printed so many characters more than when this was called.
     *
     * @return all it has printed
     */
    public String awaitSerial(int more, Duration deadline) throws IOException {
        int enough = serial().length() + more;
        return await(
                this::serial,
                serial -> serial.length() >= enough,
                deadline,
                more + " more characters from the guest");
    }

    /**
     * Waits until the guest has printed this text at any time.
     *
     * @return all it has printed
     */
    public String awaitSerial(String text, Duration deadline) throws IOException {
        return await(
                this::serial,
                serial -> serial.contains(text),
                deadline,
                "'" + text + "' from the guest");
    }

    /** What QEMU itself has printed so far. */
    public String stderr() {
        try {
            return Files.readString(folder.resolve(STDERR), StandardCharsets.ISO_8859_1).strip();
        } catch (IOException e) {
            return "(not to be read: " + e + ")";
        }
    }

    /** Ends QEMU in good order, within ten seconds. */
    public void quit() throws IOException {
        execute("quit", Map.of());
        try {
            if (process.waitFor(10, TimeUnit.SECONDS)) return;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        throw explained(new IOException("QEMU does not quit"));
    }

    @Override
    public void close() throws IOException {
        try (qmp) {
            process.destroyForcibly();
            process.onExit().orTimeout(10, TimeUnit.SECONDS).join();
        } finally {
            forget(killer);
            delete(folder);
        }
    }

    static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) return;
        try (Stream<Path> tree = Files.walk(folder)) {
            tree.sorted(Comparator.reverseOrder()).forEach(Qemu::deleteFile);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static void deleteFile(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void forget(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The JVM is going down: the hook runs anyway, and does no harm.
        }
    }

    /** What can be asked of a QEMU. */
    private interface Question<T> {
        T ask() throws IOException;
    }

    private <T> T await(Question<T> question, Predicate<T> arrived, Duration deadline, String what)
            throws IOException {
        long until = System.nanoTime() + deadline.toNanos();
        while (true) {
            boolean last = System.nanoTime() > until || !process.isAlive();
            T answer = question.ask();
            if (arrived.test(answer)) return answer;
            if (last) {
                throw explained(
                        new IOException(
                                "Waited up to %s for %s; now: '%s'"
                                        .formatted(deadline, what, answer)));
            }
            pause();
        }
    }

    /** Until it is worth while to ask again; no longer than it lives. */
    private void pause() throws IOException {
        try {
            process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("Interrupted while waiting for QEMU", e);
        }
    }

    private IOException explained(IOException e) {
        String fate = process.isAlive() ? "" : "; QEMU exited with " + process.exitValue();
        return new IOException(e.getMessage() + fate + printed(), e);
    }

    private String printed() {
        String text = stderr();
        return text.isEmpty() ? "" : "; QEMU printed: " + text;
    }
}
