package org.vmferry.it.qemu;

import org.vmferry.engine.json.Json;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * Speaks QMP, QEMU's control protocol, over a unix domain socket.
 *
 * <p>Any thread may call any method; commands of several threads may be under way at once. No wait
 * is without a deadline, and {@link #close} ends all of them.
 */
public final class QmpClient implements AutoCloseable {

    /** How long {@link #execute(String, Map)} waits for the answer. */
    public static final Duration DEFAULT_DEADLINE = Duration.ofSeconds(30);

    private static final int LONGEST_LINE = Json.MAX_LENGTH;

    private final SocketChannel socket;
    private final Thread reader;
    private final Object writing = new Object();

    // All below is guarded by this client's monitor, which is notified of every change.
    private final Map<Long, Map<String, Object>> replies = new HashMap<>();
    private final List<QmpEvent> events = new ArrayList<>();
    private Map<String, Object> greeting;
    private long lastId;
    private IOException end;

    private QmpClient(SocketChannel socket) {
        this.socket = socket;
        reader = Thread.ofPlatform().daemon().name("qmp-reader").unstarted(this::read);
    }

    /**
     * Connects and leaves negotiation mode.
     *
     * @throws IOException if nobody listens there, or it does not greet in QMP before the deadline
     */
    public static QmpClient connect(Path path, Duration deadline) throws IOException {
        var socket = SocketChannel.open(StandardProtocolFamily.UNIX);
        var client = new QmpClient(socket);
        try {
            socket.connect(UnixDomainSocketAddress.of(path));
            client.reader.start();
            synchronized (client) {
                client.await(() -> client.greeting != null, deadline, "QMP's greeting");
            }
            client.execute("qmp_capabilities", Map.of(), deadline);
            return client;
        } catch (IOException | RuntimeException | Error e) {
            client.close();
            throw e;
        }
    }

    /** The version in QEMU's greeting, such as 10.0.2. */
    public synchronized String version() {
        var qmp = (Map<?, ?>) greeting.get("QMP");
        var qemu = (Map<?, ?>) ((Map<?, ?>) qmp.get("version")).get("qemu");
        return qemu.get("major") + "." + qemu.get("minor") + "." + qemu.get("micro");
    }

    /**
     * As {@link #execute(String, Map, Duration)}, within {@link #DEFAULT_DEADLINE}.
     *
     * @throws QmpException if QEMU refuses
     * @throws IOException if the connection ends, or no answer comes in time
     */
    public Object execute(String command, Map<String, ?> arguments) throws IOException {
        return execute(command, arguments, DEFAULT_DEADLINE);
    }

    /**
     * Has QEMU execute a command.
     *
     * @return what it returns, as {@link Json} has it: an empty map for most commands
     * @throws QmpException if QEMU refuses
     * @throws IOException if the connection ends, or no answer comes in time
     */
    public Object execute(String command, Map<String, ?> arguments, Duration deadline)
            throws IOException {
        Long id;
        synchronized (this) {
            id = ++lastId;
        }
        Map<String, Object> request = new LinkedHashMap<>();
        request.put("execute", command);
        request.put("arguments", arguments);
        request.put("id", id);
        send(Json.write(request));
        Map<String, Object> reply;
        synchronized (this) {
            await(() -> replies.containsKey(id), deadline, "the answer to " + command);
            reply = replies.remove(id);
        }
        if (reply.get("error") instanceof Map<?, ?> error) {
            throw new QmpException(
                    command, String.valueOf(error.get("class")), String.valueOf(error.get("desc")));
        }
        return reply.get("return");
    }

    /**
     * Waits for the first event of this name that nobody has taken yet, and takes it. Events of
     * other names stay.
     *
     * @throws IOException if the connection ends, or none comes in time
     */
    public synchronized QmpEvent awaitEvent(String name, Duration deadline) throws IOException {
        await(
                () -> events.stream().anyMatch(e -> e.name().equals(name)),
                deadline,
                "the event " + name);
        for (Iterator<QmpEvent> each = events.iterator(); ; ) {
            QmpEvent event = each.next();
            if (event.name().equals(name)) {
                each.remove();
                return event;
            }
        }
    }

    /** Takes all events that came and that nobody has taken, oldest first. */
    public synchronized List<QmpEvent> takeEvents() {
        var taken = List.copyOf(events);
        events.clear();
        return taken;
    }

    /** Ends the connection; whoever waits gets an IOException. May be called again. */
    @Override
    public void close() throws IOException {
        ended(new IOException("The QMP connection was closed"));
        socket.close();
    }

    private void send(String line) throws IOException {
        var bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
        synchronized (writing) {
            while (bytes.hasRemaining()) socket.write(bytes);
        }
    }

    /** Waits under the monitor; what has already come counts even if the connection has ended. */
    private void await(BooleanSupplier arrived, Duration deadline, String what) throws IOException {
        long until = System.nanoTime() + deadline.toNanos();
        while (!arrived.getAsBoolean()) {
            if (end != null) {
                throw new IOException("While waiting for " + what + ": " + end.getMessage(), end);
            }
            long left = (until - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                throw new IOException("QEMU did not send " + what + " within " + deadline);
            }
            try {
                wait(left);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("Interrupted while waiting for " + what, e);
            }
        }
    }

    private synchronized void ended(IOException cause) {
        if (end == null) end = cause;
        notifyAll();
    }

    private void read() {
        var buffer = ByteBuffer.allocate(64 << 10);
        var line = new ByteArrayOutputStream();
        try {
            while (socket.read(buffer.clear()) >= 0) {
                buffer.flip();
                while (buffer.hasRemaining()) {
                    byte b = buffer.get();
                    if (b != '\n') {
                        line.write(b);
                    } else {
                        received(line.toByteArray());
                        line.reset();
                    }
                }
                if (line.size() > LONGEST_LINE) {
                    throw new IOException("A QMP message of more than " + LONGEST_LINE + " bytes");
                }
            }
            ended(new IOException("QEMU closed the QMP connection"));
        } catch (IOException e) {
            ended(e);
        } catch (RuntimeException e) {
            ended(new IOException("This is not QMP: " + e, e));
        }
    }

    private synchronized void received(byte[] line) throws IOException {
        if (!(Json.parse(line) instanceof Map<?, ?> raw)) {
            throw new IOException("Not a QMP message: " + new String(line, StandardCharsets.UTF_8));
        }
        Map<String, Object> message = object(raw);
        if (message.containsKey("QMP")) {
            greeting = message;
        } else if (message.get("event") instanceof String name) {
            boolean empty = !(message.get("data") instanceof Map<?, ?>);
            events.add(new QmpEvent(name, empty ? Map.of() : object(message.get("data"))));
        } else if (message.get("id") instanceof Long id) {
            replies.put(id, message);
        } else {
            throw new IOException("Unexpected: " + new String(line, StandardCharsets.UTF_8));
        }
        notifyAll();
    }

    /** The value as an object: of {@link Json}'s making, so its keys are Strings. */
    @SuppressWarnings("unchecked")
    public static Map<String, Object> object(Object value) {
        return (Map<String, Object>) value;
    }
}
