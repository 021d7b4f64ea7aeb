package org.vmferry.engine.discovery;

import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.stream.Wire;
import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Mode;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Provider;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.FileTransport;

import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Looks for providers and asks them who they are, each under its own guard: what one of them throws
 * is kept as a {@link RejectedPlugin} and the next is looked at.
 */
final class Scan {
    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9-]*+");

    /** By name. */
    private static final Map<String, Option<?>> ENGINES =
            EngineOptions.all(List.of()).stream()
                    .collect(Collectors.toUnmodifiableMap(Option::name, option -> option));

    final List<Plugin> found = new ArrayList<>();
    final List<RejectedPlugin> rejected = new ArrayList<>();
    private final Set<Seen> seen = new HashSet<>();

    private record Seen(PluginKind kind, Class<?> type) {}

    /** What a class loader and its parents see. */
    void loader(ClassLoader loader) {
        for (PluginKind kind : PluginKind.values()) {
            List<Places.Declaration> declared = Places.files(kind.type(), loader);
            declared.addAll(Places.modules(kind.type(), ModuleLayer.boot()));
            services(kind, load(kind, loader), new Culprits(declared, loader));
        }
    }

    /** What the modules of a layer and its parents provide. */
    void layer(ModuleLayer layer) {
        for (PluginKind kind : PluginKind.values()) {
            List<Places.Declaration> declared = Places.modules(kind.type(), layer);
            services(kind, load(kind, layer), new Culprits(declared, null));
        }
    }

    /** One of the engine's own. */
    void known(Provider provider, String location) {
        for (PluginKind kind : PluginKind.values()) {
            if (kind.type().isInstance(provider) && seen.add(new Seen(kind, provider.getClass()))) {
                identify(kind, provider, location);
            }
        }
    }

    /**
     * Those of these classes that are there and that no list of services has named.
     *
     * @param names of classes with a public constructor without arguments
     * @param place the class loader, in words
     */
    void named(Collection<String> names, ClassLoader loader, String place) {
        int before = found.size();
        for (String name : names) {
            boolean met =
                    seen.stream().anyMatch(one -> one.type().getName().equals(name))
                            || rejected.stream()
                                    .anyMatch(r -> r.provider().equals(Optional.of(name)));
            if (!met) ask(() -> named(name, loader, place));
        }
        LostLists.with(found.subList(before, found.size())).ifPresent(rejected::add);
    }

    private void named(String name, ClassLoader loader, String place) {
        String location = place;
        try {
            Class<?> type = Class.forName(name, false, loader);
            location = Places.of(type);
            known((Provider) type.getConstructor().newInstance(), location);
        } catch (ClassNotFoundException e) {
            return; // an artifact that nobody has added
        } catch (InvocationTargetException e) {
            reject(name, location, e.getTargetException());
        } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
            reject(name, location, e);
        }
    }

    private void reject(String name, String location, Throwable cause) {
        rethrowFatal(cause);
        rejected.add(
                new RejectedPlugin(
                        Optional.empty(),
                        Optional.of(name),
                        Optional.empty(),
                        location,
                        Optional.of(cause),
                        "%s of %s is left out: %s".formatted(name, location, Culprits.why(cause))));
    }

    /** Leaves out what was found since, if the engine's class loader has found that class too. */
    void leaveOutCopies(int before, ClassLoader engines) {
        List<Plugin> since = found.subList(before, found.size());
        List<Plugin> copies = since.stream().filter(plugin -> hasCopy(plugin, before)).toList();
        since.removeAll(copies);
        for (Plugin copy : copies) {
            rejected.add(
                    new RejectedPlugin(
                            Optional.of(copy.kind()),
                            Optional.of(copy.provider().getClass().getName()),
                            Optional.of(copy.id()),
                            copy.location(),
                            Optional.empty(),
                            copy
                                    + " is left out: the engine's class loader "
                                    + Search.name(engines)
                                    + " has the same class"));
        }
    }

    private boolean hasCopy(Plugin plugin, int before) {
        String name = plugin.provider().getClass().getName();
        return found.subList(0, before).stream()
                .anyMatch(
                        own ->
                                own.kind() == plugin.kind()
                                        && own.provider().getClass().getName().equals(name));
    }

    private static ServiceLoader<? extends Provider> load(PluginKind kind, ClassLoader loader) {
        return ServiceLoader.load(kind.type(), loader);
    }

    private static ServiceLoader<? extends Provider> load(PluginKind kind, ModuleLayer layer) {
        return ServiceLoader.load(layer, kind.type());
    }

    /** An interrupt that a plug-in leaves behind is not its asker's. */
    private static void ask(Runnable questions) {
        boolean interrupted = Thread.currentThread().isInterrupted();
        try {
            questions.run();
        } finally {
            if (!interrupted) Thread.interrupted();
        }
    }

    private void services(
            PluginKind kind, ServiceLoader<? extends Provider> services, Culprits culprits) {
        ask(() -> all(kind, services, culprits));
    }

    private void all(
            PluginKind kind, ServiceLoader<? extends Provider> services, Culprits culprits) {
        Iterator<? extends Provider> iterator = services.iterator();
        while (!culprits.exhausted()) {
            Provider provider;
            try {
                if (!iterator.hasNext()) return;
                provider = iterator.next();
            } catch (Throwable t) {
                rethrowFatal(t);
                Culprits.Culprit culprit = culprits.find(t);
                reject(kind, culprit.provider(), Optional.empty(), culprit.location(), t);
                continue;
            }
            culprits.clear(provider.getClass().getName());
            // A layer's scan meets again what the class loader's has found.
            if (seen.add(new Seen(kind, provider.getClass()))) {
                identify(kind, provider, Places.of(provider.getClass()));
            }
        }
    }

    /** Asks a provider who it is, and adds it. */
    void identify(PluginKind kind, Provider provider, String location) {
        ask(() -> identity(kind, provider, location));
    }

    private void identity(PluginKind kind, Provider provider, String location) {
        Optional<String> name = Optional.of(provider.getClass().getName());
        String id;
        try {
            id = provider.id();
            check(id != null, "its id is null");
            check(
                    NAME.matcher(id).matches(),
                    "its id '" + id + "' is not of lower-case letters, digits and '-'");
        } catch (Throwable t) {
            rethrowFatal(t);
            reject(kind, name, Optional.empty(), location, t);
            return;
        }
        try {
            List<Option<?>> options = options(provider);
            int wireMethod = contract(provider, id, options);
            found.add(new Plugin(kind, id, provider, location, options, wireMethod));
        } catch (Throwable t) {
            rethrowFatal(t);
            reject(kind, name, Optional.of(id), location, t);
        }
    }

    private static List<Option<?>> options(Provider provider) {
        List<Option<?>> options = provider.options();
        check(options != null, "its options are null");
        Set<String> names = new HashSet<>();
        for (Option<?> option : options) {
            check(option != null, "one of its options is null");
            String name = option.name();
            check(
                    name != null && NAME.matcher(name).matches(),
                    "its option '" + name + "' is not of lower-case letters, digits and '-'");
            check(names.add(name), "it has two options '" + name + "'");
            check(option.defaultValue() != null, "its option '" + name + "' has no default");
            check(
                    takesItsDefault(option),
                    "its option '%s' has the default %s, and takes %s"
                            .formatted(name, option.defaultValue(), option.range()));
            check(
                    ENGINES.getOrDefault(name, option) == option,
                    "its option '" + name + "' is the engine's own");
        }
        return options;
    }

    private static boolean takesItsDefault(Option<?> option) {
        try {
            option.parse(option.defaultValue().toString());
            return true;
        } catch (MigrationException e) {
            return false;
        }
    }

    /**
     * What is asked of each kind before a migration starts must be answered now.
     *
     * @return a codec's wire method, else 0
     */
    private static int contract(Provider provider, String id, List<Option<?>> options) {
        int wireMethod = 0;
        switch (provider) {
            case ChannelTransport channels -> features(channels.features(), "features");
            case FileTransport _ -> {}
            case FileLayout _ -> {}
            case PageCarrier carrier -> {
                int magic = carrier.channelMagic();
                check(
                        magic != 0 && magic != Wire.MAGIC,
                        "its channels begin with 0x%08x, as nothing or the main stream does"
                                .formatted(magic));
            }
            case CompressionProvider codec -> {
                check(!id.equals(Plugins.NONE), "its id 'none' means that there is no codec");
                int method = codec.wireMethod();
                check(
                        method >= 1 && method <= 31,
                        "its wire method is " + method + ", not 1 to 31");
                String owner = KnownPlugins.codec(method).orElse(id);
                check(
                        owner.equals(id),
                        "its wire method " + method + " is that of the codec '" + owner + "'");
                check(codec.level() != null, "its level is null");
                String level = codec.level().name();
                check(
                        options.stream().anyMatch(option -> option.name().equals(level)),
                        "its level '" + level + "' is none of its options");
                wireMethod = method;
            }
            case MigrationNotifier notifier -> {
                Set<Mode> modes = notifier.modes();
                check(modes != null && !List.copyOf(modes).isEmpty(), "it has no modes");
                notifier.failsClosed(); // what throws here is left out, and said
            }
            default -> throw new BrokenContract("it serves no extension point");
        }
        return wireMethod;
    }

    private static void features(Set<Feature> features, String what) {
        check(features != null, "its " + what + " are null");
        List.copyOf(features);
    }

    private void reject(
            PluginKind kind,
            Optional<String> provider,
            Optional<String> id,
            String location,
            Throwable cause) {
        String sentence =
                "%s %s of %s is left out: %s"
                        .formatted(
                                kind.word(),
                                provider.orElse("provider"),
                                location,
                                Culprits.why(cause));
        boolean known = rejected.stream().anyMatch(other -> other.sentence().equals(sentence));
        // Thrown by a check of ours, it says no more than the sentence.
        Optional<Throwable> kept =
                cause instanceof BrokenContract ? Optional.empty() : Optional.of(cause);
        if (!known) {
            rejected.add(
                    new RejectedPlugin(Optional.of(kind), provider, id, location, kept, sentence));
        }
    }

    private static void check(boolean kept, String otherwise) {
        if (!kept) throw new BrokenContract(otherwise);
    }

    /** An exhausted JVM is nobody's plug-in's fault; anything else may be, checked or not. */
    static void rethrowFatal(Throwable t) {
        if (t instanceof VirtualMachineError error && !(t instanceof StackOverflowError)) {
            throw error;
        }
    }

    /** A provider answered what the SPI does not allow. */
    static final class BrokenContract extends RuntimeException {
        private static final long serialVersionUID = 1L;

        BrokenContract(String message) {
            super(message);
        }
    }
}
