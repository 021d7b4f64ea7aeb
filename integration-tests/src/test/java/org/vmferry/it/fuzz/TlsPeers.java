package org.vmferry.it.fuzz;

import org.vmferry.testkit.tls.TestCertificates;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;

import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;

/** TLS engines of the JDK with the certificates of tests, which trust everybody. */
final class TlsPeers {
    /** What one side shows, and with which key it shows that it is its. */
    private record Pair(X509Certificate certificate, PrivateKey key) {}

    private final Pair client;
    private final Pair server;

    /** With those of {@link TestCertificates}. */
    TlsPeers(Path folder) throws IOException, GeneralSecurityException {
        client = pair(folder, "client");
        server = pair(folder, "server");
    }

    private static Pair pair(Path folder, String role)
            throws IOException, GeneralSecurityException {
        byte[] certificate = der(folder.resolve(role + "-cert.pem"));
        var read =
                CertificateFactory.getInstance("X.509")
                        .generateCertificate(new ByteArrayInputStream(certificate));
        byte[] key = der(folder.resolve(role + "-key.pem"));
        return new Pair(
                (X509Certificate) read,
                KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(key)));
    }

    private static byte[] der(Path pem) throws IOException {
        return Base64.getMimeDecoder().decode(Files.readString(pem).replaceAll("-----.*", ""));
    }

    /** What a side shows if it is genuine. */
    X509Certificate certificate(boolean asServer) {
        return (asServer ? server : client).certificate;
    }

    /** One end, which shows this chain. */
    SSLEngine engine(boolean asServer, String protocol, X509Certificate... chain)
            throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        KeyManager own = new Shown(chain, (asServer ? server : client).key);
        context.init(new KeyManager[] {own}, new TrustManager[] {new Everybody()}, null);
        SSLEngine engine = context.createSSLEngine(TestCertificates.HOST, -1);
        engine.setUseClientMode(!asServer);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setProtocols(new String[] {protocol});
        if (asServer) parameters.setNeedClientAuth(true);
        engine.setSSLParameters(parameters);
        return engine;
    }

    private static final class Shown extends X509ExtendedKeyManager {
        private static final String OWN = "own";

        private final X509Certificate[] chain;
        private final PrivateKey key;

        Shown(X509Certificate[] chain, PrivateKey key) {
            this.chain = chain;
            this.key = key;
        }

        private static String ifRsa(String... types) {
            for (String type : types) if (type.equals("RSA")) return OWN;
            return null;
        }

        @Override
        public String chooseEngineClientAlias(String[] types, Principal[] is, SSLEngine engine) {
            return ifRsa(types);
        }

        @Override
        public String chooseEngineServerAlias(String type, Principal[] is, SSLEngine engine) {
            return ifRsa(type);
        }

        @Override
        public String[] getClientAliases(String type, Principal[] issuers) {
            return new String[] {OWN};
        }

        @Override
        public String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) {
            return ifRsa(types);
        }

        @Override
        public String[] getServerAliases(String type, Principal[] issuers) {
            return new String[] {OWN};
        }

        @Override
        public String chooseServerAlias(String type, Principal[] issuers, Socket socket) {
            return ifRsa(type);
        }

        @Override
        public X509Certificate[] getCertificateChain(String alias) {
            return chain;
        }

        @Override
        public PrivateKey getPrivateKey(String alias) {
            return key;
        }
    }

    private static final class Everybody extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {
            // It is.
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {
            // It is.
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {
            // It is.
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {
            // It is.
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {
            // It is.
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {
            // It is.
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
