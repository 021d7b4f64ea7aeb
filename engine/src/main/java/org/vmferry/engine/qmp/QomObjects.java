package org.vmferry.engine.qmp;

import static org.vmferry.engine.qmp.QmpType.Builtin.BOOLEAN;
import static org.vmferry.engine.qmp.QmpType.Builtin.STRING;
import static org.vmferry.engine.qmp.QmpType.NOTHING;

import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.qmp.QmpType.Choice;
import org.vmferry.engine.qmp.QmpType.Struct;
import org.vmferry.engine.tls.TlsCredentials;
import org.vmferry.spi.MigrationException;

import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What object-add makes: tls-creds-x509 and authz-simple. In QMP the parameters tls-creds and
 * tls-authz are the ids of such objects; in the engine's settings they are what those hold.
 */
final class QomObjects {
    private static final Pattern ID = Pattern.compile("[A-Za-z][A-Za-z0-9._-]{0,254}");
    private static final int MOST = 1000;

    private static final Choice ENDPOINT = new Choice(List.of("client", "server"));
    private static final Struct OBJECT = NOTHING.with("qom-type", STRING).with("id", STRING);
    private static final Struct CREDENTIALS =
            OBJECT.with("dir", STRING)
                    .withOptional("endpoint", ENDPOINT)
                    .withOptional("verify-peer", BOOLEAN);
    private static final Struct AUTHORIZED = OBJECT.with("identity", STRING);

    private sealed interface Made {}

    private record Credentials(String directory, boolean client, boolean verifyPeer)
            implements Made {}

    private record Authorized(String identity) implements Made {}

    private final Map<String, Made> made = new LinkedHashMap<>();

    QomObjects(Monitor monitor) {
        monitor.command(
                "object-add",
                OBJECT.withOptional("dir", STRING)
                        .withOptional("endpoint", ENDPOINT)
                        .withOptional("verify-peer", BOOLEAN)
                        .withOptional("identity", STRING),
                NOTHING,
                this::add);
        monitor.command("object-del", NOTHING.with("id", STRING), NOTHING, this::delete);
    }

    private Object add(Arguments arguments) throws Refusal, IOException {
        String type = arguments.string("qom-type");
        String id = arguments.string("id");
        Made object =
                switch (type) {
                    case "tls-creds-x509" -> credentials(arguments);
                    case "authz-simple" -> authorized(arguments);
                    default ->
                            throw Refusal.generic(
                                    "Parameter 'qom-type' does not accept value '%s': this host has"
                                            + " tls-creds-x509 and authz-simple",
                                    type);
                };
        if (!ID.matcher(id).matches()) {
            throw Refusal.generic("Parameter 'id' expects an identifier");
        }
        if (made.containsKey(id)) throw Refusal.generic("There is an object '%s' already", id);
        if (made.size() == MOST) throw Refusal.generic("There are %d objects already", MOST);
        if (object instanceof Credentials credentials) load(credentials);
        made.put(id, object);
        return Map.of();
    }

    private static Credentials credentials(Arguments arguments) throws Refusal {
        TypeCheck.check(CREDENTIALS, arguments.members(), "");
        return new Credentials(
                arguments.string("dir"),
                arguments.optionalString("endpoint").orElse("client").equals("client"),
                arguments.bool("verify-peer", true));
    }

    private static Authorized authorized(Arguments arguments) throws Refusal {
        TypeCheck.check(AUTHORIZED, arguments.members(), "");
        return new Authorized(arguments.string("identity"));
    }

    /** Only to see whether they can be. */
    private static void load(Credentials credentials) throws MigrationException, Refusal {
        try {
            Path directory = Path.of(credentials.directory);
            if (credentials.client) TlsCredentials.client(directory, credentials.verifyPeer);
            else TlsCredentials.server(directory, credentials.verifyPeer);
        } catch (InvalidPathException e) {
            throw Refusal.generic("Parameter 'dir': %s", e.getMessage());
        }
    }

    private Object delete(Arguments arguments) throws Refusal {
        String id = arguments.string("id");
        if (made.remove(id) == null) throw Refusal.generic("object '%s' not found", id);
        return Map.of();
    }

    /** The same settings, with what the objects hold in place of their ids. */
    Settings resolve(Settings settings, boolean client) throws Refusal {
        Settings resolved = settings;
        String creds = settings.parameters().getOrDefault(EngineOptions.TLS_CREDS.name(), "");
        if (!creds.isEmpty()) {
            if (!(made.get(creds) instanceof Credentials found)) {
                throw Refusal.generic("No TLS credentials with id '%s'", creds);
            }
            if (found.client != client) {
                throw Refusal.generic(
                        "Expected TLS credentials for a %s endpoint", client ? "client" : "server");
            }
            resolved =
                    resolved.parameter(EngineOptions.TLS_CREDS.name(), found.directory)
                            .parameter(
                                    EngineOptions.TLS_VERIFY_PEER.name(),
                                    found.verifyPeer ? "on" : "off");
        }
        String authz = settings.parameters().getOrDefault(EngineOptions.TLS_AUTHZ.name(), "");
        if (!authz.isEmpty()) {
            if (!(made.get(authz) instanceof Authorized found)) {
                throw Refusal.generic("No authorization object with id '%s'", authz);
            }
            resolved = resolved.parameter(EngineOptions.TLS_AUTHZ.name(), reversed(found.identity));
        }
        return resolved;
    }

    /** QEMU spells a name in the order of its certificate; RFC 2253, and our option, backwards. */
    static String reversed(String name) {
        List<String> parts = new ArrayList<>();
        StringBuilder part = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c == ',' && !quoted) {
                parts.add(part.toString());
                part.setLength(0);
                continue;
            }
            part.append(c);
            if (c == '"') quoted = !quoted;
            if (c == '\\' && i + 1 < name.length()) part.append(name.charAt(++i));
        }
        parts.add(part.toString());
        return String.join(",", parts.reversed());
    }
}
