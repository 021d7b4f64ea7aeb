package org.vmferry.engine.option;

import static java.util.stream.Collectors.joining;

import org.vmferry.engine.discovery.KnownPlugins;
import org.vmferry.engine.discovery.Plugin;
import org.vmferry.engine.discovery.PluginKind;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.discovery.RejectedPlugin;
import org.vmferry.spi.Blame;
import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.FileTransport;
import org.vmferry.spi.transport.TransportProvider;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Every capability and parameter that the engine and its plug-ins obey, and the one place where
 * what somebody asks for is checked: each name and value, and whether they go together. Immutable;
 * any thread.
 *
 * <p>A name that two plug-ins claim can't be set; one that the engine obeys stays the engine's.
 */
public final class OptionRegistry {
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
    public OptionRegistry(Plugins plugins) {
        this.plugins = plugins;
        for (Option<?> option : EngineOptions.all(plugins)) {
            options.put(option.name(), new Owned(option, ENGINE, "the engine"));
        }
        for (Plugin plugin : plugins.all()) {
            for (Option<?> option : plugin.options()) claim(option, plugin);
        }
        disputed.keySet().stream()
                .filter(name -> !options.get(name).owner().equals(ENGINE))
                .toList()
                .forEach(options::remove);
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
        return disputed.entrySet().stream().map(OptionRegistry::dispute).toList();
    }

    private static String dispute(Map.Entry<String, String> entry) {
        return "option '%s' is claimed by %s".formatted(entry.getKey(), entry.getValue());
    }

    /**
     * Checks what was asked for, all of it.
     *
     * @param settings what
     * @return the options in force
     * @throws MigrationException one sentence for each conflict, with "; " between; each is
     *     suppressed into it
     */
    public Options validate(Settings settings) throws MigrationException {
        Conflicts conflicts = new Conflicts();
        Options options = read(settings, conflicts);
        compare(options, conflicts);
        conflicts.throwIfAny();
        return options;
    }

    /**
     * Checks what was asked for where something else is wrong already.
     *
     * @param settings what
     * @param already what is wrong besides
     * @return what {@link #validate(Settings)} throws, with that before it
     */
    public MigrationException conflicts(Settings settings, MigrationException already) {
        Conflicts conflicts = new Conflicts();
        conflicts.add(already);
        compare(read(settings, conflicts), conflicts);
        return conflicts.one();
    }

    /**
     * Checks what was asked for, all of it, and whether it goes with a transport.
     *
     * @param settings what
     * @param transport of the address in question
     * @return the options in force
     * @throws MigrationException as for {@link #validate(Settings)}
     */
    public Options validate(Settings settings, TransportProvider transport)
            throws MigrationException {
        Conflicts conflicts = new Conflicts();
        Options options = read(settings, conflicts);
        compare(options, conflicts);
        try {
            fit(transport, layout(options), carrier(options), conflicts);
        } catch (MigrationException e) {
            conflicts.add(e);
        }
        fit(options, transport, conflicts);
        conflicts.throwIfAny();
        return options;
    }

    /**
     * Checks what is to be changed while a migration runs.
     *
     * @param current the options in force
     * @param settings what is to be other than now
     * @return the options in force then
     * @throws MigrationException as for {@link #validate(Settings)}; also for each option that
     *     can't change any more
     */
    public Options change(Options current, Settings settings) throws MigrationException {
        Conflicts conflicts = new Conflicts();
        Options changed = read(current, settings, conflicts);
        for (Owned owned : options.values()) {
            Option<?> option = owned.option();
            if (!option.live() && !changed.get(option).equals(current.get(option))) {
                conflicts.add("%s can't be changed while a migration runs", option.name());
            }
        }
        compare(changed, conflicts);
        conflicts.throwIfAny();
        return changed;
    }

    private static void fit(
            TransportProvider transport,
            Optional<FileLayout> layout,
            Optional<PageCarrier> carrier,
            Conflicts conflicts) {
        if (layout.isPresent()) {
            if (!(transport instanceof FileTransport))
                conflicts.add(
                        "%s needs a file, and %s: has none", layout.get().id(), transport.id());
        } else if (carrier.isPresent()) {
            need(carrier.get().id(), Feature.MANY_CHANNELS, transport, conflicts);
        }
    }

    private Optional<FileLayout> layout(Options options) throws MigrationException {
        return plugins.pluginFor(PluginKind.LAYOUT, options)
                .map(plugin -> (FileLayout) plugin.provider());
    }

