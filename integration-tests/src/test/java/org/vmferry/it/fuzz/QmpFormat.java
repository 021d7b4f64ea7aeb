package org.vmferry.it.fuzz;

import org.vmferry.engine.Engine;
import org.vmferry.engine.json.Json;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.qmp.QmpServer;

import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Lines that a QMP client sends. Behind each comes one that is answered whatever the first was:
 * "header" is that it was, "START" that the first was JSON, "a page" that it was a command.
 */
final class QmpFormat extends Format {
    private static final byte[] MARK =
            "\n{\"execute\":\"query-version\",\"id\":\"mark\"}\n".getBytes(StandardCharsets.UTF_8);
    private static final List<Sample> LINES =
            List.of(
                    line("{\"execute\":\"query-migrate\"}"),
                    line("{\"execute\":\"query-status\",\"id\":{\"a\":[1,2.5e3,null]}}"),
                    line("{\"execute\":\"query-name\",\"id\":1}"),
                    line("{\"execute\":\"query-migrate-parameters\",\"id\":\"x\"}"),
                    line(
                            "{\"execute\":\"migrate-set-capabilities\",\"arguments\":{\"capabilities\":"
                                + "[{\"capability\":\"xbzrle\",\"state\":false},"
                                + "{\"capability\":\"multifd\",\"state\":false}]}}"),
                    line(
                            "{\"execute\":\"migrate-set-parameters\",\"arguments\":{\"max-bandwidth\":"
                                + "1000000,\"downtime-limit\":300,\"multifd-channels\":2,"
                                + "\"tls-creds\":\"\"}}"),
                    line(
                            "{\"execute\":\"object-add\",\"arguments\":{\"qom-type\":"
                                    + "\"tls-creds-x509\",\"id\":\"t0\",\"dir\":\"/none\","
                                    + "\"endpoint\":\"client\",\"verify-peer\":true}}"),
                    line(
                            "{\"execute\":\"object-add\",\"arguments\":{\"qom-type\":"
                                    + "\"authz-simple\",\"id\":\"t0\",\"identity\":\"CN=a\"}}"),
                    line("{\"execute\":\"object-del\",\"arguments\":{\"id\":\"t0\"}}"),
                    line("{\"execute\":\"migrate\",\"arguments\":{\"uri\":\"nowhere:1\"}}"),
                    line("{\"execute\":\"migrate_cancel\"}"),
                    line("{\"exec-oob\":\"migrate-pause\",\"id\":3}"),
                    line(
                            "{\"execute\":\"yank\",\"arguments\":{\"instances\":[{\"type\":\"migration\"}]}}"),
                    line(
                            "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"info"
                                + " migrate\"}}"),
                    line(
                            "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"info"
                                + " status\"}}"));

    private final Path socket;
    private final SmallMachine machine = SmallMachine.full();
    private final QmpServer server;
    private SocketChannel client;
    private final ByteBuffer come = ByteBuffer.allocate(1 << 20).limit(0);

    QmpFormat(String name, int share, Path folder) throws Exception {
        super(name, share);
        socket = folder.resolve("qmp");
        Engine engine = Engine.create().allowing("unix:" + folder);
        server = QmpServer.listen(engine, machine, socket);
    }

    private static Sample line(String text) {
        byte[] bytes = (text + "\n").getBytes(StandardCharsets.UTF_8);
        return Sample.of(text, Settings.NONE, Structure::ofLines, bytes);
    }

    @Override
    void run(SplittableRandom random, Trial trial) throws Exception {
        byte[] bytes = one(random, LINES).changed(random, one(random, LINES)).main();
        if (client == null) connect();
        boolean whole = isWhole(bytes);
        send(bytes);
        if (whole) send(MARK);
        else client.shutdownOutput(); // what is open would go on in the mark
        try {
            while (true) {
                Object message = parsed(line());
                if (!(message instanceof Map<?, ?> map)) {
                    trial.other("the server says " + message);
                    break;
                }
                if ("mark".equals(map.get("id"))) break;
                said(map, trial);
            }
        } catch (IOException e) {
            close(client);
            if (whole || !(e instanceof EOFException)) trial.other("the server: " + e);
        }
        trial.accepted();
    }

    /** An id comes back as it came, also if it is a number that nobody here takes. */
    private static Object parsed(String line) throws IOException {
        try {
            return Json.parse(line.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            if (String.valueOf(e.getMessage()).contains("number too large")) return Map.of();
            throw e;
        }
    }

    private static boolean isWhole(byte[] bytes) {
        try {
            Json.parse(bytes);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static void said(Map<?, ?> map, Trial trial) {
        if (map.get("error") instanceof Map<?, ?> error) {
            String text = String.valueOf(error.get("desc"));
            trial.start |= !text.contains("JSON");
            trial.page |= trial.start && !"CommandNotFound".equals(error.get("class"));
            trial.refused();
            trial.quotes(text);
        } else if (map.containsKey("return")) {
            trial.begins();
            trial.page = true;
        }
    }

    private void connect() throws IOException {
        client = SocketChannel.open(StandardProtocolFamily.UNIX);
        client.connect(UnixDomainSocketAddress.of(socket));
        come.clear().limit(0);
        line(); // the greeting
        send(
                "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"oob\"]}}\n"
                        .getBytes(StandardCharsets.UTF_8));
        line();
    }

    private void send(byte[] bytes) throws IOException {
        ByteBuffer all = ByteBuffer.wrap(bytes);
        while (all.hasRemaining()) client.write(all);
    }

    private String line() throws IOException {
        while (true) {
            for (int i = come.position(); i < come.limit(); i++) {
                if (come.get(i) != '\n') continue;
                byte[] line = new byte[i - come.position()];
                come.get(line).get();
                return new String(line, StandardCharsets.UTF_8);
            }
            come.compact();
            int count = client.read(come);
            come.flip();
            if (count < 0) throw new EOFException();
        }
    }

    private void close(SocketChannel open) throws IOException {
        open.close();
        client = null;
    }

    @Override
    void settle() throws IOException {
        if (client != null) close(client);
    }

    @Override
    public void close() throws Exception {
        settle();
        server.close();
    }
}
