package org.vmferry.cli;

import org.vmferry.engine.json.Json;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/** A QMP server that says what a test has it say, to one client. */
final class FakeQmp implements AutoCloseable {
    static final String GREETING = "{\"QMP\": {\"version\": {}, \"capabilities\": []}}";

    /** What is answered. */
    interface Answers {
        /**
         * To a command.
         *
         * @return a message without its id; null for none, which also ends the connection
         */
        Map<String, Object> to(String command) throws Exception;
    }

    private final ServerSocketChannel server;
    private final List<String> commands = new CopyOnWriteArrayList<>();
    private final Thread thread;
    private SocketChannel client;

    /** One that greets, and answers. */
    FakeQmp(Path path, Answers answers) throws IOException {
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(path));
        thread = Thread.ofPlatform().daemon().start(() -> serve(answers));
    }

    /** One that says these bytes to whoever comes, and listens to nothing. */
    static FakeQmp saying(Path path, byte[] said) throws IOException {
        return new FakeQmp(path, said);
    }

    private FakeQmp(Path path, byte[] said) throws IOException {
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(path));
        thread =
                Thread.ofPlatform()
                        .daemon()
                        .start(
                                () -> {
                                    try {
                                        client = server.accept();
                                        send(said);
                                    } catch (IOException e) {
                                        // It may be gone.
                                    }
                                });
    }

    private void serve(Answers answers) {
        try {
            client = server.accept();
            say(GREETING);
            BufferedReader lines =
                    new BufferedReader(Channels.newReader(client, StandardCharsets.UTF_8));
            for (String line; (line = lines.readLine()) != null; ) {
                Map<?, ?> message = (Map<?, ?>) Json.parse(line);
                String command = (String) message.get("execute");
                commands.add(command);
                Map<String, Object> answer =
                        command.equals("qmp_capabilities")
                                ? Map.of("return", Map.of())
                                : answers.to(command);
                if (answer == null) break;
                Map<String, Object> whole = new HashMap<>(answer);
                whole.put("id", message.get("id"));
                say("{\"event\": \"RTC_CHANGE\", \"data\": {}}");
                say(Json.write(whole));
            }
            client.close();
        } catch (Exception e) {
            // The client may be gone.
        }
    }

    private void say(String text) throws IOException {
        send((text + "\r\n").getBytes(StandardCharsets.UTF_8));
    }

    private void send(byte[] bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) client.write(buffer);
    }

    /** All that it was told, in order. */
    List<String> commands() {
        return commands;
    }

    @Override
    public void close() throws Exception {
        server.close();
        if (client != null) client.close();
        thread.join(10_000);
    }
}
