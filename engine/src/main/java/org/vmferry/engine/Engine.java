package org.vmferry.engine;

import jakarta.inject.Inject;

import org.slf4j.Logger;
import org.vmferry.engine.catalog.OptionCatalog;
import org.vmferry.engine.catalog.OptionCompatibility;
import org.vmferry.engine.discovery.Plugin;
import org.vmferry.engine.discovery.PluginKind;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.discovery.RejectedPlugin;
import org.vmferry.engine.guard.Guard;
import org.vmferry.engine.migration.ChannelLoad;
import org.vmferry.engine.migration.FileLoad;
import org.vmferry.engine.migration.LifeCycle;
import org.vmferry.engine.migration.Load;
import org.vmferry.engine.migration.MachineUse;
import org.vmferry.engine.migration.MigrationSession;
import org.vmferry.engine.migration.Route;
import org.vmferry.engine.migration.Save;
import org.vmferry.engine.migration.SnapshotInspector;
import org.vmferry.engine.migration.Warmth;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.Inspection;
import org.vmferry.engine.stream.FileStreamIn;
import org.vmferry.engine.stream.StreamHeader;
import org.vmferry.engine.system.Version;
import org.vmferry.engine.transport.AllowedAddresses;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.machine.Migratable;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.FileTransport;
import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.TransportProvider;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * What a host embeds: sends machines, receives them, and looks into snapshots.
 *
 * <p>It has no state but its plug-ins, and any number of migrations may run at once. Its methods
 * may be called from any thread.
 */
@Status(Status.Level.STABLE)
public final class Engine {
    private static final Logger LOG = Log.of(Engine.class);

    private final Plugins plugins;
    private final OptionCatalog catalog;
    private final OptionCompatibility compatibility;
    private final AllowedAddresses allowed;
    private final AtomicInteger count = new AtomicInteger();

    /**
     * An engine with these plug-ins, which stay their owner's.
     *
     * @param plugins the engine's own among them
     */
    @Inject
    public Engine(Plugins plugins) {
        this(plugins, AllowedAddresses.ALL);
    }

    private Engine(Plugins plugins, AllowedAddresses allowed) {
        this.plugins = plugins;
        this.catalog = new OptionCatalog(plugins);
        this.compatibility = new OptionCompatibility(catalog);
        this.allowed = allowed;
    }

    /**
     * An engine with the same plug-ins that goes to no other places than these: for addresses that
     * somebody else chooses, such as the client of a QMP server. Without it {@code exec:} runs any
     * command and {@code file:} writes any file.
     *
     * @param rules each a transport, such as {@code tcp}; or {@code file} or {@code unix} with a
     *     folder, such as {@code unix:/run/vm}: what lies in it, at any depth
     * @return a new engine
     * @throws MigrationException if a rule is none of these
     */
    public Engine allowing(String... rules) throws MigrationException {
        return new Engine(
                plugins, AllowedAddresses.of(List.of(Objects.requireNonNull(rules, "rules"))));
    }

    /**
     * An engine with what the class path or module path has. What of that was left out is logged:
     * who wants to look before makes it of {@link Plugins#discover}.
     *
     * @return a new engine
     */
    public static Engine create() {
        Plugins plugins = Plugins.discover();
        for (RejectedPlugin one : plugins.rejected()) LOG.warn("{}", one.sentence());
        return new Engine(plugins);
    }

    /**
     * Its version.
     *
     * @return such as {@code 1.0.0}, whatever it is packed into; "unknown" if Maven has not built
     *     it
     */
    public static String version() {
        return Version.current();
    }

    /**
     * The plug-ins it works with.
     *
     * @return those given to the constructor
     */
    public Plugins plugins() {
        return plugins;
    }

    /**
     * The options it knows.
     *
     * @return the engine's and its plug-ins'
     */
    @Status(Status.Level.EXPERIMENTAL)
    public OptionCatalog options() {
        return catalog;
    }