    private Optional<PageCarrier> carrier(Options options) throws MigrationException {
        return plugins.pluginFor(PluginKind.CARRIER, options)
                .map(plugin -> (PageCarrier) plugin.provider());
    }

    /** What the engine's own options need of a transport. */
    private static void fit(Options options, TransportProvider transport, Conflicts conflicts) {
        if (options.get(EngineOptions.RETURN_PATH)) {
            need(EngineOptions.RETURN_PATH.name(), Feature.RETURN_PATH, transport, conflicts);
        }
        if (!options.get(EngineOptions.TLS_CREDS).isEmpty()) {
            need(EngineOptions.TLS_CREDS.name(), Feature.TLS, transport, conflicts);
        }
    }

    private static void need(
            String who, Feature need, TransportProvider transport, Conflicts conflicts) {
        boolean offered =
                switch (transport) {
                    case FileTransport _ -> false;
                    case ChannelTransport channels -> channels.features().contains(need);
                };
        if (!offered) {
            conflicts.add("%s needs %s, and %s: has none", who, need.description(), transport.id());
        }
    }

    private Options read(Settings settings, Conflicts conflicts) {
        return read(Options.DEFAULTS, settings, conflicts);
    }

    private Options read(Options before, Settings settings, Conflicts conflicts) {
        Options read = before;
        for (Map.Entry<String, Boolean> asked : settings.capabilities().entrySet()) {
            String name = asked.getKey();
            Owned owned = options.get(name);
            if (owned != null && owned.option() instanceof Capability capability) {
                read = read.with(capability, asked.getValue());
            } else if (owned != null) {
                conflicts.add("'%s' is a parameter, not a capability", name);
            } else if (asked.getValue() || !isKnownCapability(name)) {
                // To switch off what isn't there is no mistake: scripts name all they know.
                conflicts.add(unknownCapability(name));
            }
        }
        for (Map.Entry<String, String> asked : settings.parameters().entrySet()) {
            String name = asked.getKey();
            Owned owned = options.get(name);
            try {
                if (owned == null) {
                    throw unknownParameter(name);
                } else if (owned.option() instanceof Capability) {
                    throw MigrationException.user("'%s' is a capability, not a parameter", name);
                }
                read = parsed(read, owned.option(), asked.getValue());
            } catch (MigrationException e) {
                conflicts.add(e);
            }
        }
        return read;
    }

    private <T> Options parsed(Options read, Option<T> option, String value)
            throws MigrationException {
        if (option.name().equals(EngineOptions.MODE.name()) && NotBuilt.mode(value)) {
            throw MigrationException.user(
                    "mode=%s: known, but vmferry has no such mode; it takes %s",
                    value, option.range());
        }
        try {
            return read.with(option, option.parse(value));
        } catch (MigrationException e) {
            if (option.name().equals(EngineOptions.MULTIFD_COMPRESSION.name())
                    && (KnownPlugins.artifact(PluginKind.CODEC, value).isPresent()
                            || KnownPlugins.notBuilt(PluginKind.CODEC, value).isPresent()
                            || plugins.rejected().stream()
                                    .anyMatch(r -> r.id().equals(Optional.of(value))))) {
                plugins.codec(value); // throws, and says why it isn't there
            }
            throw e;
        } catch (RuntimeException | LinkageError e) {
            throw new MigrationException(
                    Blame.PLUGIN, option.name() + "=" + value + ": its owner threw " + e, e);
        }
    }

    private void compare(Options set, Conflicts conflicts) {
        List<Capability> on = new ArrayList<>();
        for (Owned owned : options.values()) {
            if (owned.option() instanceof Capability c && set.get(c)) on.add(c);
        }
        for (Capability one : on) {
            for (String need : new TreeSet<>(one.needs())) {
                if (set.on(need)) continue;
                if (options.containsKey(need)) {
                    conflicts.add("%s needs the capability %s", one.name(), need);
                } else {
                    conflicts.add(
                            "%s needs the capability %s: %s",
                            one.name(), need, unknownCapability(need).getMessage());
                }
            }
            for (Capability other : on) {
                boolean once = one.name().compareTo(other.name()) < 0;
                if (once
                        && (one.excludes().contains(other.name())
                                || other.excludes().contains(one.name()))) {
                    conflicts.add("%s and %s can't be on together", one.name(), other.name());
                }
            }
        }
        compareLayout(set, conflicts);
    }

