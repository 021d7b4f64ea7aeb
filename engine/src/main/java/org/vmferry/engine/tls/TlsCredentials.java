package org.vmferry.engine.tls;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.CertStore;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Who we are and whom we trust: a directory as QEMU's tls-creds-x509 has it, with {@code
 * ca-cert.pem}, {@code ca-crl.pem} (if there is one), and {@code client-cert.pem} with {@code
 * client-key.pem} or {@code server-cert.pem} with {@code server-key.pem}. Immutable; any thread.
 */
@Status(Status.Level.STABLE)
public final class TlsCredentials {
    private static final char[] NO_PASSWORD = {};
    private static final List<String> PROTOCOLS = List.of("TLSv1.3", "TLSv1.2");

    private final SSLContext context;
    private final boolean server;
    private final boolean verifyPeer;
    private final List<String> protocols;
    private final List<String> remarks;

    private TlsCredentials(
            SSLContext context,
            boolean server,
            boolean verifyPeer,
            List<String> protocols,
            List<String> remarks) {
        this.context = context;
        this.server = server;
        this.verifyPeer = verifyPeer;
        this.protocols = protocols;
        this.remarks = remarks;
    }

    /**
     * A source's.
     *
     * @param directory with ca-cert.pem, and the client's pair if it has one
     * @param verifyPeer whether the server's certificate and name are checked; false gives secrecy
     *     from listeners only
     * @return the credentials
     * @throws MigrationException naming the file that is missing or wrong
     */
    public static TlsCredentials client(Path directory, boolean verifyPeer)
            throws MigrationException {
        return load(directory, false, verifyPeer);
    }

    /**
     * A destination's.
     *
     * @param directory with ca-cert.pem and the server's pair
     * @param verifyPeer whether a client must show a certificate of this CA
     * @return the credentials
     * @throws MigrationException naming the file that is missing or wrong
     */
    public static TlsCredentials server(Path directory, boolean verifyPeer)
            throws MigrationException {
        return load(directory, true, verifyPeer);
    }

    private static TlsCredentials load(Path directory, boolean server, boolean verifyPeer)
            throws MigrationException {
        Folder folder = new Folder(Objects.requireNonNull(directory, "directory"));
        String role = server ? "server" : "client";
        Path certificate = directory.resolve(role + "-cert.pem");
        Path key = directory.resolve(role + "-key.pem");
        // A client may have no certificate; half a pair is a mistake.
        boolean named = server || Files.exists(certificate) || Files.exists(key);
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(
                    named ? keys(folder, certificate, key) : null,
                    new TrustManager[] {trust(folder, server, verifyPeer)},
                    null);
            return new TlsCredentials(context, server, verifyPeer, PROTOCOLS, folder.remarks());
        } catch (GeneralSecurityException | java.io.IOException e) {
            if (e instanceof MigrationException m) throw m;
            throw new MigrationException(
                    Blame.USER, "TLS credentials in '" + directory + "': " + e.getMessage(), e);
        }
    }

    private static KeyManager[] keys(Folder folder, Path certificate, Path key)
            throws GeneralSecurityException, java.io.IOException {
        List<X509Certificate> chain = folder.chain(certificate);
        PrivateKey secret = folder.key(key, chain.getFirst());
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry("own", secret, NO_PASSWORD, chain.toArray(new X509Certificate[0]));
        KeyManagerFactory factory =
                KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store, NO_PASSWORD);
        return factory.getKeyManagers();
    }

    private static TrustManager trust(Folder folder, boolean server, boolean verifyPeer)
            throws GeneralSecurityException, java.io.IOException {
        if (!verifyPeer) return new Trust.Anybody();
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        int n = 0;
        List<X509Certificate> trusted = folder.issuers();
        for (X509Certificate ca : trusted) store.setCertificateEntry("ca" + n++, ca);
        PKIXBuilderParameters rules = new PKIXBuilderParameters(store, new X509CertSelector());
        Optional<Revocations> revoked = folder.revocations(trusted);
        rules.setRevocationEnabled(revoked.isPresent());
        if (revoked.isPresent()) {
            rules.addCertStore(
                    CertStore.getInstance(
                            "Collection",
                            new CollectionCertStoreParameters(revoked.get().lists())));
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(new CertPathTrustManagerParameters(rules));
        X509ExtendedTrustManager issuers = (X509ExtendedTrustManager) factory.getTrustManagers()[0];
        return server ? new Trust.Unnamed(issuers) : issuers;
    }

    /**
     * What is worth to be said of the directory though it is of use: expired CAs, a key that others
     * can read, files that are not read.
     *
     * @return whole sentences, each printable; none is no fault
     */
    public List<String> remarks() {
        return remarks;
    }

    /** The same for one version of TLS. */
    TlsCredentials only(String protocol) {
        return new TlsCredentials(context, server, verifyPeer, List.of(protocol), remarks);
    }

    /** One channel's engine. */
    SSLEngine engine(boolean asServer, String hostname) throws MigrationException {
        if (asServer != server) {
            throw MigrationException.user(
                    "TLS: these are a %s's credentials, not a %s's",
                    server ? "server" : "client", asServer ? "server" : "client");
        }
        if (!server && verifyPeer && hostname.isEmpty()) {
            throw MigrationException.user(
                    "TLS: the destination's certificate is checked against a name, and the address"
                            + " has none: set tls-hostname");
        }
        SSLEngine engine =
                hostname.isEmpty()
                        ? context.createSSLEngine()
                        : context.createSSLEngine(hostname, -1);
        engine.setUseClientMode(!server);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setProtocols(protocols.toArray(new String[0]));
        if (server) parameters.setNeedClientAuth(verifyPeer);
        else if (verifyPeer) parameters.setEndpointIdentificationAlgorithm("HTTPS");
        engine.setSSLParameters(parameters);
        return engine;
    }
}
