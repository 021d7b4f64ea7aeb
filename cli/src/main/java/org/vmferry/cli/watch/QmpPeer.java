package org.vmferry.cli.watch;

import org.vmferry.engine.json.Json;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Printable;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;

/**
 * Asks over QMP, and tells its peer to do nothing: it has no commands but {@link Question}'s. What
 * comes may be anything. No call waits: {@link #go} waits a moment for whatever may come, so that
 * who waits for an answer can say so. For one thread.
 */
public final class QmpPeer implements AutoCloseable {
    /** All that is ever sent, beside the word that ends QMP's negotiation. */
    public enum Question {
        /** How a migration is. */
        MIGRATE("query-migrate"),
        /** What it is held to. */
        PARAMETERS("query-migrate-parameters"),
        /** What it may do. */
        CAPABILITIES("query-migrate-capabilities");

        private final String command;

        Question(String command) {
            this.command = command;
        }

        @Override
        public String toString() {
            return command;
        }
    }

    private static final String NEGOTIATED = "qmp_capabilities";
    private static final int LONGEST = 1 << 20; // bytes of a message
    private static final int MOST_AT_ONCE = 1 << 20; // bytes that a call takes

    private final Path path;
    private final Selector selector = Selector.open();
    private final ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private final Deque<Map<?, ?>> messages = new ArrayDeque<>();
    private SocketChannel socket; // null before somebody took the connection
    private ByteBuffer unsent = ByteBuffer.allocate(0);
    private boolean greeted;
    private String asked; // the command without an answer, or null
    private long id;
    private Object answer; // of the last one; null if there is none yet
    private String refusal = "";
    private String waitsFor;

    /**
     * Connects as soon as it {@link #go goes}.
     *
     * @param path the socket
     * @throws IOException if there are too many descriptors
     */
    public QmpPeer(Path path) throws IOException {
        this.path = path;
        waitsFor = "'%s' to take a connection".formatted(path);
    }

    /**
     * What it waits for.
     *
     * @return words that follow "waiting for"
     */
    public String waitsFor() {
        return waitsFor;
    }

    /**
     * Whether something can be asked.
     *
     * @return false while an answer has not come
     */
    public boolean isFree() {
        return greeted && asked == null;
    }

    /**
     * Asks; the answer is {@link #answer}'s once it is free again.
     *
     * @param question what
     */
    public void ask(Question question) {
        execute(question.command);
    }

    private void execute(String command) {
        id++;
        answer = null;
        asked = command;
        waitsFor = "the answer to " + command;
        String text = Json.write(Map.of("execute", command, "id", id)) + "\n";
        unsent = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    }

    /**
     * What was answered last.
     *
     * @return what stood under "return", an object or a list as a rule; null if it was refused
     */
    public Object answer() {
        return answer;
    }

    /**
     * Why the last one was refused.
     *
     * @return the peer's words, or empty
     */
    public String refusal() {
        return refusal;
    }

    /**
     * Waits until something happens, and does what there is to do.
     *
     * @param ms how long, at the most
     * @throws IOException if nobody listens there, the peer has gone, or what it says is no QMP
     */
    public void go(long ms) throws IOException {
        if (socket == null && !connect()) {
            pause(ms);
            return;
        }
        SelectionKey key = socket.keyFor(selector);
        key.interestOps(SelectionKey.OP_READ | (unsent.hasRemaining() ? SelectionKey.OP_WRITE : 0));
        selector.select(Math.max(1, ms));
        selector.selectedKeys().clear();
        try {
            if (unsent.hasRemaining()) socket.write(unsent);
            read();
        } catch (MigrationException e) {
            throw e;
        } catch (IOException e) {
            throw gone(e.getMessage());
        }
        for (Map<?, ?> message; (message = messages.poll()) != null; ) take(message);
    }

    private void pause(long ms) throws IOException {
        selector.select(Math.max(1, ms));
    }

    /** False if it has to be tried again: all places of its queue are taken. */
    private boolean connect() throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.configureBlocking(false);
            if (!channel.connect(UnixDomainSocketAddress.of(path))) {
                channel.close();
                return false;
            }
            channel.register(selector, SelectionKey.OP_READ);
        } catch (IOException | RuntimeException e) {
            channel.close();
            if (isBusy(e)) return false;
            throw MigrationException.user(
                    "nobody can be reached at '%s': %s", path, e.getMessage());
        }
        socket = channel;
        waitsFor = "the greeting of '%s' (a QEMU talks to one at a time)".formatted(path);
        return true;
    }

    private static boolean isBusy(Exception e) {
        return !(e instanceof ConnectException)
                && String.valueOf(e.getMessage()).contains("temporarily unavailable");
    }

    private void read() throws IOException {
        for (int all = 0; all < MOST_AT_ONCE; ) {
            int count = socket.read(buffer.clear());
            if (count == 0) return;
            if (count < 0) throw gone("it has closed the connection");
            all += count;
            for (int i = 0; i < count; i++) {
                byte b = buffer.get(i);
                if (b != '\n') {
                    line.write(b);
                    continue;
                }
                if (line.size() > 0) messages.add(parsed());
                line.reset();
            }
            if (line.size() > LONGEST) throw strange("a message of over " + LONGEST + " bytes");
        }
    }

    private Map<?, ?> parsed() throws IOException {
        String text = line.toString(StandardCharsets.UTF_8);
        if (text.isBlank()) return Map.of();
        try {
            if (Json.parse(text) instanceof Map<?, ?> message) return message;
        } catch (IOException e) {
            throw strange(text);
        }
        throw strange(text);
    }

    private void take(Map<?, ?> message) throws IOException {
        if (message.containsKey("QMP")) {
            if (greeted || asked != null) throw strange("a second greeting");
            execute(NEGOTIATED);
            return;
        }
        if (asked == null || !Long.valueOf(id).equals(message.get("id"))) return; // an event, say
        boolean negotiated = asked.equals(NEGOTIATED);
        if (negotiated && !message.containsKey("return"))
            throw strange("a refusal of " + NEGOTIATED);
        greeted |= negotiated;
        asked = null;
        answer = message.get("return");
        boolean told = message.get("error") instanceof Map<?, ?> error && error.get("desc") != null;
        refusal = told ? String.valueOf(((Map<?, ?>) message.get("error")).get("desc")) : "";
        waitsFor = "nothing";
    }

    private MigrationException gone(String why) {
        return MigrationException.peer("the QMP peer at '%s' is gone: %s", path, why);
    }

    private MigrationException strange(String what) {
        String said = what.length() > 60 ? what.substring(0, 60) + "..." : what;
        return MigrationException.peer("what '%s' says is no QMP: %s", path, Printable.line(said));
    }

    @Override
    public void close() throws IOException {
        try {
            if (socket != null) socket.close();
        } finally {
            selector.close();
        }
    }
}
