package org.vmferry.engine.tls;

import org.jspecify.annotations.Nullable;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertPathValidatorException.BasicReason;
import java.security.cert.X509Certificate;
import java.util.regex.Pattern;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;

/** A channel's handshake. */
final class Handshake {
    private static final Pattern CLASS =
            Pattern.compile("\\b\\w++\\.[\\w.]++(?<=Exception|Error): ");

    private final Channel raw;
    private final SSLEngine engine;
    private final Records records;

    Handshake(Channel raw, SSLEngine engine, Records records) {
        this.raw = raw;
        this.engine = engine;
        this.records = records;
    }

    /**
     * Does it. If that fails the peer is told why.
     *
     * @param ms after which the channel is released; 0 for never
     */
    void within(long ms) throws IOException {
        Deadline deadline = new Deadline(raw, ms);
        try (deadline) {
            shake();
        } catch (IOException | RuntimeException | Error e) {
            if (deadline.passed()) throw late(ms, e);
            if (!(e instanceof SSLException)) throw e;
            throw new MigrationException(
                    Blame.PEER,
                    "TLS handshake with %s failed: %s".formatted(raw.peer(), why(e)),
                    e);
        }
        if (deadline.passed()) throw late(ms, null);
    }

    /**
     * The JDK's words, which name classes of its; of a list that is missing they say too little.
     */
    private static String why(Throwable e) {
        for (Throwable t = e; t != null; t = t.getCause()) {
            if (!(t instanceof CertPathValidatorException invalid)) continue;
            if (invalid.getReason() != BasicReason.UNDETERMINED_REVOCATION_STATUS) continue;
            if (invalid.getCertPath() == null || invalid.getIndex() < 0) continue;
            var judged =
                    (X509Certificate)
                            invalid.getCertPath().getCertificates().get(invalid.getIndex());
            return "ca-crl.pem has no list of %s that holds today, so that nobody can tell whether the"
                            .formatted(judged.getIssuerX500Principal())
                    + " certificate of %s is revoked".formatted(judged.getSubjectX500Principal());
        }
        return CLASS.matcher(String.valueOf(e.getMessage())).replaceAll("");
    }

    private MigrationException late(long ms, @Nullable Throwable cause) {
        return new MigrationException(
                Blame.TRANSPORT,
                "TLS handshake with %s: not done within %d ms".formatted(raw.peer(), ms),
                cause);
    }

    private void shake() throws IOException {
        try {
            engine.beginHandshake();
            while (true) {
                if (!engine.getUseClientMode()) makeNoTicketForLater();
                switch (engine.getHandshakeStatus()) {
                    case NEED_WRAP -> records.say();
                    case NEED_TASK -> records.work();
                    case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> records.hear();
                    case FINISHED, NOT_HANDSHAKING -> {
                        return;
                    }
                }
            }
        } catch (SSLException e) {
            try {
                records.end();
            } catch (IOException gone) {
                e.addSuppressed(gone);
            }
            throw e;
        }
    }

    /**
     * TLS 1.3's session tickets come after the handshake. A source never reads on a channel without
     * return path, so a ticket would be left there unread, and its close would reset the connection
     * under the last pages. An invalid session gets none.
     *
     * <p>TLS 1.2's come within the handshake, and must once the server has said that one will: the
     * JDK's says so to every client that asks, and keeps its word only for a valid session.
     */
    private void makeNoTicketForLater() {
        SSLSession made = engine.getHandshakeSession();
        if (made != null && made.getProtocol().equals(TlsChannel.KEYS_CHANGE)) made.invalidate();
    }
}
