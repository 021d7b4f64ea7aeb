package org.vmferry.engine.discovery;

import jakarta.inject.Inject;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.option.Provider;
import org.vmferry.spi.transport.TransportProvider;

import java.io.IOException;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The providers that an engine works with, and what was left out and why. Immutable; any thread.
 *
 * <p>Nothing that a plug-in throws while it is found and asked who it is reaches the caller: it is
 * among {@link #rejected()}, and the others work on. Two providers of one kind with one id, and two
 * codecs with one wire method, are both rejected: no order decides. What is asked for and isn't
 * there is an error that names the artifact to add, and nothing takes its place.
 *
 * <p>The class loaders of {@link #fromDirectory} stay open until {@link #close}. A combination owns
 * those of its parts: whoever makes one closes it alone, and only after every engine that uses it.
 * Closing others does nothing.
 */
@Status(Status.Level.STABLE)
public final class Plugins implements AutoCloseable {
    /** The value of {@code multifd-compression} that asks for no codec. */
    static final String NONE = "none";

    private static final String REGISTERED = "registered by the host";

    /** Everything that identified itself, also if another has the same id. */
    private final Set<Plugin> candidates;

    /** What was rejected before ids were compared. */
    private final Set<RejectedPlugin> broken;

    private final Set<URLClassLoader> loaders;
    private final Set<String> places;
    private final List<Plugin> plugins = new ArrayList<>();
    private final List<RejectedPlugin> rejected;

    Plugins(
            Collection<Plugin> candidates,
            Collection<RejectedPlugin> broken,
            Collection<URLClassLoader> loaders,
            Collection<String> places) {
        this.candidates = withoutRepeats(candidates);
        this.broken = new LinkedHashSet<>(broken);
        this.loaders = new LinkedHashSet<>(loaders);
        this.places = new LinkedHashSet<>(places);
        this.rejected = new ArrayList<>(this.broken);
        for (Plugin plugin : this.candidates) {
            List<Plugin> named = others(plugin, other -> other.id().equals(plugin.id()));
            List<Plugin> numbered =
                    others(
                            plugin,
                            other ->
                                    plugin.wireMethod() != 0
                                            && other.wireMethod() == plugin.wireMethod());
            if (!named.isEmpty()) rejected.add(clash(plugin, "so is called ", named));
            else if (!numbered.isEmpty()) {
                String method = "the same wire method %d has ".formatted(plugin.wireMethod());
                rejected.add(clash(plugin, method, numbered));
            } else plugins.add(plugin);
        }
    }

    private List<Plugin> others(Plugin plugin, Predicate<Plugin> like) {
        return candidates.stream()
                .filter(other -> other != plugin && other.kind() == plugin.kind())
                .filter(like)
                .toList();
    }

    /** A class that was found twice is one plug-in; a host may register several of one class. */
    private static Set<Plugin> withoutRepeats(Collection<Plugin> candidates) {
        Map<Object, Plugin> once = new LinkedHashMap<>();
        for (Plugin plugin : candidates) {
            boolean registered = plugin.location().equals(REGISTERED);
            Class<?> type = plugin.provider().getClass();
            once.putIfAbsent(registered ? plugin : List.of(plugin.kind(), type), plugin);
        }
        return new LinkedHashSet<>(once.values());
    }

    private Plugins(Scan scan) {
        this(scan.found, scan.rejected, List.of(), List.of());
    }

    private Plugins(Search search) {
        this(search.scan.found, search.scan.rejected, List.of(), search.places);
    }

    /**
     * For a container: what it binds, besides the engine's own. One of the engine's own that is
     * bound too is the one that counts. {@link #discover()} is the other way to get one.
     *
     * @param transports may be empty, as may the others
     * @param layouts of RAM in files, by capability
     * @param carriers of pages over channels, by capability
     * @param codecs for {@code multifd-compression}
     * @param notifiers in the order in which they are told
     */
    @Status(Status.Level.EXPERIMENTAL)
    @Inject
    public Plugins(
            Set<TransportProvider> transports,
            Set<FileLayout> layouts,
            Set<PageCarrier> carriers,
            Set<CompressionProvider> codecs,
            Set<MigrationNotifier> notifiers) {
        List<Provider> bound = new ArrayList<>(Objects.requireNonNull(transports, "transports"));
        bound.addAll(Objects.requireNonNull(layouts, "layouts"));
        bound.addAll(Objects.requireNonNull(carriers, "carriers"));
        bound.addAll(Objects.requireNonNull(codecs, "codecs"));
        bound.addAll(Objects.requireNonNull(notifiers, "notifiers"));
        this(withBuiltIn(bound));
    }

    private static Scan withBuiltIn(List<? extends Provider> bound) {
        Scan scan = register(bound);
        List<Class<?>> types = new ArrayList<>();
        bound.forEach(provider -> types.add(provider.getClass()));
        builtIn().candidates.stream()
                .filter(plugin -> !types.contains(plugin.provider().getClass()))
                .forEach(scan.found::add);
        return scan;
    }

    /**
     * What the class path or module path has: the engine's own, what the engine's class loader and
     * module layer see, and then what the calling thread's context class loader sees beyond that.
     * It need not have one. One that does not see this engine's SPI, or has another copy of it, has
     * nothing for this engine; of a class that both have, the engine's counts. {@link #places()}
     * tells.
     *
     * <p>vmferry's own plug-ins are found there without their META-INF/services too, which a jar
     * made of many may have lost. As other people's are lost with them, {@link #rejected()} says
     * so.
     *
     * @return owns no class loader
     */
    public static Plugins discover() {
        return new Plugins(new Search().builtIn().engines().contextOf(Thread.currentThread()));
    }

    /**
     * The engine's own, and what a class loader and its parents see.
     *
     * @param loader stays the caller's
     * @return owns no class loader
     */
    public static Plugins discover(ClassLoader loader) {
        return new Plugins(new Search().builtIn().loader(loader));
    }

    /**
     * The engine's own: its transports. What {@link #discover()} finds has them in it.
     *
     * @return owns no class loader
     */
    public static Plugins builtIn() {
        return new Plugins(new Search().builtIn());
    }

    /**
     * What a folder of plug-ins has: one sub-folder for each, with its jar and its libraries. Each
     * sees the JDK, spi, slf4j-api, jakarta.inject and its own jars; nothing else of the host's,
     * nor of another plug-in's. The engine's own are not in it: {@code
     * Plugins.discover().plus(Plugins.fromDirectory(folder))}.
     *
     * <p>Plug-ins are code. A folder to which others than root and this user can write is refused,
     * and so is what in it belongs to others: {@link #fromAnyonesDirectory} asks nobody.
     *
     * @param folder is read now, not watched
     * @return owns class loaders: to be closed
     * @throws MigrationException if the folder itself can't be read, or is refused
     */
    public static Plugins fromDirectory(Path folder) throws MigrationException {
        return new PluginFolder(false).read(Objects.requireNonNull(folder, "folder"));
    }

    /**
     * As {@link #fromDirectory}, whoever can write to it: to be used where something else makes
     * sure of what stands there.
     *
     * @param folder is read now, not watched
     * @return owns class loaders: to be closed
     * @throws MigrationException if the folder itself can't be read
     */
    public static Plugins fromAnyonesDirectory(Path folder) throws MigrationException {
        return new PluginFolder(true).read(Objects.requireNonNull(folder, "folder"));
    }

    /**
     * Just these.
     *
     * @param providers of any kind; one that is of two kinds counts as both
     * @return owns no class loader
     */
    public static Plugins of(Collection<? extends Provider> providers) {
        return new Plugins(register(providers));
    }

    private static Scan register(Collection<? extends Provider> providers) {
        Scan scan = new Scan();
        for (Provider provider : providers) {
            Objects.requireNonNull(provider, "one of the providers");
            for (PluginKind kind : PluginKind.values()) {
                if (kind.type().isInstance(provider)) scan.identify(kind, provider, REGISTERED);
            }
        }
        return scan;
    }

    /**
     * These and others. An id that both have is rejected in both.
     *
     * @param others likewise
     * @return owns the class loaders of both
     */
    public Plugins plus(Plugins others) {
        return new Plugins(
                Stream.concat(candidates.stream(), others.candidates.stream()).toList(),
                Stream.concat(broken.stream(), others.broken.stream()).toList(),
                Stream.concat(loaders.stream(), others.loaders.stream()).toList(),
                Stream.concat(places.stream(), others.places.stream()).toList());
    }

    /**
     * These and a host's own.
     *
     * @param providers of any kind
     * @return owns the class loaders of this one
     */
    public Plugins plus(Provider... providers) {
        return plus(of(Arrays.asList(Objects.requireNonNull(providers, "providers"))));
    }

    /**
     * All that work, in the order in which they were found.
     *
     * @return immutable
     */
    public List<Plugin> all() {
        return List.copyOf(plugins);
    }

    /**
     * Those of one kind that work.
     *
     * @param kind which extension point
     * @return immutable
     */
    public List<Plugin> all(PluginKind kind) {
        Objects.requireNonNull(kind, "kind");
        return plugins.stream().filter(plugin -> plugin.kind() == kind).toList();
    }

    /**
     * What was left out.
     *
     * @return immutable
     */
    public List<RejectedPlugin> rejected() {
        return List.copyOf(rejected);
    }

    /**
     * Where these were looked for; with what could not be used, and why.
     *
     * @return in words, one for each class loader, module layer and folder; none for what a host
     *     registers; immutable
     */
    public List<String> places() {
        return List.copyOf(places);
    }

    /**
     * The same, to stand behind a sentence that something isn't there.
     *
     * @return with a blank before it; empty if nothing was looked at
     */
    public String looked() {
        return places.isEmpty() ? "" : " (looked at: " + String.join("; ", places) + ")";
    }

    /**
     * The same for what may be another author's: in a jar made of many it may be there, and its
     * list of services lost.
     *
     * @return what to do then; empty if the engine is in a jar of its own
     */
    @Status(Status.Level.EXPERIMENTAL)
    public String unlisted() {
        return LostLists.perhaps();
    }

    /**
     * The transport of a scheme.
     *
     * @param scheme such as {@code tcp}
     * @return the provider
     * @throws MigrationException if there is none; says what to do
     */
    public TransportProvider transport(String scheme) throws MigrationException {
        return (TransportProvider)
                find(PluginKind.TRANSPORT, Objects.requireNonNull(scheme, "scheme"));
    }

    /**
     * A layout.
     *
     * @param id the capability that asks for it
     * @return the provider
     * @throws MigrationException if there is none; says what to do
     */
    @Status(Status.Level.EXPERIMENTAL)
    public FileLayout layout(String id) throws MigrationException {
        return (FileLayout) find(PluginKind.LAYOUT, id);
    }

    /**
     * A carrier.
     *
     * @param id the capability that asks for it
     * @return the provider
     * @throws MigrationException if there is none; says what to do
     */
    @Status(Status.Level.EXPERIMENTAL)
    public PageCarrier carrier(String id) throws MigrationException {
        return (PageCarrier) find(PluginKind.CARRIER, id);
    }

    /**
     * A codec.
     *
     * @param id as in {@code multifd-compression}
     * @return the provider
     * @throws MigrationException if there is none; says what to do
     */
    public CompressionProvider codec(String id) throws MigrationException {
        return (CompressionProvider) find(PluginKind.CODEC, id);
    }

    /**
     * The notifiers, in the order in which they are told.
     *
     * @return immutable
     */
    public List<MigrationNotifier> notifiers() {
        return all(PluginKind.NOTIFIER).stream()
                .map(plugin -> (MigrationNotifier) plugin.provider())
                .toList();
    }

    /**
     * The layout or carrier that options ask for.
     *
     * @param kind LAYOUT or CARRIER
     * @param options validated
     * @return the one whose capability is on; empty if none is: RAM is in the main stream
     * @throws MigrationException if it isn't there, or two are asked for
     */
    public Optional<Plugin> pluginFor(PluginKind kind, Options options) throws MigrationException {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(options, "options");
        // Those that aren't there count too, or their place would be taken in silence.
        List<String> on =
                Stream.concat(all(kind).stream().map(Plugin::id), KnownPlugins.ids(kind).stream())
                        .distinct()
                        .filter(options::on)
                        .sorted()
                        .toList();
        if (on.size() > 1) {
            throw MigrationException.user(
                    "%s: only one %s can be on", String.join(" and ", on), kind.word());
        }
        return on.isEmpty() ? Optional.empty() : Optional.of(plugin(kind, on.getFirst()));
    }

    private Provider find(PluginKind kind, String id) throws MigrationException {
        return plugin(kind, id).provider();
    }

    /**
     * A plug-in.
     *
     * @param kind which extension point
     * @param id its name among its kind
     * @return it, with where it is from
     * @throws MigrationException if there is none; says what to do
     */
    public Plugin plugin(PluginKind kind, String id) throws MigrationException {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(id, "id");
        for (Plugin plugin : plugins) {
            if (plugin.kind() == kind && plugin.id().equals(id)) return plugin;
        }
        throw new Guidance(rejected, looked()).missing(kind, id, all(kind));
    }

    /**
     * Why an option of one of vmferry's own artifacts can't be had: it is not there, or it was left
     * out.
     *
     * @param what such as {@code capability 'multifd'}
     * @param artifact group and artifact, of {@link KnownPlugins}
     * @return what was left out, with why, and its cause; or what to add
     */
    public MigrationException absent(String what, String artifact) {
        Objects.requireNonNull(what, "what");
        Objects.requireNonNull(artifact, "artifact");
        return new Guidance(rejected, looked()).absent(what, artifact);
    }

    private static RejectedPlugin clash(Plugin plugin, String why, List<Plugin> same) {
        List<String> others = same.stream().map(Plugin::toString).sorted().toList();
        return new RejectedPlugin(
                Optional.of(plugin.kind()),
                Optional.of(plugin.provider().getClass().getName()),
                Optional.of(plugin.id()),
                plugin.location(),
                Optional.empty(),
                plugin + " is left out: " + why + String.join(", ", others) + "; remove one");
    }

    /**
     * Closes the class loaders of folders. Classes not loaded yet can't be found afterwards. A
     * second call does nothing.
     *
     * @throws MigrationException if one could not be closed; the others are
     */
    @Override
    public void close() throws MigrationException {
        MigrationException failure = null;
        for (URLClassLoader loader : loaders) {
            try {
                loader.close();
            } catch (IOException e) {
                if (failure == null) {
                    failure =
                            new MigrationException(
                                    Blame.PLUGIN, loader.getName() + " can't be closed: " + e, e);
                } else failure.addSuppressed(e);
            }
        }
        if (failure != null) throw failure;
    }
}
