package org.vmferry.engine.tls;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Printable;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A folder of credentials, as it is found, and what is to be said of it. For one thread. */
final class Folder {
    private static final Set<String> KNOWN =
            Set.of(
                    "ca-cert.pem",
                    "ca-crl.pem",
                    "client-cert.pem",
                    "client-key.pem",
                    "server-cert.pem",
                    "server-key.pem",
                    "dh-params.pem"); // a QEMU's; TLS 1.3's groups, and ours in 1.2, are fixed
    private static final int MOST_NAMED = 5;

    private final Path directory;
    private final List<String> remarks = new ArrayList<>();

    Folder(Path directory) throws MigrationException {
        this.directory = directory;
        if (!Files.isDirectory(directory)) {
            throw MigrationException.user("TLS credentials: there is no directory '%s'", directory);
        }
        remarkIgnored();
    }

    Path file(String name) {
        return directory.resolve(name);
    }

    /** What is worth to be said once, though the folder is of use: whole sentences. */
    List<String> remarks() {
        return List.copyOf(remarks);
    }

    /** Whom to trust: those of ca-cert.pem that hold today. */
    List<X509Certificate> issuers() throws MigrationException {
        Path file = file("ca-cert.pem");
        List<X509Certificate> hold = new ArrayList<>();
        List<String> expired = new ArrayList<>();
        for (X509Certificate ca : Pem.certificates(file)) {
            Pem.expired(ca).ifPresentOrElse(expired::add, () -> hold.add(ca));
        }
        if (hold.isEmpty()) throw Pem.wrong(file, String.join("; ", expired), null);
        for (String one : expired) {
            remark("TLS credentials: '%s': %s: it is trusted no more, the others are", file, one);
        }
        return hold;
    }

    /** One's own certificate, and those that vouch for it. */
    List<X509Certificate> chain(Path file) throws MigrationException {
        List<X509Certificate> chain = Pem.certificates(file);
        for (X509Certificate one : chain) {
            Optional<String> expired = Pem.expired(one);
            if (expired.isPresent()) throw Pem.wrong(file, expired.get(), null);
        }
        return chain;
    }

    /** The key of that certificate. */
    PrivateKey key(Path file, X509Certificate certificate) throws MigrationException {
        PrivateKey key = Pem.key(file, certificate);
        try {
            Set<PosixFilePermission> rights = Files.getPosixFilePermissions(file);
            Set<PosixFilePermission> ways = Files.getPosixFilePermissions(directory);
            if (!ways.contains(PosixFilePermission.OTHERS_EXECUTE)) return key;
            if (rights.contains(PosixFilePermission.OTHERS_READ)) others(file, "read");
            else if (rights.contains(PosixFilePermission.OTHERS_WRITE)) others(file, "change");
        } catch (IOException | UnsupportedOperationException e) {
            // It was read all the same; whoever keeps files so knows no such rights.
        }
        return key;
    }

    private void others(Path file, String what) {
        remark(
                "TLS credentials: '%s': others on this host can %s this key: take their right away,"
                        + " and if they did, the certificate is worth nothing",
                file, what);
    }

    /** The lists of whom a CA has revoked, if there is a file of them. */
    Optional<Revocations> revocations(List<X509Certificate> issuers) throws MigrationException {
        Path file = file("ca-crl.pem");
        if (!Files.exists(file)) return Optional.empty();
        Revocations found = new Revocations(file, issuers);
        found.remarks().forEach(this::remark);
        return Optional.of(found);
    }

    private void remarkIgnored() {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*.pem")) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                if (!KNOWN.contains(name) && names.size() <= MOST_NAMED) names.add(name);
            }
        } catch (IOException | DirectoryIteratorException e) {
            return; // its files may be opened all the same
        }
        if (names.isEmpty()) return;
        names.sort(null);
        if (names.size() > MOST_NAMED) names.set(MOST_NAMED, "others");
        remark(
                "TLS credentials: '%s': not read, for vmferry knows no such file: %s",
                directory, String.join(", ", names));
    }

    private void remark(String sentence, Object... arguments) {
        String said = arguments.length == 0 ? sentence : sentence.formatted(arguments);
        remarks.add(Printable.line(said));
    }
}
