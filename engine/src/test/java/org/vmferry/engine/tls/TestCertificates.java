package org.vmferry.engine.tls;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/** Certificates, made with the JDK's keytool; those of all once in each JVM. */
final class TestCertificates {
    private static final String PASSWORD = "changeit";
    private static byte[] made;
    private final Path directory;
    private final Path file;
    private KeyStore store;

    TestCertificates(Path directory) throws Exception {
        this.directory = directory;
        file = directory.resolve("all.p12");
        synchronized (TestCertificates.class) {
            if (made == null) makeAll();
            else Files.write(file, made);
        }
        store = KeyStore.getInstance(file.toFile(), PASSWORD.toCharArray());
    }

    private void makeAll() throws Exception {
        make("ca", "CN=Test CA", "EC", "-ext", "bc:c");
        make("other-ca", "CN=Other CA", "EC", "-ext", "bc:c");
        make("old-ca", "CN=Old CA", "EC", "-ext", "bc:c", "-startdate", "-3d", "-validity", "1");
        make("false-ca", "CN=Test CA", "EC", "-ext", "bc:c");
        String names = "san=dns:ferry.test,ip:127.0.0.1";
        make("server", "CN=ferry", "RSA", "-keysize", "2048", "-signer", "ca", "-ext", names);
        make("client", "CN=Jo,O=Example Home,C=GB", "EC", "-signer", "ca");
        made = Files.readAllBytes(file);
    }

    private void make(String alias, String name, String algorithm, String... more)
            throws Exception {
        List<String> command = new ArrayList<>(List.of("-genkeypair", "-alias", alias));
        command.addAll(List.of("-dname", name, "-keyalg", algorithm));
        command.addAll(List.of("-startdate", "-1d", "-validity", "2"));
        command.addAll(List.of(more));
        keytool(command);
    }

    /** The JDK's own class, in this JVM: the build exports it. */
    private void keytool(List<String> arguments) throws Exception {
        List<String> command = new ArrayList<>(arguments);
        command.addAll(List.of("-storepass", PASSWORD, "-keystore", file.toString()));
        Class<?> keytool = Class.forName("sun.security.tools.keytool.Main");
        Method run = keytool.getMethod("run", String[].class, PrintStream.class);
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        Object exit =
                run.invoke(
                        keytool.getConstructor().newInstance(),
                        command.toArray(String[]::new),
                        new PrintStream(said));
        if (!exit.equals(0)) throw new AssertionError(said);
    }

    /** One more, which another one vouches for. */
    void add(String alias, String name, String signer, String... more) throws Exception {
        List<String> words = new ArrayList<>(List.of("-signer", signer));
        words.addAll(List.of(more));
        make(alias, name, "EC", words.toArray(String[]::new));
        store = KeyStore.getInstance(file.toFile(), PASSWORD.toCharArray());
    }

    X509Certificate certificate(String alias) throws GeneralSecurityException {
        return (X509Certificate) store.getCertificate(alias);
    }

    /** A CA's list in which one certificate is revoked, in PEM. */
    String revocation(String ca, String revoked, String begin, int days) throws Exception {
        Path list = directory.resolve("crl");
        keytool(
                List.of(
                        "-gencrl",
                        "-rfc",
                        "-alias",
                        ca,
                        "-id",
                        certificate(revoked).getSerialNumber().toString(),
                        "-startdate",
                        begin,
                        "-validity",
                        "" + days,
                        "-file",
                        list.toString()));
        return Files.readString(list);
    }

    /** A CA's list that names nobody, nor when another one follows. RFC 5280, 5.1. */
    String endless(String ca) throws Exception {
        byte[] algorithm = der(0x30, new byte[] {6, 8, 42, -122, 72, -50, 61, 4, 3, 2}); // ECDSA
        byte[] name = certificate(ca).getSubjectX500Principal().getEncoded();
        byte[] since = der(0x17, "200101000000Z".getBytes(StandardCharsets.US_ASCII));
        byte[] list = der(0x30, new byte[] {2, 1, 1}, algorithm, name, since);
        Signature signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign((PrivateKey) store.getKey(ca, PASSWORD.toCharArray()));
        signature.update(list);
        byte[] signed = der(3, new byte[] {0}, signature.sign());
        return text("X509 CRL", der(0x30, list, algorithm, signed));
    }

    private static byte[] der(int tag, byte[]... parts) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        for (byte[] part : parts) content.writeBytes(part);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.write(tag);
        if (content.size() > 127) all.write(0x82);
        if (content.size() > 127) all.write(content.size() >> 8);
        all.write(content.size());
        all.writeBytes(content.toByteArray());
        return all.toByteArray();
    }

    /** A certificate in PEM. */
    String pem(String alias) throws GeneralSecurityException {
        return text("CERTIFICATE", certificate(alias).getEncoded());
    }

    /** A directory as QEMU's: whom it trusts, and its own pair, if any. */
    Path directory(String name, String ca, String own, String keyForm) throws Exception {
        Path made = Files.createDirectories(directory.resolve(name));
        pem(made.resolve("ca-cert.pem"), "CERTIFICATE", store.getCertificate(ca).getEncoded());
        if (own.isEmpty()) return made;
        pair(made, own, own, keyForm);
        return made;
    }

    /** A pair for a role, such as client; with who vouches for it, but for the first of all. */
    void pair(Path folder, String role, String own, String keyForm) throws Exception {
        Certificate[] chain = store.getCertificateChain(own);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < Math.max(1, chain.length - 1); i++) {
            text.append(text("CERTIFICATE", chain[i].getEncoded()));
        }
        Files.writeString(folder.resolve(role + "-cert.pem"), text);
        key(folder.resolve(role + "-key.pem"), own, keyForm);
    }

    void key(Path to, String own, String form) throws GeneralSecurityException, IOException {
        Key key = store.getKey(own, PASSWORD.toCharArray());
        byte[] pkcs8 = key.getEncoded();
        if (form.equals("PRIVATE KEY")) pem(to, form, pkcs8);
        else pem(to, form, inner(pkcs8));
    }

    /** SEQUENCE { INTEGER 0, SEQUENCE algorithm, OCTET STRING inner }. */
    private static byte[] inner(byte[] pkcs8) {
        int at = contents(pkcs8, 0) + 3;
        at = contents(pkcs8, at) + length(pkcs8, at);
        int from = contents(pkcs8, at);
        return Arrays.copyOfRange(pkcs8, from, from + length(pkcs8, at));
    }

    private static int contents(byte[] der, int at) {
        return at + 2 + (der[at + 1] < 0 ? der[at + 1] & 0x7f : 0);
    }

    private static int length(byte[] der, int at) {
        if (der[at + 1] >= 0) return der[at + 1];
        int n = 0;
        for (int i = at + 2; i < contents(der, at); i++) n = n << 8 | der[i] & 0xff;
        return n;
    }

    private static void pem(Path to, String label, byte[] der) throws IOException {
        Files.writeString(to, text(label, der));
    }

    private static String text(String label, byte[] der) {
        return "some words before\n-----BEGIN %s-----\n%s\n-----END %s-----\n"
                .formatted(label, Base64.getMimeEncoder().encodeToString(der), label);
    }
}