    /**
     * Begins to send a machine, live if it runs. Everything that was asked for is checked before
     * anything is opened.
     *
     * <p>If it completes, the machine is left in the run state POSTMIGRATE: it is the destination's
     * now, or the snapshot's; the host may resume it after a snapshot. If it fails or is cancelled,
     * the guest runs on as before.
     *
     * <p>A machine is in one migration at a time, of all engines in this process, and what is in
     * INMIGRATE, FINISH_MIGRATE or POSTMIGRATE has no guest to send: both are refused. That two
     * objects stand for one guest can't be told.
     *
     * @param machine what to send; in use until the migration is over, and after a {@link
     *     Migration#yank} until the last thread that hangs has come back; after an outcome that is
     *     {@link GuestOwner#UNKNOWN} it is asked for its run state until {@link Migration#cancel},
     *     and may be resumed ({@link Migration#owner})
     * @param uri where to, such as {@code file:/var/lib/vm.snap}
     * @param settings capabilities and parameters
     * @return the migration, which is running
     * @throws MigrationException if what was asked for is not possible
     */
    public Migration send(Migratable machine, String uri, Settings settings)
            throws MigrationException {
        requireAll(machine, uri, settings);
        try {
            return begin(Guard.over(machine), address(uri), settings);
        } catch (UncheckedIOException e) {
            throw MigrationException.of(e); // the machine's
        }
    }

    private static void requireAll(Migratable machine, String uri, Settings settings) {
        Objects.requireNonNull(machine, "machine");
        Objects.requireNonNull(uri, "uri");
        Objects.requireNonNull(settings, "settings");
    }

    private Address address(String uri) throws MigrationException {
        Address address = Address.parse(uri);
        try {
            allowed.check(address);
        } catch (IOException e) {
            throw MigrationException.of(e);
        }
        return address;
    }

    private Migration begin(Migratable machine, Address address, Settings settings)
            throws MigrationException {
        Prepared prepared = prepare(true, "send", address, settings, machine.uuid());
        MigrationSession session = prepared.session;
        MachineUse use = MachineUse.toSend(machine, session.name());
        try {
            Save save = Save.of(session, machine, prepared.route);
            return new Migration(compatibility, session, address, save, use).start();
        } catch (MigrationException | RuntimeException | Error e) {
            use.end();
            throw e;
        }
    }

    /**
     * Begins to receive a machine; it listens, or has opened the file, when this returns.
     *
     * <p>If it completes, the machine has entered the run state that the source's was in. If it
     * fails or is cancelled, the machine was never started, and its RAM and devices hold anything.
     *
     * <p>A machine is in one migration at a time, as in {@link #send}, and its own guest must stand
     * still: in RUNNING, SUSPENDED and FINISH_MIGRATE it is refused, also if it comes there while
     * this listens. When all has come, the machine may be sent on from within its {@link
     * Migratable#enter}.
     *
     * @param machine what to load into; in use as in {@link #send}
     * @param uri where from, such as {@code tcp:127.0.0.1:4444}
     * @param settings capabilities and parameters
     * @return the migration, which is running
     * @throws IOException if what was asked for is not possible, or it can't listen there
     */
    public Migration receive(Migratable machine, String uri, Settings settings) throws IOException {
        requireAll(machine, uri, settings);
        try {
            return listen(Guard.over(machine), address(uri), settings);
        } catch (UncheckedIOException e) {
            throw MigrationException.of(e); // the machine's
        }
    }

    private Migration listen(Migratable machine, Address address, Settings settings)
            throws IOException {
        Prepared prepared = prepare(false, "receive", address, settings, machine.uuid());
        MachineUse use = MachineUse.toLoad(machine, prepared.session.name());
        try {
            return switch (prepared.route.transport()) {
                case FileTransport files -> load(files, machine, prepared, use);
                case ChannelTransport channels -> load(channels, machine, prepared, use);
            };
        } catch (IOException | RuntimeException | Error e) {
            use.end();
            throw e;
        }
    }

