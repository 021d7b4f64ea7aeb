package org.vmferry.spi.option;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;

import java.util.List;

/**
 * A capability or parameter: a constant of the module that obeys it.
 *
 * @param <T> the type of its values
 */
@Status(Status.Level.STABLE)
public sealed interface Option<T> permits Capability, Parameter {
    /**
     * Its name: QEMU's own spelling where QEMU has it.
     *
     * @return lower-case words with '-' between
     */
    String name();

    /**
     * Its value where nobody set it.
     *
     * @return never null
     */
    T defaultValue();

    /**
     * Reads and checks a value.
     *
     * @param text as a person types it
     * @return the value
     * @throws MigrationException if it is not one, or out of range; says what is allowed
     */
    T parse(String text) throws MigrationException;

    /**
     * What may be set, for a person: "on or off", "1 to 255", "none, zlib or zstd".
     *
     * @return a phrase
     */
    String range();

    /**
     * What may be set, for a program, if that is one of several words.
     *
     * @return empty if it is anything else
     */
    default List<String> words() {
        return List.of();
    }

    /**
     * Whether it may change while a migration runs: who obeys it asks {@code Session.current} each
     * time.
     *
     * @return false for all that both ends, or several parts, have to agree on
     */
    default boolean live() {
        return false;
    }
}
