package org.vmferry.spi.option;

import org.vmferry.spi.Status;

import java.util.List;

/**
 * Something found by {@link java.util.ServiceLoader}.
 *
 * <p>A provider is tiny: it has a public constructor without arguments for {@code ServiceLoader},
 * does nothing in it, and is asked for its name and options before anything else. A second
 * constructor marked {@link jakarta.inject.Inject} may serve a container. A provider that throws
 * while it is being identified is reported with its jar's place and left out; the others work on.
 * Two providers of the same kind with the same id are both rejected: the class path's order never
 * decides.
 *
 * <p>Calls may come from any thread and at the same time: a provider has no state of its own.
 */
@Status(Status.Level.STABLE)
public interface Provider {
    /**
     * The name by which it is asked for: a transport's scheme, a codec's name, a layout's
     * capability.
     *
     * @return lower-case letters, digits and '-'; the same at every call
     */
    String id();

    /**
     * The capabilities and parameters that this provider obeys.
     *
     * @return never null; by default none
     */
    default List<Option<?>> options() {
        return List.of();
    }
}
