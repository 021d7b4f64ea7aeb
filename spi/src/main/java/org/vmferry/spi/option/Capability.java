package org.vmferry.spi.option;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;

import java.util.Objects;
import java.util.Set;

/**
 * A switch, off by default.
 *
 * @param name QEMU's spelling
 * @param needs names of capabilities that must be on with it
 * @param excludes names of capabilities that can't be on with it; one side saying so is enough
 */
@Status(Status.Level.STABLE)
public record Capability(String name, Set<String> needs, Set<String> excludes)
        implements Option<Boolean> {
    /** Refuses null. */
    public Capability {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(needs, "needs");
        Objects.requireNonNull(excludes, "excludes");
    }

    /**
     * A capability that goes with any other.
     *
     * @param name QEMU's spelling
     */
    public Capability(String name) {
        this(name, Set.of(), Set.of());
    }

    @Override
    public Boolean defaultValue() {
        return false;
    }

    @Override
    public Boolean parse(String text) throws MigrationException {
        return switch (Objects.requireNonNull(text, "text")) {
            case "on", "true" -> true;
            case "off", "false" -> false;
            default -> throw MigrationException.user("%s=%s: takes %s", name, text, range());
        };
    }

    @Override
    public String range() {
        return "on or off";
    }
}
