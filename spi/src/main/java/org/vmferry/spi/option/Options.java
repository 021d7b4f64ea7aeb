package org.vmferry.spi.option;

import org.vmferry.spi.Status;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/** The options of one migration. Immutable. */
@Status(Status.Level.STABLE)
public final class Options {
    /** Every option at its default. */
    public static final Options DEFAULTS = new Options(Map.of());

    private final Map<String, Object> values;

    private Options(Map<String, Object> values) {
        this.values = values;
    }

    /**
     * An option's value.
     *
     * @param <T> its type
     * @param option which
     * @return what was set, or its default
     */
    @SuppressWarnings("unchecked") // with() put a T there
    public <T> T get(Option<T> option) {
        return (T) values.getOrDefault(option.name(), option.defaultValue());
    }

    /**
     * Whether an option was set, be it to its default: for who has something better than the
     * default where it was not.
     *
     * @param option which
     * @return false if {@link #get} tells the default because nobody has said anything
     */
    public boolean isSet(Option<?> option) {
        return values.containsKey(option.name());
    }

    /**
     * Whether a capability is on, by its name: for one that another module owns.
     *
     * @param capability its name
     * @return false also where nobody knows it
     */
    public boolean on(String capability) {
        return Boolean.TRUE.equals(values.get(Objects.requireNonNull(capability, "capability")));
    }

    /**
     * These options, and one set.
     *
     * @param <T> its type
     * @param option which
     * @param value of its range
     * @return new options
     */
    public <T> Options with(Option<T> option, T value) {
        Map<String, Object> changed = new HashMap<>(values);
        changed.put(option.name(), Objects.requireNonNull(value, "value"));
        return new Options(Map.copyOf(changed));
    }

    @Override
    public String toString() {
        return values.toString();
    }
}
