package org.vmferry.testkit.tls;

import org.vmferry.spi.Status;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Certificates, made once in each JVM with its keytool, in one directory as QEMU's tls-creds-x509
 * has it: a CA, a server's pair for {@link #HOST} and a client's. Valid for two days.
 *
 * @param folder the directory
 */
@Status(Status.Level.EXPERIMENTAL)
public record TestCertificates(Path folder) {
    /** The name that the server's certificate is for. */
    public static final String HOST = "ferry.test";

    /** The client's distinguished name. */
    public static final String CLIENT = "CN=Jo,O=Example Home,C=GB";

    private static final String PASSWORD = "changeit";

    /** RFC 7919's ffdhe2048. A QEMU that listens and finds none makes its own: up to a minute. */
    private static final String GROUP =
            "MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz"
                    + "+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a"
                    + "87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7"
                    + "YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi"
                    + "7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD"
                    + "ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==";

    /** Name and content of each, once they are made: that takes seconds. */
    private static final Map<String, String> MADE = new HashMap<>();

    /**
     * Puts them into a folder, unless they are there. In one JVM they are the same in all folders.
     *
     * @param folder is made, too
     * @return the certificates
     * @throws IOException if keytool fails
     */
    public static TestCertificates in(Path folder) throws IOException {
        TestCertificates there = new TestCertificates(folder);
        if (Files.exists(folder)) return there;
        Files.createDirectories(folder);
        synchronized (MADE) {
            if (MADE.isEmpty()) make(folder);
            for (var file : MADE.entrySet()) {
                Files.writeString(folder.resolve(file.getKey()), file.getValue());
            }
        }
        return there;
    }

    private static void make(Path folder) throws IOException {
        TestCertificates made = new TestCertificates(folder);
        made.make("ca", "CN=Test CA", "-ext", "bc:c", "-ext", "ku:c=keyCertSign,cRLSign");
        String use = "ku:c=digitalSignature,keyEncipherment";
        made.make(
                "server",
                "CN=" + HOST,
                "-signer",
                "ca",
                "-ext",
                "san=dns:" + HOST,
                "-ext",
                use,
                "-ext",
                "eku=serverAuth");
        made.make("client", CLIENT, "-signer", "ca", "-ext", use, "-ext", "eku=clientAuth");
        try {
            made.export();
        } catch (GeneralSecurityException e) {
            throw new IOException(e);
        }
        Files.delete(made.store());
    }

    private Path store() {
        return folder.resolve("all.p12");
    }

    private void make(String alias, String name, String... more) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.add("-J-XX:TieredStopAtLevel=1"); // it mostly starts
        command.addAll(List.of("-genkeypair", "-alias", alias, "-dname", name));
        command.addAll(List.of("-keyalg", "RSA", "-keysize", "2048", "-validity", "2"));
        command.addAll(List.of("-startdate", "-1d"));
        command.addAll(List.of("-storepass", PASSWORD, "-keystore", store().toString()));
        command.addAll(List.of(more));
        Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(keytool.getInputStream().readAllBytes());
        try {
            if (keytool.waitFor() != 0) throw new IOException(said);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    private void export() throws IOException, GeneralSecurityException {
        KeyStore all = KeyStore.getInstance(store().toFile(), PASSWORD.toCharArray());
        pem("ca-cert.pem", "CERTIFICATE", all.getCertificate("ca").getEncoded());
        for (String own : List.of("server", "client")) {
            pem(own + "-cert.pem", "CERTIFICATE", all.getCertificate(own).getEncoded());
            byte[] key = all.getKey(own, PASSWORD.toCharArray()).getEncoded();
            pem(own + "-key.pem", "PRIVATE KEY", key);
        }
        pem("dh-params.pem", "DH PARAMETERS", Base64.getDecoder().decode(GROUP));
    }

    private static void pem(String file, String label, byte[] der) {
        String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        MADE.put(file, "-----BEGIN %s-----\n%s\n-----END %s-----\n".formatted(label, text, label));
    }
}
