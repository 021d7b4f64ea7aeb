package org.vmferry.engine.option;

import org.vmferry.spi.Status;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * What somebody asked for, by name and as typed; nothing is checked yet. Immutable.
 *
 * @param capabilities names, and whether to be on
 * @param parameters names and values
 */
@Status(Status.Level.STABLE)
public record Settings(Map<String, Boolean> capabilities, Map<String, String> parameters) {
    /** Nothing asked for. */
    public static final Settings NONE = new Settings(Map.of(), Map.of());

    /** Copies both. */
    public Settings {
        requireAll(capabilities, "capabilities");
        requireAll(parameters, "parameters");
        capabilities = Collections.unmodifiableMap(new LinkedHashMap<>(capabilities));
        parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
    }

    private static void requireAll(Map<String, ?> asked, String what) {
        for (Map.Entry<String, ?> one : Objects.requireNonNull(asked, what).entrySet()) {
            Objects.requireNonNull(one.getKey(), what + ": a name");
            Objects.requireNonNull(one.getValue(), () -> what + ": " + one.getKey());
        }
    }

    /**
     * These, and a capability on.
     *
     * @param name QEMU's
     * @return new settings
     */
    public Settings capability(String name) {
        return capability(name, true);
    }

    /**
     * These, and a capability on or off. The last word counts.
     *
     * @param name QEMU's
     * @param on which
     * @return new settings
     */
    public Settings capability(String name, boolean on) {
        Map<String, Boolean> changed = new LinkedHashMap<>(capabilities);
        changed.put(Objects.requireNonNull(name, "name"), on);
        return new Settings(changed, parameters);
    }

    /**
     * These, and a parameter. The last word counts.
     *
     * @param name QEMU's
     * @param value as typed
     * @return new settings
     */
    public Settings parameter(String name, String value) {
        Map<String, String> changed = new LinkedHashMap<>(parameters);
        changed.put(Objects.requireNonNull(name, "name"), Objects.requireNonNull(value, "value"));
        return new Settings(capabilities, changed);
    }

    /**
     * These, and others, which have the last word.
     *
     * @param others to add
     * @return new settings
     */
    public Settings plus(Settings others) {
        Map<String, Boolean> on = new LinkedHashMap<>(capabilities);
        on.putAll(others.capabilities);
        Map<String, String> values = new LinkedHashMap<>(parameters);
        values.putAll(others.parameters);
        return new Settings(on, values);
    }
}
