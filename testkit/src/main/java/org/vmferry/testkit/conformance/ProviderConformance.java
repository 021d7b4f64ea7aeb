package org.vmferry.testkit.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Provider;

import java.util.HashSet;
import java.util.Set;

/**
 * What all plug-ins have in common: docs/spi/provider.md.
 *
 * @param <P> the kind of provider
 */
@Status(Status.Level.STABLE)
public abstract class ProviderConformance<P extends Provider> extends Conformance {
    ProviderConformance() {}

    /**
     * The provider to be tried.
     *
     * @return one that works; a new one, or the same, at each call
     * @throws Exception if it can't be made
     */
    protected abstract P provider() throws Exception;

    @Test
    @Tag("PRV-1")
    final void itsIdIsAName() throws Exception {
        P provider = provider();
        String id = provider.id();
        assertTrue(
                id != null && id.matches("[a-z0-9-]++"),
                "id(): '" + id + "' is not lower-case letters, digits and '-'");
        assertEquals(id, provider.id(), "id(): differs from call to call");
    }

    @Test
    @Tag("PRV-2")
    final void itsOptionsAreSound() throws Exception {
        Set<String> names = new HashSet<>();
        for (Option<?> option : provider().options()) {
            assertTrue(
                    option.name().matches("[a-z0-9-]++"),
                    "options(): '" + option.name() + "' is no name of an option");
            assertTrue(names.add(option.name()), "options(): '" + option.name() + "' stands twice");
            assertNotNull(option.defaultValue(), "options(): no default for " + option.name());
            assertTrue(
                    takes(option, option.defaultValue().toString()),
                    "options(): '%s' has the default %s, and takes %s"
                            .formatted(option.name(), option.defaultValue(), option.range()));
        }
    }

    /** Whether an option takes a value. */
    static boolean takes(Option<?> option, String value) {
        try {
            option.parse(value);
            return true;
        } catch (MigrationException e) {
            return false;
        }
    }
}
