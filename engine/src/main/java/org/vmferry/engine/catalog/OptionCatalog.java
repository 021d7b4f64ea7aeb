package org.vmferry.engine.catalog;

import org.vmferry.engine.discovery.Plugin;
import org.vmferry.engine.discovery.PluginKind;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Options;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Every capability and parameter that the engine and its plug-ins obey. {@link OptionReader} reads
 * their values, {@link OptionCompatibility} knows what goes together. Immutable; any thread.
 *
 * <p>A name that two plug-ins claim can't be set. One that claims the engine's was left out when it
 * was found.
 */
@Status(Status.Level.EXPERIMENTAL)
public final class OptionCatalog {
    private static final String ENGINE = "engine";

    private final Plugins plugins;
    private final Map<String, Owned> options = new LinkedHashMap<>();
    private final Map<String, String> disputed = new LinkedHashMap<>();

    private record Owned(Option<?> option, String owner, String description) {}

    /**
     * The union of all options.
     *
     * @param plugins the engine's
     */
    public OptionCatalog(Plugins plugins) {
        this.plugins = plugins;
        List<String> codecs = plugins.all(PluginKind.CODEC).stream().map(Plugin::id).toList();
        for (Option<?> option : EngineOptions.all(codecs)) {
            options.put(option.name(), new Owned(option, ENGINE, "the engine"));
        }
        for (Plugin plugin : plugins.all()) {
            for (Option<?> option : plugin.options()) claim(option, plugin);
        }
        disputed.keySet().forEach(options::remove);
    }

    private void claim(Option<?> option, Plugin plugin) {
        Owned there = options.get(option.name());
        if (there == null) {
            options.put(option.name(), new Owned(option, plugin.id(), plugin.toString()));
        } else if (there.option() != option) { // one constant may serve two parts of one plug-in
            String owners = disputed.getOrDefault(option.name(), there.description());
            disputed.put(option.name(), owners + " and " + plugin);
        }
    }

    /**
     * Names that more than one claims.
     *
     * @return one sentence each
     */
    public List<String> problems() {
        return disputed.keySet().stream().map(this::dispute).toList();
    }

    private String dispute(String name) {
        return "option '%s' is claimed by %s: it can't be set until one of them is removed"
                .formatted(name, disputed.get(name));
    }

    /** Whose they are. */
    Plugins plugins() {
        return plugins;
    }

    /** An option; empty if nobody obeys one of that name, or two claim it. */
    Optional<Option<?>> find(String name) {
        return Optional.ofNullable(options.get(name)).map(Owned::option);
    }

    /** All that can be set, those of the engine first. */
    Stream<Option<?>> all() {
        return options.values().stream().map(Owned::option);
    }

    /**
     * All options.
     *
     * @param current what is set now
     * @return those of the engine first
     */
    public List<OptionInfo> describe(Options current) {
        return options.values().stream()
                .map(
                        owned ->
                                new OptionInfo(
                                        owned.option().name(),
                                        owned.owner(),
                                        owned.option() instanceof Capability,
                                        owned.option().defaultValue(),
                                        owned.option().range(),
                                        owned.option().words(),
                                        current.get(owned.option())))
                .toList();
    }

    /** Why an option can't be set that was not found. */
    MigrationException unknown(QemuNames kind, String name) {
        if (disputed.containsKey(name)) {
            return new MigrationException(Blame.PLUGIN, dispute(name));
        }
        Optional<String> notBuilt = kind.notBuilt(name);
        if (notBuilt.isPresent()) {
            return MigrationException.user(
                    "%s '%s' is known, but vmferry has no %s", kind, name, notBuilt.get());
        }
        Optional<String> artifact = kind.owner(name);
        if (artifact.isPresent()) {
            return plugins.absent("%s '%s'".formatted(kind, name), artifact.get());
        }
        return MigrationException.user(
                "there is no %s '%s'%s%s",
                kind,
                name,
                Suggestion.nearest(name, names(kind)).map(n -> "; '" + n + "' is one").orElse(""),
                plugins.unlisted());
    }

    private Set<String> names(QemuNames kind) {
        Set<String> names = new TreeSet<>(kind.all());
        all().filter(o -> o instanceof Capability == (kind == QemuNames.CAPABILITY))
                .forEach(option -> names.add(option.name()));
        return names;
    }
}
