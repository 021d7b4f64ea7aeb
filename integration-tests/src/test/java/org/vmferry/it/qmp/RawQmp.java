package org.vmferry.it.qmp;

import static org.assertj.core.api.Assertions.assertThat;

import org.vmferry.engine.json.Json;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A QMP connection without manners: sends any bytes, takes the messages as they come. */
final class RawQmp implements AutoCloseable {
    static final int DEADLINE = 60; // seconds, for anything that has to come
    private static final Map<String, Object> END = Map.of("the connection", "has ended");

    private final SocketChannel socket;
    private final BlockingQueue<Map<String, Object>> come = new LinkedBlockingQueue<>();

    RawQmp(Path path) throws IOException {
        socket = SocketChannel.open(StandardProtocolFamily.UNIX);
        socket.connect(UnixDomainSocketAddress.of(path));
        Thread.ofPlatform().daemon().name("raw-qmp").start(this::read);
    }

    @SuppressWarnings("unchecked") // Json makes them so
    private void read() {
        try (BufferedReader lines =
                new BufferedReader(Channels.newReader(socket, StandardCharsets.UTF_8))) {
            for (String line; (line = lines.readLine()) != null; ) {
                come.add((Map<String, Object>) Json.parse(line));
            }
        } catch (IOException e) {
            // As good as an end.
        }
        come.add(END);
    }

    void send(String text) throws IOException {
        send(text.getBytes(StandardCharsets.UTF_8));
    }

    void send(byte[] text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text);
        while (bytes.hasRemaining()) socket.write(bytes);
    }

    /** Greeted, and with its capabilities agreed. */
    static RawQmp negotiated(Path path, String... capabilities) throws Exception {
        RawQmp client = new RawQmp(path);
        assertThat(client.next()).containsKey("QMP");
        Map<String, ?> enable = Map.of("enable", List.of(capabilities));
        assertThat(client.ask("qmp_capabilities", enable)).isEqualTo(Map.of());
        return client;
    }

    /** What a command returns, or its error; events before it are dropped. */
    Object ask(String command, Map<String, ?> arguments) throws Exception {
        send(Json.write(Map.of("execute", command, "arguments", arguments)));
        Map<String, Object> answer = next();
        while (answer.containsKey("event")) answer = next();
        return answer.getOrDefault("return", answer.get("error"));
    }

    /** Says that it has nothing more to say. */
    void sayNoMore() throws IOException {
        socket.shutdownOutput();
    }

    /** The next message. */
    Map<String, Object> next() throws Exception {
        Map<String, Object> message = come.poll(DEADLINE, TimeUnit.SECONDS);
        if (message == null) throw new IOException("nothing came in " + DEADLINE + " s");
        if (message == END) {
            come.add(END);
            throw new IOException("the connection has ended");
        }
        return message;
    }

    /** Whether a message has come that nobody took. */
    boolean hasCome() {
        return !come.isEmpty();
    }

    /** Whether the peer ends it. */
    boolean ends() throws Exception {
        while (true) {
            Map<String, Object> message = come.poll(DEADLINE, TimeUnit.SECONDS);
            if (message == null) return false;
            if (message == END) return true;
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
