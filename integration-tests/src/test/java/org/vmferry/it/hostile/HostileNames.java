package org.vmferry.it.hostile;

import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.catalog.OptionCompatibility;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.support.FullMachine;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.ForwardingMachine;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.Migratable;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * A host whose neighbours choose names that would drive its terminal: peers, files, clients,
 * certificates, plug-ins. The engine logs all that it can; what is thrown is printed as it is, down
 * its causes. {@link HostileNamesTest} looks at all of this.
 */
public final class HostileNames {
    /** A name that clears the screen, begins a line of its own, and turns the writing round. */
    static final String NAME = "\u001b[2J\r\nEVIL\u202e\u2028\u0085";

    private static final Duration SOON = Duration.ofSeconds(30);
    private static final Settings MULTIFD = Settings.NONE.capability("multifd");
    static final Settings MAPPED = Settings.NONE.capability("mapped-ram");

    final Engine engine = Engine.create();
    final Path folder;

    private HostileNames(Path folder) {
        this.folder = folder;
    }

    /** Something that may fail. */
    interface Deed {
        void run() throws Exception;
    }

    /**
     * The process.
     *
     * @param arguments a folder for it, empty
     */
    public static void main(String[] arguments) throws Exception {
        HostileNames all = in(Path.of(arguments[0]));
        all.migrations();
        all.addresses();
        all.options();
        new HostileBytes(all).all();
        new HostileClients(all).commands();
        all.plugins();
        if (arguments.length > 1) new HostileClients(all).certificates();
        System.err.println("all was tried");
    }

