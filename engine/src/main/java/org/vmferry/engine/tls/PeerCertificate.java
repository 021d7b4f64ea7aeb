package org.vmferry.engine.tls;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import java.util.Optional;

import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.security.auth.x500.X500Principal;

/** Who the peer says to be, if it does. */
record PeerCertificate(Optional<X509Certificate> shown, Optional<String> fingerprint) {
    /** Of a peer that has shown none. */
    static final PeerCertificate NONE = new PeerCertificate(Optional.empty(), Optional.empty());

    static PeerCertificate of(SSLSession session) throws MigrationException {
        try {
            X509Certificate shown = (X509Certificate) session.getPeerCertificates()[0];
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(shown.getEncoded());
            return new PeerCertificate(
                    Optional.of(shown), Optional.of(HexFormat.of().formatHex(hash)));
        } catch (SSLPeerUnverifiedException e) {
            return NONE;
        } catch (GeneralSecurityException e) {
            throw new MigrationException(Blame.PEER, "TLS: a certificate can't be read", e);
        }
    }

    /** Refuses all but one distinguished name. */
    void authorize(String authorized, String peer) throws MigrationException {
        if (shown.isEmpty()) {
            throw MigrationException.peer(
                    "TLS: tls-authz wants '%s', but %s showed no certificate", authorized, peer);
        }
        X500Principal name = shown.get().getSubjectX500Principal();
        try {
            if (name.equals(new X500Principal(authorized))) return;
        } catch (IllegalArgumentException e) {
            throw new MigrationException(
                    Blame.USER,
                    "tls-authz: '%s' is no distinguished name: %s"
                            .formatted(authorized, e.getMessage()),
                    e);
        }
        throw MigrationException.peer(
                "TLS: %s is '%s'; tls-authz allows '%s' only", peer, name, authorized);
    }
}
