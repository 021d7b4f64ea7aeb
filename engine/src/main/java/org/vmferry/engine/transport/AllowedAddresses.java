package org.vmferry.engine.transport;

import org.jspecify.annotations.Nullable;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.transport.Address;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Where migrations may go to and come from, by the word of whoever set an engine up: for hosts
 * whose addresses others choose. An {@code exec:} address runs a command, and a {@code file:}
 * address writes a file.
 */
@Status(Status.Level.STABLE)
public final class AllowedAddresses {
    /** Nothing is forbidden, as with a QEMU. */
    public static final AllowedAddresses ALL = new AllowedAddresses(List.of());

    private record Rule(String scheme, @Nullable Path folder) {
        @Override
        public String toString() {
            return folder == null ? scheme : scheme + ":" + folder;
        }
    }

    private final List<Rule> rules; // all is allowed if there is none

    private AllowedAddresses(List<Rule> rules) {
        this.rules = rules;
    }

    /**
     * Only these.
     *
     * @param rules each a transport, such as {@code tcp}; or {@code file} or {@code unix} with a
     *     folder, such as {@code unix:/run/vm}: what lies in it, at any depth
     * @return what they allow
     * @throws MigrationException if one is none of these
     */
    public static AllowedAddresses of(List<String> rules) throws MigrationException {
        if (rules.isEmpty()) {
            throw MigrationException.user("no address would be allowed: name a transport at least");
        }
        List<Rule> parsed = new ArrayList<>();
        for (String rule : rules) parsed.add(parse(rule.strip()));
        return new AllowedAddresses(List.copyOf(parsed));
    }

    private static Rule parse(String rule) throws MigrationException {
        int colon = rule.indexOf(':');
        String scheme = colon < 0 ? rule : rule.substring(0, colon);
        if (scheme.isEmpty()) throw MigrationException.user("'%s' names no transport", rule);
        if (colon < 0) return new Rule(scheme, null);
        String folder = rule.substring(colon + 1);
        if (folder.isEmpty()) throw MigrationException.user("'%s' names no folder", rule);
        if (!scheme.equals("file") && !scheme.equals("unix")) {
            throw MigrationException.user(
                    "'%s': only addresses of file and unix have a folder; '%s' allows all of %s",
                    rule, scheme, scheme);
        }
        try {
            return new Rule(scheme, Path.of(folder).toRealPath());
        } catch (IOException | InvalidPathException e) {
            throw MigrationException.user("'%s': there is no such folder (%s)", rule, e);
        }
    }

    /**
     * Refuses an address that is not among them. A name is looked up as it stands now: whoever can
     * rename files in an allowed folder can lead astray whoever opens it afterwards.
     *
     * @param address to be used next
     * @throws MigrationException says what is allowed
     */
    public void check(Address address) throws IOException {
        Objects.requireNonNull(address, "address");
        if (rules.isEmpty()) return;
        for (Rule rule : rules) if (allows(rule, address)) return;
        throw MigrationException.user(
                "'%s' is not allowed here, but %s", address, String.join(", ", names()));
    }

    private List<String> names() {
        return rules.stream().map(Rule::toString).toList();
    }

    private static boolean allows(Rule rule, Address address) throws IOException {
        if (!rule.scheme.equals(address.scheme())) return false;
        return rule.folder == null || real(address).startsWith(rule.folder);
    }

    /** What a name stands for, behind all links; the last part of it need not exist yet. */
    private static Path real(Address address) throws IOException {
        FileTarget target =
                address.scheme().equals("file")
                        ? FileTarget.parse(address)
                        : FileTarget.named(address);
        Path file = target.file();
        Path folder = file.getParent();
        if (folder == null || !Files.isDirectory(folder)) return file.normalize();
        return folder.toRealPath().resolve(file.getFileName()).normalize();
    }
}
