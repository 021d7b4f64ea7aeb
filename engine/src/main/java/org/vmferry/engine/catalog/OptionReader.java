package org.vmferry.engine.catalog;

import org.vmferry.engine.discovery.KnownPlugins;
import org.vmferry.engine.discovery.PluginKind;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Options;

import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Reads what somebody asked for: each name and each value for itself. Immutable; any thread.
 *
 * @param catalog the options that there are
 */
@Status(Status.Level.EXPERIMENTAL)
public record OptionReader(OptionCatalog catalog) {
    /** Refuses null. */
    public OptionReader {
        Objects.requireNonNull(catalog, "catalog");
    }

    /**
     * Reads and checks each name and value, but not whether they go together.
     *
     * @param settings what was asked for
     * @return it, and all else at its default
     * @throws MigrationException one sentence for each name that nobody obeys and each wrong value
     */
    public Options read(Settings settings) throws MigrationException {
        Conflicts conflicts = new Conflicts();
        Options read = read(Options.DEFAULTS, settings, conflicts);
        conflicts.throwIfAny();
        return read;
    }

    /**
     * Checks each name and value, but not whether they go together.
     *
     * @param settings what was asked for
     * @throws MigrationException as {@link #read(Settings)}
     */
    public void check(Settings settings) throws MigrationException {
        read(settings);
    }

    /** What was in force, and what of these settings can be read. */
    Options read(Options before, Settings settings, Conflicts conflicts) {
        Options read = before;
        for (Map.Entry<String, Boolean> asked : settings.capabilities().entrySet()) {
            String name = asked.getKey();
            Option<?> option = catalog.find(name).orElse(null);
            if (option instanceof Capability capability) {
                read = read.with(capability, asked.getValue());
            } else if (option != null) {
                conflicts.add("'%s' is a parameter, not a capability", name);
            } else if (asked.getValue() || !QemuNames.CAPABILITY.all().contains(name)) {
                // To switch off what isn't there is no mistake: scripts name all they know.
                conflicts.add(catalog.unknown(QemuNames.CAPABILITY, name));
            }
        }
        for (Map.Entry<String, String> asked : settings.parameters().entrySet()) {
            String name = asked.getKey();
            Option<?> option = catalog.find(name).orElse(null);
            try {
                if (option == null) {
                    if (QemuNames.PARAMETER.isDefault(name, asked.getValue())) continue;
                    throw catalog.unknown(QemuNames.PARAMETER, name);
                }
                if (option instanceof Capability) {
                    throw MigrationException.user("'%s' is a capability, not a parameter", name);
                }
                read = parsed(read, option, asked.getValue());
            } catch (MigrationException e) {
                conflicts.add(e);
            }
        }
        return read;
    }

    private <T> Options parsed(Options read, Option<T> option, String value)
            throws MigrationException {
        if (option.name().equals(EngineOptions.MODE.name()) && QemuNames.mode(value)) {
            throw MigrationException.user(
                    "mode=%s: known, but vmferry has no such mode; it takes %s",
                    value, option.range());
        }
        try {
            return read.with(option, option.parse(value));
        } catch (MigrationException e) {
            if (!option.name().equals(EngineOptions.MULTIFD_COMPRESSION.name())) throw e;
            Plugins plugins = catalog.plugins();
            if (KnownPlugins.artifact(PluginKind.CODEC, value).isPresent()
                    || KnownPlugins.notBuilt(PluginKind.CODEC, value).isPresent()
                    || plugins.rejected().stream()
                            .anyMatch(r -> r.id().equals(Optional.of(value)))) {
                plugins.codec(value); // throws, and says why it isn't there
            }
            throw MigrationException.user("%s%s", e.getMessage(), plugins.unlisted());
        } catch (RuntimeException | LinkageError e) {
            throw new MigrationException(
                    Blame.PLUGIN, option.name() + "=" + value + ": its owner threw " + e, e);
        }
    }
}
