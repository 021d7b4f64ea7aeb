package org.vmferry.engine.catalog;

import static java.util.stream.Collectors.joining;

import org.vmferry.engine.discovery.Plugin;
import org.vmferry.engine.discovery.PluginKind;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.FileTransport;
import org.vmferry.spi.transport.TransportProvider;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;

/**
 * Whether what somebody asks for goes together: options with each other, and with a transport.
 * Immutable; any thread.
 */
@Status(Status.Level.EXPERIMENTAL)
public final class OptionCompatibility {
    private final OptionCatalog catalog;
    private final OptionReader reader;

    /**
     * What goes together.
     *
     * @param catalog the options that there are
     */
    public OptionCompatibility(OptionCatalog catalog) {
        this.catalog = Objects.requireNonNull(catalog, "catalog");
        this.reader = new OptionReader(catalog);
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
        Options options = readAndCompare(settings, conflicts);
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
        Objects.requireNonNull(settings, "settings");
        Objects.requireNonNull(already, "already");
        Conflicts conflicts = new Conflicts();
        conflicts.add(already);
        readAndCompare(settings, conflicts);
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
        Objects.requireNonNull(settings, "settings");
        Objects.requireNonNull(transport, "transport");
        Conflicts conflicts = new Conflicts();
        Options options = readAndCompare(settings, conflicts);
        try {
            fit(options, transport, conflicts);
        } catch (MigrationException e) {
            conflicts.add(e);
        }
        if (options.get(EngineOptions.RETURN_PATH)) {
            need(EngineOptions.RETURN_PATH.name(), Feature.RETURN_PATH, transport, conflicts);
        }
        if (!options.get(EngineOptions.TLS_CREDS).isEmpty()) {
            need(EngineOptions.TLS_CREDS.name(), Feature.TLS, transport, conflicts);
        }
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
        Objects.requireNonNull(current, "current");
        Objects.requireNonNull(settings, "settings");
        Conflicts conflicts = new Conflicts();
        Options changed = reader.read(current, settings, conflicts);
        catalog.all()
                .filter(o -> !o.live() && !changed.get(o).equals(current.get(o)))
                .forEach(
                        o -> conflicts.add("%s can't be changed while a migration runs", o.name()));
        compare(changed, conflicts);
        conflicts.throwIfAny();
        return changed;
    }

    /** What the layout and the carrier that were asked for need of a transport. */
    private void fit(Options options, TransportProvider transport, Conflicts conflicts)
            throws MigrationException {
        Plugins plugins = catalog.plugins();
        Optional<Plugin> layout = plugins.pluginFor(PluginKind.LAYOUT, options);
        Optional<Plugin> carrier = plugins.pluginFor(PluginKind.CARRIER, options);
        if (layout.isEmpty() && carrier.isPresent()) {
            need(carrier.get().id(), Feature.MANY_CHANNELS, transport, conflicts);
        }
        if (layout.isPresent() && !(transport instanceof FileTransport)) {
            conflicts.add("%s needs a file, and %s: has none", layout.get().id(), transport.id());
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

    private Options readAndCompare(Settings settings, Conflicts conflicts) {
        Options read = reader.read(Options.DEFAULTS, settings, conflicts);
        compare(read, conflicts);
        return read;
    }

    private void compare(Options set, Conflicts conflicts) {
        List<Capability> on = new ArrayList<>();
        catalog.all()
                .forEach(
                        option -> {
                            if (option instanceof Capability c && set.get(c)) on.add(c);
                        });
        for (Capability one : on) {
            for (String need : new TreeSet<>(one.needs())) {
                if (set.on(need)) continue;
                if (catalog.find(need).isPresent()) {
                    conflicts.add("%s needs the capability %s", one.name(), need);
                } else {
                    conflicts.add(
                            "%s needs the capability %s: %s",
                            one.name(),
                            need,
                            catalog.unknown(QemuNames.CAPABILITY, need).getMessage());
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
                    catalog.plugins().all(kind).stream()
                            .filter(plugin -> set.on(plugin.id()))
                            .toList();
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
}
