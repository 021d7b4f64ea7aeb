package org.vmferry.spi.option;

import org.jspecify.annotations.Nullable;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;

import java.math.BigInteger;
import java.util.List;
import java.util.Objects;

/**
 * A value that tunes a migration.
 *
 * @param <T> the type of its values
 */
@Status(Status.Level.STABLE)
public final class Parameter<T> implements Option<T> {
    private interface Reader<T> {
        /** Null, or a NumberFormatException, where the text is no allowed value. */
        @Nullable T read(String text);
    }

    private final String name;
    private final T defaultValue;
    private final Reader<T> reader;
    private final String range;
    private final List<String> words;
    private final boolean live;

    private Parameter(String name, T defaultValue, String range, Reader<T> reader) {
        this(name, defaultValue, range, reader, List.of(), false);
    }

    private Parameter(
            String name,
            T defaultValue,
            String range,
            Reader<T> reader,
            List<String> words,
            boolean live) {
        this.name = Objects.requireNonNull(name, "name");
        this.defaultValue = defaultValue;
        this.range = range;
        this.reader = reader;
        this.words = List.copyOf(words);
        this.live = live;
    }

    /**
     * A count.
     *
     * @param name QEMU's spelling
     * @param defaultValue where nobody set it
     * @param least smallest allowed
     * @param most largest allowed
     * @return the parameter
     */
    public static Parameter<Integer> count(String name, int defaultValue, int least, int most) {
        return new Parameter<>(
                name,
                defaultValue,
                least + " to " + most,
                text -> {
                    int value = Integer.parseInt(text);
                    return value < least || value > most ? null : value;
                });
    }

    /**
     * An amount with a unit.
     *
     * @param name QEMU's spelling
     * @param defaultValue where nobody set it
     * @param most largest allowed; the least is 0. With {@code Long.MAX_VALUE} everything above it
     *     that QEMU's 64 bits hold is taken too, and means {@code Long.MAX_VALUE}
     * @param unit such as "bytes/s" or "ms"
     * @return the parameter
     */
    public static Parameter<Long> amount(String name, long defaultValue, long most, String unit) {
        Objects.requireNonNull(unit, "unit");
        return new Parameter<>(
                name,
                defaultValue,
                (most == Long.MAX_VALUE ? "0 or more " : "0 to " + most + " ") + unit,
                text -> {
                    if (text.length() > 40) return null; // before it costs anything
                    BigInteger value = new BigInteger(text);
                    if (value.signum() < 0 || value.bitLength() > 64) return null;
                    if (most == Long.MAX_VALUE)
                        return value.min(BigInteger.valueOf(most)).longValue();
                    return value.compareTo(BigInteger.valueOf(most)) > 0 ? null : value.longValue();
                });
    }

    /**
     * A switch that is no capability.
     *
     * @param name QEMU's spelling
     * @param defaultValue where nobody set it
     * @return the parameter
     */
    public static Parameter<Boolean> flag(String name, boolean defaultValue) {
        return new Parameter<>(
                name,
                defaultValue,
                "on or off",
                text ->
                        switch (text) {
                            case "on", "true" -> true;
                            case "off", "false" -> false;
                            default -> null;
                        });
    }

    /**
     * One of several words; the first is the default.
     *
     * @param name QEMU's spelling
     * @param words what is allowed
     * @return the parameter
     */
    public static Parameter<String> choice(String name, List<String> words) {
        return new Parameter<>(
                name,
                words.getFirst(),
                String.join(", ", words),
                text -> words.contains(text) ? text : null,
                words,
                false);
    }

    /**
     * Any text; empty by default.
     *
     * @param name QEMU's spelling
     * @return the parameter
     */
    public static Parameter<String> text(String name) {
        return new Parameter<>(name, "", "any text", text -> text);
    }

    /**
     * The same, but it may change while a migration runs.
     *
     * @return a new parameter
     */
    public Parameter<T> asLive() {
        return new Parameter<>(name, defaultValue, range, reader, words, true);
    }

    @Override
    public List<String> words() {
        return words;
    }

    @Override
    public boolean live() {
        return live;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public T defaultValue() {
        return defaultValue;
    }

    @Override
    public T parse(String text) throws MigrationException {
        Objects.requireNonNull(text, "text");
        try {
            T value = reader.read(text);
            if (value != null) return value;
        } catch (NumberFormatException e) {
            // Said below, with what is allowed.
        }
        throw MigrationException.user("%s=%s: takes %s", name, text, range);
    }

    @Override
    public String range() {
        return range;
    }

    @Override
    public String toString() {
        return name;
    }
}