    private Migration load(
            FileTransport files, Migratable machine, Prepared prepared, MachineUse use)
            throws IOException {
        MigrationSession session = prepared.session;
        Address address = prepared.route.address();
        IncomingFile end = files.incoming(address, session.options());
        try {
            Load load = new FileLoad(session, machine, prepared.route, end, use::lend);
            return new Migration(compatibility, session, address, load, use).start();
        } catch (RuntimeException | Error e) {
            end.close();
            throw e;
        }
    }

    private Migration load(
            ChannelTransport channels, Migratable machine, Prepared prepared, MachineUse use)
            throws IOException {
        MigrationSession session = prepared.session;
        Acceptor end = channels.acceptor(prepared.route.address(), session.options());
        try {
            Load load =
                    new ChannelLoad(
                            session, machine, prepared.route, end, channels.features(), use::lend);
            return new Migration(compatibility, session, end.address(), load, use).start();
        } catch (IOException | RuntimeException | Error e) {
            end.close();
            throw e;
        }
    }

    /**
     * Loads, and uses once, what a migration uses while its guest stands still: in a JVM that has
     * not migrated before this would make the first switch-over longer, by some tenths of a second.
     * {@link #send} and {@link #receive} do the same beside their first rounds and while they
     * listen; a host that calls this first, such as when it starts, keeps the work away from its
     * running guest. Opens nothing, and tells no notifier; takes some tenths of a second, later
     * next to nothing.
     *
     * @param settings those of the migrations to come: their codec is used, too
     * @throws MigrationException if what they ask for is not possible
     */
    public void warmUp(Settings settings) throws MigrationException {
        Objects.requireNonNull(settings, "settings");
        Options options;
        try {
            options = compatibility.validate(settings, plugins.transport("tcp"));
        } catch (MigrationException e) {
            try {
                options = compatibility.validate(settings, plugins.transport("file"));
            } catch (MigrationException neither) {
                throw e;
            }
        }
        Warmth.warm(
                new MigrationSession(
                        LifeCycle.Role.SENDS,
                        "warm-up",
                        options,
                        new UUID(0, 0),
                        codec(options),
                        0));
    }

    /**
     * Which capabilities a snapshot was written with: those that must be set to receive it.
     *
     * @param uri a file's address
     * @return QEMU's names, such as mapped-ram
     * @throws IOException if it can't be read, or is no snapshot
     */
    public Set<String> capabilities(String uri) throws IOException {
        Address address = address(Objects.requireNonNull(uri, "uri"));
        if (!(plugins.transport(address.scheme()) instanceof FileTransport files)) {
            throw MigrationException.user(
                    "%s: only what lies in a file can be looked into", address);
        }
        try (IncomingFile end = files.incoming(address, Options.DEFAULTS);
                FileStreamIn in = new FileStreamIn(end)) {
            return StreamHeader.capabilities(StreamHeader.read(in).configuration());
        }
    }

    /**
     * Looks into a snapshot and checks its whole structure, without loading it.
     *
     * @param uri a file's address
     * @return what it holds
     * @throws IOException if it can't be read, or something in it is wrong
     */
    @Status(Status.Level.EXPERIMENTAL)
    public Inspection inspect(String uri) throws IOException {
        return inspect(uri, cancel -> {});
    }

    /**
     * As {@link #inspect(String)}, and can be called off: a snapshot may take minutes.
     *
     * @param uri a file's address
     * @param canceller is told, before the file's pages are read, what ends it soon with an
     *     exception; that may be run by any thread, at any time
     * @return what it holds
     * @throws IOException if it can't be read, something in it is wrong, or it was called off
     */
    @Status(Status.Level.EXPERIMENTAL)
    public Inspection inspect(String uri, Consumer<Runnable> canceller) throws IOException {
        return inspect(uri, canceller, device -> false);
    }

    /**
     * As {@link #inspect(String, Consumer)}, and keeps what is in some devices' sections.
     *
     * @param uri a file's address
     * @param canceller as above
     * @param wanted which devices' sections are kept, for {@link Inspection#contents}
     * @return what it holds
     * @throws IOException if it can't be read, something in it is wrong, or it was called off
     */
    @Status(Status.Level.EXPERIMENTAL)
    public Inspection inspect(
            String uri, Consumer<Runnable> canceller, Predicate<Inspection.Device> wanted)
            throws IOException {
        return inspect(uri, Settings.NONE, canceller, wanted);
    }

