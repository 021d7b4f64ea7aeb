package org.vmferry.it.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Certificates for every kind of key, made with openssl, in folders as QEMU's tls-creds-x509 has
 * them. Valid for two days.
 */
public final class Certificates {
    /** The name that a server's certificate is for. */
    public static final String HOST = "ferry.test";

    /** A kind of key. */
    public enum Key {
        RSA("rsa:2048"),
        P256("ec", "ec_paramgen_curve:P-256"),
        P384("ec", "ec_paramgen_curve:P-384"),
        ED25519("ed25519"),
        /** No certificate, and none is asked for: a client's only. */
        NONE;

        private final List<String> options = new ArrayList<>();

        Key(String... how) {
            if (how.length == 0) return;
            options.addAll(List.of("-newkey", how[0], "-nodes"));
            if (how.length > 1) options.addAll(List.of("-pkeyopt", how[1]));
        }
    }

    private final Path all;

    /** Makes a CA in a folder that is there. */
    public Certificates(Path folder) throws Exception {
        all = folder;
        List<String> command = request("ca", "/CN=Test CA", Key.P256);
        command.addAll(List.of("-addext", "keyUsage=critical,keyCertSign,cRLSign"));
        Tools.run(command.toArray(String[]::new));
    }

    private List<String> request(String name, String subject, Key key) {
        List<String> command = new ArrayList<>(List.of("openssl", "req", "-x509", "-days", "2"));
        command.addAll(List.of("-subj", subject, "-keyout", all.resolve(name + "-key.pem") + ""));
        command.addAll(List.of("-out", all.resolve(name + "-cert.pem") + ""));
        command.addAll(key.options);
        return command;
    }

    /** Signs one of the CA's, unless it did. */
    private void sign(String name, String subject, Key key, String use) throws Exception {
        if (Files.exists(all.resolve(name + "-cert.pem"))) return;
        List<String> command = request(name, subject, key);
        command.addAll(List.of("-CA", all.resolve("ca-cert.pem") + ""));
        command.addAll(List.of("-CAkey", all.resolve("ca-key.pem") + ""));
        for (String extension :
                List.of(
                        "basicConstraints=critical,CA:FALSE",
                        "keyUsage=digitalSignature,keyEncipherment",
                        "extendedKeyUsage=" + use,
                        "subjectAltName=DNS:" + HOST)) {
            command.addAll(List.of("-addext", extension));
        }
        Tools.run(command.toArray(String[]::new));
    }

    /** A folder with the CA's certificate, a server's pair and a client's, of these kinds. */
    public Path folder(Key server, Key client) throws Exception {
        Path made = all.resolve(server + "-" + client);
        if (Files.exists(made)) return made;
        Files.createDirectory(made);
        Files.copy(all.resolve("ca-cert.pem"), made.resolve("ca-cert.pem"));
        sign("server-" + server, "/CN=" + HOST, server, "serverAuth");
        copy("server", server, made);
        if (client == Key.NONE) return made;
        sign("client-" + client, "/C=GB/O=Example Home/CN=Jo", client, "clientAuth");
        copy("client", client, made);
        return made;
    }

    /** A folder like the other one, whose own certificates ended yesterday. */
    public Path expired(Path folder) throws Exception {
        Path made = all.resolve("expired");
        Files.createDirectory(made);
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) Files.copy(file, made.resolve(file.getFileName()));
        }
        for (String role : List.of("server", "client")) {
            String own = made.resolve(role).toString();
            String subject = "/CN=" + HOST;
            String name = "subjectAltName=DNS:" + HOST;
            openssl(
                    "req -new -key %s-key.pem -subj %s -addext %s -out %1$s.csr",
                    own, subject, name);
            openssl(
                    "x509 -req -in %s.csr -out %1$s-cert.pem -copy_extensions copy -days -1"
                            + " -CA %s/ca-cert.pem -CAkey %2$s/ca-key.pem -CAcreateserial",
                    own, all);
        }
        return made;
    }

    private static void openssl(String format, Object... values) throws Exception {
        Tools.run(("openssl " + format.formatted(values)).split(" "));
    }

    private void copy(String role, Key key, Path to) throws IOException {
        for (String file : List.of("-cert.pem", "-key.pem")) {
            Files.copy(all.resolve(role + "-" + key + file), to.resolve(role + file));
        }
    }
}