    /** One that logs all that it can. */
    static HostileNames in(Path folder) {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "trace");
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> say("uncaught", e));
        return new HostileNames(folder);
    }

    static void attempt(String what, Deed deed) {
        System.err.println("== " + what);
        try {
            deed.run();
        } catch (Exception | Error e) {
            say(what, e);
        }
    }

    /** As a host's logger would: classes, messages, causes and what was suppressed. */
    private static void say(String what, Throwable e) {
        System.err.println(what + " threw " + e.getMessage());
        e.printStackTrace();
    }

    static void end(Migration... all) throws Exception {
        for (Migration one : all) {
            if (!one.await(SOON)) {
                one.cancel();
                throw new AssertionError("it does not end");
            }
            one.failure().ifPresent(e -> say("a migration", e));
        }
    }

    /** All names are such, at both ends; or there they are others. */
    private void migrations() {
        for (Settings settings : List.of(Settings.NONE, MULTIFD)) {
            attempt("over tcp", () -> pair(guest(NAME), settings));
            attempt("to another type", () -> pair(guest(NAME, "b", "d"), settings));
            attempt("to another block", () -> pair(guest("t", NAME + "1", "d"), settings));
            attempt("to another device", () -> pair(guest("t", "b", NAME + "1"), settings));
            attempt("to a shorter block", () -> pair(shorter(), settings));
            attempt("to who refuses", () -> pair(refusing(), settings));
        }
        for (Settings settings : List.of(Settings.NONE, MULTIFD, MAPPED, MAPPED.plus(MULTIFD))) {
            if (settings.equals(MULTIFD)) continue; // a file that holds it needs mapped-ram
            Path file = folder.resolve("all" + settings.capabilities().size());
            attempt("to a file", () -> end(save(guest(NAME), file, settings)));
            attempt("back", () -> end(load(guest(NAME), file, settings)));
            attempt("mapped", () -> end(load(adopting(), file, settings)));
            attempt("other device", () -> end(load(guest(NAME, NAME, "d"), file, settings)));
            attempt("other block", () -> end(load(guest(NAME, "b", NAME), file, settings)));
            attempt("shorter", () -> end(load(shorter(), file, settings)));
            attempt("inspect", () -> engine.inspect("file:" + file));
            attempt("of a length", () -> cut(file));
            attempt("mapped and cut", () -> end(load(adopting(), file, settings)));
            attempt("kept", () -> keep(file, settings));
        }
    }

    private static void cut(Path file) throws IOException {
        byte[] all = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(all, all.length / 2));
    }

    private void pair(Machine destination, Settings settings) throws Exception {
        settings = settings.capability("return-path");
        Migration in = engine.receive(destination, "tcp:127.0.0.1:0", settings);
        Migration out = engine.send(guest(NAME), in.address().toString(), settings);
        end(out, in);
    }

    Migration save(Machine machine, Path file, Settings settings) throws Exception {
        return engine.send(machine, "file:" + file, settings);
    }

    Migration load(Migratable machine, Path file, Settings settings) throws Exception {
        return engine.receive(machine, "file:" + file, settings);
    }

    void keep(Path file, Settings settings) throws Exception {
        try (ArchiveMachine archive = ArchiveMachine.in(folder)) {
            end(load(archive, file, settings));
        }
    }

    /** Every scheme, with such a name behind it. */
    private void addresses() {
        Path odd = folder.resolve(NAME);
        List<String> uris =
                List.of(
                        "file:" + odd,
                        "file:" + odd + "/none/x",
                        "file:" + odd + "\0",
                        "file:" + folder + ",offset=" + NAME,
                        "unix:" + odd,
                        "unix:" + odd + "/none",
                        "unix:" + NAME.repeat(20),
                        "tcp:127.0.0.1:" + NAME,
                        "tcp:" + NAME + ":1",
                        "tcp:127.0.0.1:1," + NAME + "=1",
                        "exec:false '" + NAME + "'",
                        "exec:echo '" + NAME + "' >&2; exit 3",
                        "fd:" + NAME,
                        NAME + ":x",
                        NAME);
        for (String uri : uris) {
            attempt("send to", () -> end(engine.send(guest(NAME), uri, Settings.NONE)));
            attempt("send mapped", () -> end(engine.send(guest(NAME), uri, MAPPED)));
            attempt("receive from", () -> receive(uri));
            attempt("inspect", () -> engine.inspect(uri));
            attempt("capabilities", () -> engine.capabilities(uri));
            attempt("allowing", () -> engine.allowing(uri).send(guest(NAME), "x:", MAPPED));
            attempt("forbidden", () -> engine.allowing("fd").send(guest(NAME), uri, MAPPED));
        }
        attempt(
                "a folder there",
                () -> Files.createDirectory(folder.resolve(NAME + "d")).resolve("x"));
        attempt(
                "to a folder",
                () -> end(engine.send(guest(NAME), "file:" + folder.resolve(NAME + "d"), MAPPED)));
    }

    private void receive(String uri) throws Exception {
        Migration in = engine.receive(guest(NAME), uri, Settings.NONE);
        if (uri.startsWith("unix:") && !in.await(Duration.ofMillis(10))) {
            attempt(
                    "a second one there",
                    () -> engine.receive(guest(NAME), uri, Settings.NONE).cancel());
            end(engine.send(guest(NAME, "b", "d"), uri, Settings.NONE));
        }
        if (!in.await(Duration.ofSeconds(5))) in.cancel();
        end(in);
    }

    private void options() {
        List<Settings> all =
                List.of(
                        Settings.NONE.capability(NAME),
                        Settings.NONE.parameter(NAME, NAME),
                        MULTIFD.parameter("multifd-compression", NAME),
                        Settings.NONE.parameter("max-bandwidth", NAME),
                        Settings.NONE.parameter("mode", NAME),
                        Settings.NONE.parameter("tls-creds", NAME),
                        Settings.NONE.parameter("tls-creds", folder + "/" + NAME),
                        Settings.NONE.parameter("tls-authz", NAME),
                        Settings.NONE.parameter("tls-hostname", NAME));
        String file = "file:" + folder.resolve("options");
        for (Settings settings : all) {
            attempt("options", () -> end(engine.send(guest(NAME), file, settings)));
            attempt("options", () -> end(engine.receive(guest(NAME), file, settings)));
            attempt("options", () -> pair(guest(NAME), settings));
            attempt("options", () -> engine.warmUp(settings));
            attempt("options", () -> new OptionCompatibility(engine.options()).validate(settings));
        }
        attempt("plugins", () -> engine.plugins().codec(NAME));
        attempt("plugins", () -> engine.plugins().transport(NAME));
        attempt("plugins", () -> engine.plugins().layout(NAME));
    }

    /** Folders, jars, and what stands in these. */
    private void plugins() throws Exception {
        Path top = Files.createDirectory(folder.resolve("p" + NAME));
        Files.writeString(top.resolve(NAME + ".jar"), "alone");
        Files.createDirectory(top.resolve(NAME));
        Path one = Files.createDirectory(top.resolve("one"));
        Files.writeString(one.resolve(NAME + ".jar"), "no jar");
        Path two = Files.createDirectory(top.resolve("two"));
        String service = "META-INF/services/org.vmferry.spi.transport.TransportProvider";
        for (String line : List.of(NAME, "a.\u202eB", "java.lang.String", "none.Such\u001b")) {
            Path jar = two.resolve(line.hashCode() + NAME + ".jar");
            try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
                zip.putNextEntry(new ZipEntry(service));
                zip.write(line.getBytes(StandardCharsets.UTF_8));
                zip.putNextEntry(new ZipEntry("META-INF/" + NAME + ".SF"));
                if (line.equals(NAME)) zip.write(new byte[2 << 20]);
            }
        }
        attempt("plug-ins", () -> look(top));
        attempt("no plug-ins", () -> look(folder.resolve(NAME + "none")));
        Files.setAttribute(top, "unix:mode", 0777);
        attempt("others' plug-ins", () -> look(top));
    }

    private void look(Path top) throws Exception {
        try (Plugins found = Plugins.fromDirectory(top)) {
            found.rejected().forEach(System.err::println);
            found.rejected().forEach(one -> one.cause().ifPresent(e -> say("a plug-in", e)));
            System.err.println(found.places() + " " + found.looked());
            attempt("such a plug-in", () -> found.transport(NAME));
            attempt(
                    "with these",
                    () -> new Engine(found).send(guest(NAME), NAME + ":1", Settings.NONE));
        }
    }

    /** A machine of a few pages, with such a name for all that has one. */
    static FullMachine guest(String name) {
        return guest(name, name, name);
    }

    static FullMachine guest(String type, String block, String device) {
        return guest(16, type, block, device);
    }

    private static FullMachine guest(int pages, String type, String block, String device) {
        MemorySegment ram = Arena.ofAuto().allocate(pages * 4096L, 4096);
        ram.set(ValueLayout.JAVA_BYTE, 4096, (byte) 7);
        return new FullMachine(ram, RunState.PAUSED, type, block, device);
    }

    private static Machine shorter() {
        return guest(8, NAME, NAME, NAME);
    }

    private static Machine refusing() {
        return new ForwardingMachine(guest(NAME)) {
            @Override
            public void enter(RunState state) {
                throw new IllegalStateException("not this one: " + NAME);
            }
        };
    }

    /** Its RAM is mapped. */
    private static Machine adopting() {
        FullMachine guest = guest(NAME);
        return new ForwardingMachine(guest) {
            @Override
            public RamTarget ramTarget() {
                RamTarget plain = guest.ramTarget();
                return new RamTarget() {
                    @Override
                    public RamBlock open(BlockHeader header) throws MigrationException {
                        return plain.open(header);
                    }

                    @Override
                    public Optional<Arena> adopts(BlockHeader header) {
                        return Optional.of(Arena.ofAuto());
                    }

                    @Override
                    public RamBlock adopt(BlockHeader header, MemorySegment memory) {
                        return RamBlock.of(header.id(), memory, header.pageSize());
                    }
                };
            }
        };
    }
}