    /**
     * As {@link #inspect(String, Consumer, Predicate)}, with parameters.
     *
     * @param uri a file's address
     * @param asked parameters, such as page-size; the capabilities are the file's
     * @param canceller as above
     * @param wanted as above
     * @return what it holds
     * @throws IOException if it can't be read, something in it is wrong, or it was called off
     */
    @Status(Status.Level.EXPERIMENTAL)
    public Inspection inspect(
            String uri,
            Settings asked,
            Consumer<Runnable> canceller,
            Predicate<Inspection.Device> wanted)
            throws IOException {
        Objects.requireNonNull(asked, "asked");
        Objects.requireNonNull(canceller, "canceller");
        Objects.requireNonNull(wanted, "wanted");
        Set<String> capabilities = capabilities(uri);
        Settings settings = asked;
        for (String name : capabilities) settings = settings.capability(name);
        Address address = address(uri);
        Prepared prepared = prepare(false, "inspect", address, settings, Optional.empty());
        canceller.accept(
                () ->
                        prepared.session.fail(
                                MigrationException.user("looking into %s was cancelled", address)));
        var files = (FileTransport) prepared.route.transport(); // as the capabilities were
        IncomingFile end = files.incoming(address, prepared.session.options());
        return new SnapshotInspector(prepared.session, prepared.route, end, wanted)
                .look(capabilities);
    }

    private record Prepared(MigrationSession session, Route route) {}

    private Prepared prepare(
            boolean source, String verb, Address address, Settings settings, Optional<UUID> uuid)
            throws MigrationException {
        TransportProvider transport;
        try {
            transport = plugins.transport(address.scheme());
        } catch (MigrationException e) {
            throw compatibility.conflicts(settings, e);
        }
        Options options = compatibility.validate(settings, transport);
        Optional<FileLayout> layout =
                plugins.pluginFor(PluginKind.LAYOUT, options)
                        .map(plugin -> plugin.guarded(FileLayout.class));
        Optional<PageCarrier> carrier =
                plugins.pluginFor(PluginKind.CARRIER, options)
                        .map(plugin -> plugin.guarded(PageCarrier.class));
        Plugin way = plugins.plugin(PluginKind.TRANSPORT, address.scheme());
        Optional<CompressionProvider> codec = codec(options);
        // The default is meant for a link that others share. A snapshot is held to a rate only on
        // request.
        boolean file = transport instanceof FileTransport;
        boolean limited =
                !file || settings.parameters().containsKey(EngineOptions.MAX_BANDWIDTH.name());
        MigrationSession session =
                new MigrationSession(
                        LifeCycle.Role.of(source, file),
                        verb + "-" + count.incrementAndGet(),
                        options,
                        uuid.orElse(new UUID(0, 0)),
                        codec,
                        limited ? options.get(EngineOptions.MAX_BANDWIDTH) : 0);
        if (codec.isPresent() && carrier.isEmpty()) {
            LOG.warn(
                    "{}: multifd-compression={} compresses nothing without the capability multifd",
                    session.name(),
                    options.get(EngineOptions.MULTIFD_COMPRESSION));
        }
        List<MigrationNotifier> notifiers =
                plugins.all(PluginKind.NOTIFIER).stream()
                        .map(plugin -> plugin.guarded(MigrationNotifier.class))
                        .toList();
        return new Prepared(
                session,
                new Route(
                        address, way.guarded(TransportProvider.class), layout, carrier, notifiers));
    }

    private Optional<CompressionProvider> codec(Options options) throws MigrationException {
        String id = options.get(EngineOptions.MULTIFD_COMPRESSION);
        return id.equals("none")
                ? Optional.empty()
                : Optional.of(
                        plugins.plugin(PluginKind.CODEC, id).guarded(CompressionProvider.class));
    }
}
