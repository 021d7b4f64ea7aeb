package org.vmferry.engine.tls;

import org.vmferry.spi.MigrationException;

import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.Date;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

import javax.security.auth.x500.X500Principal;

/**
 * The lists of revoked certificates in ca-crl.pem. Of a CA that has no list there which holds
 * today, nobody can be judged, and so nobody comes in: what is wrong with the file is said before.
 */
final class Revocations {
    private final Path file;
    private final List<X509CRL> lists;
    private final List<X509Certificate> issuers;

    /**
     * Reads them.
     *
     * @param issuers whom ca-cert.pem trusts
     */
    Revocations(Path file, List<X509Certificate> issuers) throws MigrationException {
        this.file = file;
        this.issuers = issuers;
        lists = Pem.revocations(file);
        if (lists.isEmpty()) {
            throw Pem.wrong(
                    file,
                    "holds no list of revoked certificates: put the CA's there, or take the file"
                            + " away",
                    null);
        }
        for (X509CRL list : lists) {
            requireGenuine(list);
            requireToday(list);
        }
        if (names(issuers).stream().noneMatch(names()::contains)) {
            throw Pem.wrong(
                    file,
                    "holds lists of %s, but none of %s, which ca-cert.pem has: put its list there, or"
                                    .formatted(all(names()), all(names(issuers)))
                            + " take the file away",
                    null);
        }
    }

    /** To judge certificates by. */
    List<X509CRL> lists() {
        return lists;
    }

    /** What is worth to be said though the file is of use. */
    List<String> remarks() {
        return names(issuers).stream()
                .filter(name -> !names().contains(name))
                .map(
                        name ->
                                "TLS credentials: '%s': has no list of %s: who shows a certificate of"
                                                .formatted(file, name)
                                        + " that CA is refused")
                .toList();
    }

    private void requireGenuine(X509CRL list) throws MigrationException {
        List<X509Certificate> named =
                issuers.stream()
                        .filter(
                                ca ->
                                        ca.getSubjectX500Principal()
                                                .equals(list.getIssuerX500Principal()))
                        .toList();
        // Of another CA's it may be an intermediate, whose certificate only its peer shows.
        if (named.isEmpty() || named.stream().anyMatch(ca -> signed(list, ca))) return;
        throw Pem.wrong(
                file,
                "the list of %s is not signed by the CA of that name in ca-cert.pem"
                        .formatted(list.getIssuerX500Principal()),
                null);
    }

    private static boolean signed(X509CRL list, X509Certificate ca) {
        try {
            list.verify(ca.getPublicKey());
            return true;
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    private void requireToday(X509CRL list) throws MigrationException {
        X500Principal name = list.getIssuerX500Principal();
        if (lists.stream().anyMatch(l -> l.getIssuerX500Principal().equals(name) && holds(l))) {
            return;
        }
        String why =
                list.getNextUpdate() == null
                        ? "does not say when another follows, and so holds for nobody"
                        : list.getThisUpdate().after(new Date())
                                ? "does not hold before %s: is this system's clock right?"
                                        .formatted(list.getThisUpdate().toInstant())
                                : "was to be followed by another on %s: put that there"
                                        .formatted(list.getNextUpdate().toInstant());
        throw Pem.wrong(file, "the list of %s %s".formatted(name, why), null);
    }

    private static boolean holds(X509CRL list) {
        Date now = new Date();
        return list.getNextUpdate() != null
                && !list.getThisUpdate().after(now)
                && !list.getNextUpdate().before(now);
    }

    private Set<String> names() {
        return lists.stream()
                .map(list -> list.getIssuerX500Principal().toString())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> names(List<X509Certificate> issuers) {
        return issuers.stream()
                .map(ca -> ca.getSubjectX500Principal().toString())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String all(Set<String> names) {
        return String.join(" and ", names);
    }
}
