package org.vmferry.engine.tls;

import org.jspecify.annotations.Nullable;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads PEM files: certificates, expired ones too, revocation lists, and keys in PKCS#8, PKCS#1 or
 * SEC1.
 */
final class Pem {
    private static final Pattern KEY =
            Pattern.compile("-----BEGIN ((?:[A-Z]++ )?PRIVATE KEY)-----([^-]*+)-----END \\1-----");
    // A few certificates or keys; not whatever somebody links there.
    private static final int MOST = 16 << 20;

    private Pem() {}

    static List<X509Certificate> certificates(Path file) throws MigrationException {
        List<X509Certificate> found = new ArrayList<>();
        try {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            factory.generateCertificates(new ByteArrayInputStream(bytes(file)))
                    .forEach(c -> found.add((X509Certificate) c));
        } catch (GeneralSecurityException e) {
            throw wrong(file, String.valueOf(e.getMessage()), e);
        }
        if (found.isEmpty()) throw wrong(file, "holds no certificate", null);
        return found;
    }

    /** Why a certificate is of no use today; empty if it is. */
    static Optional<String> expired(X509Certificate certificate) {
        String name = certificate.getSubjectX500Principal().toString();
        Instant now = Instant.now();
        Instant begin = certificate.getNotBefore().toInstant();
        Instant end = certificate.getNotAfter().toInstant();
        if (now.isBefore(begin)) return Optional.of(name + " does not hold before " + begin);
        return now.isAfter(end) ? Optional.of(name + " expired on " + end) : Optional.empty();
    }

    static List<X509CRL> revocations(Path file) throws MigrationException {
        try {
            List<X509CRL> found = new ArrayList<>();
            CertificateFactory.getInstance("X.509")
                    .generateCRLs(new ByteArrayInputStream(bytes(file)))
                    .forEach(list -> found.add((X509CRL) list));
            return found;
        } catch (GeneralSecurityException e) {
            throw wrong(
                    file,
                    "holds no list of revoked certificates that can be read: " + e.getMessage(),
                    e);
        }
    }

    /** The key that belongs to a certificate. */
    static PrivateKey key(Path file, X509Certificate certificate) throws MigrationException {
        Matcher m = KEY.matcher(new String(bytes(file), StandardCharsets.ISO_8859_1));
        if (!m.find()) throw wrong(file, "holds no private key that is not encrypted", null);
        PublicKey owner = certificate.getPublicKey();
        try {
            byte[] key = Base64.getMimeDecoder().decode(m.group(2));
            byte[] pkcs8 =
                    switch (m.group(1)) {
                        case "PRIVATE KEY" -> key;
                        case "RSA PRIVATE KEY", "EC PRIVATE KEY" -> wrap(key, owner);
                        default -> throw wrong(file, "holds an unknown " + m.group(1), null);
                    };
            PrivateKey read =
                    KeyFactory.getInstance(owner.getAlgorithm())
                            .generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
            if (belongs(read, owner)) return read;
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw wrong(file, String.valueOf(e.getMessage()), e);
        }
        throw wrong(file, "is not the key of " + certificate.getSubjectX500Principal(), null);
    }

    /**
     * PKCS#8 is the old form with an algorithm before it, and the certificate's public key begins
     * with that same algorithm: SEQUENCE { 0, algorithm, OCTET STRING { key } }.
     */
    private static byte[] wrap(byte[] key, PublicKey owner) {
        byte[] encoded = owner.getEncoded();
        int algorithm = header(encoded, 0);
        int length = header(encoded, algorithm) + contents(encoded, algorithm) - algorithm;
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(new byte[] {2, 1, 0});
        all.write(encoded, algorithm, length);
        all.writeBytes(der(4, key));
        return der(0x30, all.toByteArray());
    }

    /** Where the contents of the element at a position begin. */
    private static int header(byte[] der, int at) {
        return at + 2 + (der[at + 1] < 0 ? der[at + 1] & 0x7f : 0);
    }

    private static int contents(byte[] der, int at) {
        if (der[at + 1] >= 0) return der[at + 1];
        int length = 0;
        for (int i = at + 2; i < header(der, at); i++) length = length << 8 | der[i] & 0xff;
        return length;
    }

    private static byte[] der(int tag, byte[] contents) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(tag);
        out.writeBytes(
                contents.length < 128
                        ? new byte[] {(byte) contents.length}
                        : new byte[] {
                            (byte) 0x83,
                            (byte) (contents.length >> 16),
                            (byte) (contents.length >> 8),
                            (byte) contents.length
                        });
        out.writeBytes(contents);
        return out.toByteArray();
    }

    private static boolean belongs(PrivateKey key, PublicKey owner)
            throws GeneralSecurityException {
        String algorithm =
                switch (owner.getAlgorithm()) {
                    case "RSA" -> "SHA256withRSA";
                    case "EC" -> "SHA256withECDSA";
                    case "EdDSA" -> "EdDSA";
                    default -> null;
                };
        if (algorithm == null) return true;
        byte[] text = {1, 2, 3};
        Signature signature = Signature.getInstance(algorithm);
        signature.initSign(key);
        signature.update(text);
        byte[] signed = signature.sign();
        signature.initVerify(owner);
        signature.update(text);
        return signature.verify(signed);
    }

    private static byte[] bytes(Path file) throws MigrationException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MOST + 1); // a device says that it has none
            if (bytes.length > MOST) throw wrong(file, "is longer than " + MOST, null);
            return bytes;
        } catch (NoSuchFileException e) {
            throw wrong(file, "there is no such file", e);
        } catch (MigrationException e) {
            throw e;
        } catch (IOException e) {
            throw wrong(file, "can't be read: " + e.getMessage(), e);
        }
    }

    /** What is wrong with a file. */
    static MigrationException wrong(Path file, String what, @Nullable Throwable cause) {
        return new MigrationException(
                Blame.USER, "TLS credentials: '" + file + "': " + what, cause);
    }
}
