package org.vmferry.spi.transport;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;

import java.util.Objects;

/**
 * Where a migration goes, as a person types it: {@code tcp:host:port}, {@code file:path}.
 *
 * @param scheme what stands before the first colon: the transport's id
 * @param target the rest, which is the transport's to read
 */
@Status(Status.Level.STABLE)
public record Address(String scheme, String target) {
    /** Refuses null. */
    public Address {
        Objects.requireNonNull(scheme, "scheme");
        Objects.requireNonNull(target, "target");
    }

    /**
     * Reads an address.
     *
     * @param text scheme, colon, target
     * @return the address
     * @throws MigrationException if there is no scheme or no target
     */
    public static Address parse(String text) throws MigrationException {
        int colon = text.indexOf(':');
        if (colon < 1 || colon == text.length() - 1) {
            throw MigrationException.user(
                    "'%s' is no address: it takes a scheme, a colon and a target, as in"
                            + " file:/tmp/vm.snap",
                    text);
        }
        return new Address(text.substring(0, colon), text.substring(colon + 1));
    }

    @Override
    public String toString() {
        return scheme + ":" + target;
    }
}
