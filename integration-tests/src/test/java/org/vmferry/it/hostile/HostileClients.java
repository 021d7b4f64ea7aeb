package org.vmferry.it.hostile;

import org.vmferry.engine.Migration;
import org.vmferry.engine.json.Json;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.qmp.QmpServer;
import org.vmferry.it.support.Certificates;
import org.vmferry.it.support.Certificates.Key;
import org.vmferry.it.support.Tools;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Who connects and says such names: over QMP, and in certificates. */
final class HostileClients {
    private final HostileNames host;

    HostileClients(HostileNames host) {
        this.host = host;
    }

    /** What a QMP client may say; and the server's own socket has such a name. */
    void commands() throws Exception {
        String json = "\\u001b[2J\\r\\nEVIL\\u202e\\u2028\\u0085";
        Path socket = host.folder.resolve("q" + HostileNames.NAME);
        HostileNames.attempt(
                "a socket that is none",
                () ->
                        QmpServer.listen(
                                host.engine, HostileNames.guest(HostileNames.NAME), host.folder));
        List<String> lines =
                List.of(
                        "{'execute':'qmp_capabilities'}",
                        "{'execute':'NAME','id':'NAME'}",
                        "{'execute':'migrate','arguments':{'uri':'NAME'}}",
                        "{'execute':'migrate','arguments':{'uri':'file:NAME/x','NAME':1}}",
                        "{'execute':'migrate','arguments':{'uri':'unix:/NAME/x'}}",
                        "{'execute':'migrate','arguments':{'uri':'exec:false NAME'}}",
                        "{'execute':'query-migrate'}",
                        "{'execute':'migrate-incoming','arguments':{'uri':'unix:/NAME/x'}}",
                        "{'execute':'migrate-set-capabilities','arguments':{'capabilities':"
                                + "[{'capability':'NAME','state':true}]}}",
                        "{'execute':'migrate-set-parameters','arguments':{'NAME':'NAME'}}",
                        "{'execute':'migrate-set-parameters','arguments':{'tls-creds':'NAME'}}",
                        "{'execute':'object-add','arguments':{'qom-type':'NAME','id':'NAME'}}",
                        "{'execute':'object-add','arguments':{'qom-type':'tls-creds-x509',"
                                + "'id':'NAME','dir':'NAME','endpoint':'NAME'}}",
                        "{'execute':'object-del','arguments':{'id':'NAME'}}",
                        "{'execute':'getfd','arguments':{'fdname':'NAME'}}",
                        "{\"execute\":\"a\u202eb\"}",
                        "a\u202eb\u2028",
                        "{'execute':'migrate','arguments':{'uri':'tcp:NAME:1'}}");
        try (QmpServer server =
                        QmpServer.listen(
                                host.engine, HostileNames.guest(HostileNames.NAME), socket);
                SocketChannel client = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            client.connect(UnixDomainSocketAddress.of(socket));
            answer(client);
            for (String line : lines) {
                String sent = line.replace('\'', '"').replace("NAME", json) + "\n";
                System.err.println("== qmp");
                client.write(ByteBuffer.wrap(sent.getBytes(StandardCharsets.UTF_8)));
                System.err.println("desc " + desc(answer(client)));
            }
            for (Thread one : Thread.getAllStackTraces().keySet()) {
                System.err.println("thread " + one.getName());
            }
        }
    }

    /** What an answer says for people; its id is the client's own. */
    private static Object desc(String answer) throws IOException {
        Map<?, ?> members = (Map<?, ?>) Json.parse(answer.getBytes(StandardCharsets.UTF_8));
        return members.get("error") instanceof Map<?, ?> error ? error.get("desc") : "";
    }

    private static String answer(SocketChannel client) throws IOException {
        StringBuilder said = new StringBuilder();
        ByteBuffer one = ByteBuffer.allocate(1 << 16);
        do {
            if (client.read(one.clear()) < 0) return said.toString();
            said.append(StandardCharsets.UTF_8.decode(one.flip()));
        } while (said.charAt(said.length() - 1) != '\n');
        return said.toString();
    }

    /** Clients whose certificates have such names: of this CA, and of another of such a name. */
    void certificates() throws Exception {
        Path made = Files.createDirectory(host.folder.resolve("tls"));
        Path genuine = new Certificates(made).folder(Key.P256, Key.P256);
        String subject = "/O=" + HostileNames.NAME + "/CN=" + HostileNames.NAME;
        Path foreign = Files.createDirectory(host.folder.resolve("foreign"));
        openssl(
                "req -x509 -days 2 -utf8 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256",
                List.of("-subj", subject, "-keyout", foreign + "/k.pem", "-out", foreign + "/c"));
        for (boolean known : new boolean[] {true, false}) {
            Path client =
                    Files.createDirectory(
                            host.folder.resolve("client" + HostileNames.NAME + known));
            Files.copy(made.resolve("ca-cert.pem"), client.resolve("ca-cert.pem"));
            openssl(
                    "req -x509 -days 2 -utf8 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256",
                    List.of(
                            "-subj",
                            subject,
                            "-addext",
                            "basicConstraints=critical,CA:FALSE",
                            "-CA",
                            known ? made + "/ca-cert.pem" : foreign + "/c",
                            "-CAkey",
                            known ? made + "/ca-key.pem" : foreign + "/k.pem",
                            "-keyout",
                            client + "/client-key.pem",
                            "-out",
                            client + "/client-cert.pem"));
            for (String role : List.of("-cert.pem", "-key.pem")) {
                Files.copy(client.resolve("client" + role), client.resolve("server" + role));
            }
            Files.setAttribute(client.resolve("client-key.pem"), "unix:mode", 0644);
            for (String whom : List.of("", "CN=somebody", HostileNames.NAME)) {
                HostileNames.attempt("certificates", () -> tls(genuine, client, whom));
                HostileNames.attempt("certificates", () -> tls(client, genuine, whom));
            }
            Files.writeString(client.resolve("ca-crl.pem"), "no list " + HostileNames.NAME);
            HostileNames.attempt("a list of revoked ones", () -> tls(client, client, ""));
            Files.writeString(client.resolve("client-cert.pem"), "none " + HostileNames.NAME);
            Files.writeString(client.resolve("server-cert.pem"), "none " + HostileNames.NAME);
            Files.delete(client.resolve("ca-crl.pem"));
            HostileNames.attempt("no certificate", () -> tls(client, genuine, ""));
            Files.delete(client.resolve("client-cert.pem"));
            HostileNames.attempt("no file", () -> tls(genuine, client, ""));
        }
    }

    private static void openssl(String command, List<String> more) throws Exception {
        var all = new ArrayList<>(List.of(("openssl " + command).split(" ")));
        all.addAll(more);
        Tools.run(all.toArray(String[]::new));
    }

    private void tls(Path server, Path client, String whom) throws Exception {
        Settings of = Settings.NONE.parameter("tls-hostname", Certificates.HOST);
        Settings here = of.parameter("tls-creds", server.toString()).parameter("tls-authz", whom);
        Migration in =
                host.engine.receive(HostileNames.guest(HostileNames.NAME), "tcp:127.0.0.1:0", here);
        try {
            Settings there = of.parameter("tls-creds", client.toString());
            HostileNames.end(
                    host.engine.send(
                            HostileNames.guest(HostileNames.NAME), in.address().toString(), there));
        } finally {
            if (!in.await(Duration.ofSeconds(1))) in.cancel();
            HostileNames.end(in);
        }
    }
}
