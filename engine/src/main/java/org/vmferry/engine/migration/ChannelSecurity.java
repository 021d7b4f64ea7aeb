package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.tls.TlsChannel;
import org.vmferry.engine.tls.TlsCredentials;
import org.vmferry.engine.transport.TcpTransport;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.session.Session;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.file.Path;

/** What lies over a migration's connections: TLS where tls-creds asks for it, else nothing. */
interface ChannelSecurity {
    /** Puts the layer over a connection, which it then owns; blocks for a handshake. */
    Channel over(Channel raw) throws IOException;

    /** A source's layer. */
    static ChannelSecurity ofSource(Address address, Session session) throws MigrationException {
        Options options = session.options();
        if (options.get(EngineOptions.TLS_CREDS).isEmpty()) return raw -> raw;
        TlsCredentials credentials =
                TlsCredentials.client(
                        Path.of(options.get(EngineOptions.TLS_CREDS)),
                        options.get(EngineOptions.TLS_VERIFY_PEER));
        String asked = options.get(EngineOptions.TLS_HOSTNAME);
        String host =
                asked.isEmpty() && address.scheme().equals("tcp")
                        ? TcpTransport.host(address)
                        : asked;
        if (host.isEmpty() && options.get(EngineOptions.TLS_VERIFY_PEER)) {
            throw MigrationException.user(
                    "%s names no host that the destination's certificate could be for: set"
                            + " tls-hostname",
                    address);
        }
        say(credentials);
        long deadline = session.connectTimeout();
        return raw -> TlsChannel.connect(raw, credentials, host, deadline);
    }

    /** A destination's layer. */
    static ChannelSecurity ofDestination(Session session) throws MigrationException {
        Options options = session.options();
        if (options.get(EngineOptions.TLS_CREDS).isEmpty()) return raw -> raw;
        TlsCredentials credentials =
                TlsCredentials.server(
                        Path.of(options.get(EngineOptions.TLS_CREDS)),
                        options.get(EngineOptions.TLS_VERIFY_PEER));
        String authorized = options.get(EngineOptions.TLS_AUTHZ);
        say(credentials);
        long deadline = session.connectTimeout();
        return raw -> TlsChannel.accept(raw, credentials, authorized, deadline);
    }

    private static void say(TlsCredentials credentials) {
        Logger log = Log.of(ChannelSecurity.class);
        credentials.remarks().forEach(remark -> log.warn("{}", remark));
    }
}