    /** One layout, one carrier; and pages with a place of their own are not changed on the way. */
    private void compareLayout(Options set, Conflicts conflicts) {
        for (PluginKind kind : List.of(PluginKind.LAYOUT, PluginKind.CARRIER)) {
            List<Plugin> on =
                    plugins.all(kind).stream().filter(plugin -> set.on(plugin.id())).toList();
            if (on.size() > 1) {
                String ids = on.stream().map(Plugin::id).sorted().collect(joining(" and "));
                conflicts.add("%s: only one %s can be on", ids, kind.word());
            }
            for (Plugin plugin : on) {
                if (plugin.provider() instanceof FileLayout layout) {
                    comparePlaced(layout, set, conflicts);
                }
            }
        }
    }

    private static void comparePlaced(FileLayout layout, Options set, Conflicts conflicts) {
        String codec = set.get(EngineOptions.MULTIFD_COMPRESSION);
        if (!codec.equals(EngineOptions.MULTIFD_COMPRESSION.defaultValue())) {
            conflicts.add(
                    "%s and multifd-compression=%s don't go together: every page has a place of"
                            + " its own size in the file",
                    layout.id(), codec);
        }
        if (!set.get(EngineOptions.TLS_CREDS).isEmpty()) {
            conflicts.add("%s and tls-creds don't go together: a file has no TLS", layout.id());
        }
    }

    private boolean isKnownCapability(String name) {
        return NotBuilt.capabilities().contains(name);
    }

    private MigrationException unknownCapability(String name) {
        return unknown(
                "capability",
                name,
                NotBuilt.capability(name),
                NotBuilt.capabilityOwner(name),
                names(true));
    }

    private MigrationException unknownParameter(String name) {
        return unknown(
                "parameter",
                name,
                NotBuilt.parameter(name),
                NotBuilt.parameterOwner(name),
                names(false));
    }

    private MigrationException unknown(
            String kind,
            String name,
            Optional<String> notBuilt,
            Optional<String> artifact,
            Set<String> names) {
        if (disputed.containsKey(name)) {
            return new MigrationException(
                    Blame.PLUGIN,
                    dispute(Map.entry(name, disputed.get(name)))
                            + ": it can't be set until one of them is removed");
        }
        if (notBuilt.isPresent()) {
            return MigrationException.user(
                    "%s '%s' is known, but vmferry has no %s", kind, name, notBuilt.get());
        }
        if (artifact.isPresent()) return absent(kind, name, artifact.get());
        return MigrationException.user(
                "there is no %s '%s'%s",
                kind,
                name,
                Suggestion.nearest(name, names).map(n -> "; '" + n + "' is one").orElse(""));
    }

    /** The artifact isn't there; or it is, and was left out: then its fault is the cause. */
    private MigrationException absent(String kind, String name, String artifact) {
        for (RejectedPlugin plugin : plugins.rejected()) {
            if (KnownPlugins.isOf(plugin, artifact)) {
                return new MigrationException(
                        Blame.PLUGIN,
                        "%s '%s' is of %s, which can't be used: %s"
                                .formatted(kind, name, artifact, plugin.sentence()),
                        plugin.cause().orElse(null));
            }
        }
        return new MigrationException(
                Blame.PLUGIN,
                "%s '%s' is not there: add %s%s".formatted(kind, name, artifact, plugins.looked()));
    }

    private Set<String> names(boolean capabilities) {
        Set<String> names =
                capabilities
                        ? new TreeSet<>(NotBuilt.capabilities())
                        : new TreeSet<>(NotBuilt.parameters());
        for (Owned owned : options.values()) {
            if (owned.option() instanceof Capability == capabilities) {
                names.add(owned.option().name());
            }
        }
        return names;
    }

    /**
     * All options, at their defaults.
     *
     * @return those of the engine first
     */
    public List<OptionInfo> describe() {
        return describe(Options.DEFAULTS);
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
                                        current.get(owned.option())))
                .toList();
    }

    /**
     * All options, with the values that somebody asked for. Each is checked, but not whether they
     * go together.
     *
     * @param current what is set now
     * @return those of the engine first
     * @throws MigrationException one sentence for each name that nobody obeys and each wrong value
     */
    public List<OptionInfo> describe(Settings current) throws MigrationException {
        Conflicts conflicts = new Conflicts();
        Options read = read(current, conflicts);
        conflicts.throwIfAny();
        return describe(read);
    }
}
