package org.vmferry.it.hostile;

import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.json.Json;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.qmp.QmpServer;
import org.vmferry.it.support.Certificates;
import org.vmferry.it.support.Certificates.Key;
import org.vmferry.it.support.Tools;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.spi.ram.RamTarget;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
    private static final Settings MAPPED = Settings.NONE.capability("mapped-ram");

    private final Engine engine = Engine.create();
    private final Path folder;

    private HostileNames(Path folder) {
        this.folder = folder;
    }

    /** Something that may fail. */
    private interface Deed {
        void run() throws Exception;
    }

    /**
     * The process.
     *
     * @param arguments a folder for it, empty
     */
    public static void main(String[] arguments) throws Exception {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "trace");
        Thread.setDefaultUncaughtExceptionHandler((thread, e) -> say("uncaught", e));
        HostileNames all = new HostileNames(Path.of(arguments[0]));
        all.migrations();
        all.addresses();
        all.options();
        all.streams();
        all.trailers();
        all.commands();
        all.plugins();
        if (arguments.length > 1) all.certificates();
        System.err.println("all was tried");
    }

    private static void attempt(String what, Deed deed) {
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

    private static void end(Migration... all) throws Exception {
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
            attempt("over tcp", () -> pair(new Guest(NAME), settings));
            attempt("to another type", () -> pair(new Guest(NAME, "b", "d"), settings));
            attempt("to another block", () -> pair(new Guest("t", NAME + "1", "d"), settings));
            attempt("to another device", () -> pair(new Guest("t", "b", NAME + "1"), settings));
            attempt("to a shorter block", () -> pair(new Guest(NAME).shorter(), settings));
            attempt("to who refuses", () -> pair(new Guest(NAME).refusing(), settings));
        }
        for (Settings settings : List.of(Settings.NONE, MULTIFD, MAPPED, MAPPED.plus(MULTIFD))) {
            if (settings.equals(MULTIFD)) continue; // a file that holds it needs mapped-ram
            Path file = folder.resolve("all" + settings.capabilities().size());
            attempt("to a file", () -> end(save(new Guest(NAME), file, settings)));
            attempt("back", () -> end(load(new Guest(NAME), file, settings)));
            attempt("mapped", () -> end(load(new Guest(NAME).adopting(), file, settings)));
            attempt("other device", () -> end(load(new Guest(NAME, NAME, "d"), file, settings)));
            attempt("other block", () -> end(load(new Guest(NAME, "b", NAME), file, settings)));
            attempt("shorter", () -> end(load(new Guest(NAME).shorter(), file, settings)));
            attempt("inspect", () -> engine.inspect("file:" + file));
            attempt("of a length", () -> cut(file));
            attempt("mapped and cut", () -> end(load(new Guest(NAME).adopting(), file, settings)));
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
        Migration out = engine.send(new Guest(NAME), in.address().toString(), settings);
        end(out, in);
    }

    private Migration save(Machine machine, Path file, Settings settings) throws Exception {
        return engine.send(machine, "file:" + file, settings);
    }

    private Migration load(Machine machine, Path file, Settings settings) throws Exception {
        return engine.receive(machine, "file:" + file, settings);
    }

    private void keep(Path file, Settings settings) throws Exception {
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
            attempt("send to", () -> end(engine.send(new Guest(NAME), uri, Settings.NONE)));
            attempt("send mapped", () -> end(engine.send(new Guest(NAME), uri, MAPPED)));
            attempt("receive from", () -> receive(uri));
            attempt("inspect", () -> engine.inspect(uri));
            attempt("capabilities", () -> engine.capabilities(uri));
            attempt("allowing", () -> engine.allowing(uri).send(new Guest(NAME), "x:", MAPPED));
            attempt("forbidden", () -> engine.allowing("fd").send(new Guest(NAME), uri, MAPPED));
        }
        attempt(
                "a folder there",
                () -> Files.createDirectory(folder.resolve(NAME + "d")).resolve("x"));
        attempt(
                "to a folder",
                () ->
                        end(
                                engine.send(
                                        new Guest(NAME),
                                        "file:" + folder.resolve(NAME + "d"),
                                        MAPPED)));
    }

    private void receive(String uri) throws Exception {
        Migration in = engine.receive(new Guest(NAME), uri, Settings.NONE);
        if (uri.startsWith("unix:") && !in.await(Duration.ofMillis(10))) {
            attempt(
                    "a second one there",
                    () -> engine.receive(new Guest(NAME), uri, Settings.NONE).cancel());
            end(engine.send(new Guest(NAME, "b", "d"), uri, Settings.NONE));
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
            attempt("options", () -> end(engine.send(new Guest(NAME), file, settings)));
            attempt("options", () -> end(engine.receive(new Guest(NAME), file, settings)));
            attempt("options", () -> pair(new Guest(NAME), settings));
            attempt("options", () -> engine.warmUp(settings));
            attempt("options", () -> engine.options().validate(settings));
        }
        attempt("plugins", () -> engine.plugins().codec(NAME));
        attempt("plugins", () -> engine.plugins().transport(NAME));
        attempt("plugins", () -> engine.plugins().layout(NAME));
    }

    private static final Pattern WORD = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_./:-]{2,}");

    /** Each word of a stream, one after another: names, states, keys and values of its text. */
    private void streams() throws Exception {
        for (Settings settings : List.of(Settings.NONE, MAPPED)) {
            Path file = folder.resolve("plain" + settings.capabilities().size());
            end(save(new Guest("machine"), file, settings));
            byte[] all = Files.readAllBytes(file);
            Path changed = folder.resolve("changed");
            String text = new String(all, StandardCharsets.ISO_8859_1);
            for (Matcher word = WORD.matcher(text); word.find(); ) {
                for (boolean escaped : new boolean[] {false, true}) {
                    byte[] other = word(word.group().length(), escaped);
                    if (other.length == 0) continue;
                    byte[] bytes = all.clone();
                    System.arraycopy(other, 0, bytes, word.start(), other.length);
                    Files.write(changed, bytes);
                    attempt("inspect", () -> engine.inspect("file:" + changed));
                    attempt("load", () -> end(load(new Guest("machine"), changed, settings)));
                    attempt("keep", () -> keep(changed, settings));
                }
            }
        }
    }

    /** Another word of that length; in JSON escapes of it count, too. */
    private static byte[] word(int length, boolean escaped) {
        String hostile = escaped ? "\\u001b\\n\\u202e\\u2028" : "\u001b\r\nEVIL\u202e\u2028";
        if (escaped) hostile = length < 6 ? "" : hostile.substring(0, Math.min(length, 6));
        else if (length < 13) hostile = "\u001b\r\n";
        byte[] bytes = hostile.getBytes(StandardCharsets.UTF_8);
        byte[] word = new byte[bytes.length == 0 ? 0 : length];
        Arrays.fill(word, (byte) 'x');
        System.arraycopy(bytes, 0, word, 0, bytes.length);
        return word;
    }

    /** The text behind a stream, with a checksum that fits, and one that does not. */
    private void trailers() throws Exception {
        Path file = folder.resolve("trailer");
        end(save(new Guest("machine"), file, Settings.NONE));
        byte[] all = Files.readAllBytes(file);
        String text = new String(all, StandardCharsets.ISO_8859_1);
        int begin = text.lastIndexOf("vmferry 1\n");
        for (String line : List.of("writer " + NAME, "missing-ram " + NAME, NAME + " x")) {
            byte[] lines = ("vmferry 1\n" + line + "\n").getBytes(StandardCharsets.UTF_8);
            var sum = new java.util.zip.CRC32C();
            sum.update(lines);
            for (long value : new long[] {sum.getValue(), 1}) {
                byte[] last = "crc32c %08x\n".formatted(value).getBytes(StandardCharsets.UTF_8);
                ByteBuffer bytes = ByteBuffer.allocate(begin + lines.length + last.length);
                bytes.put(all, 0, begin).put(lines).put(last);
                Files.write(file, bytes.array());
                attempt("trailer", () -> engine.inspect("file:" + file));
                attempt("trailer", () -> end(load(new Guest("machine"), file, Settings.NONE)));
                attempt("trailer", () -> keep(file, Settings.NONE));
            }
        }
    }

    /** What a QMP client may say; and the server's own socket has such a name. */
    private void commands() throws Exception {
        String json = "\\u001b[2J\\r\\nEVIL\\u202e\\u2028\\u0085";
        Path socket = folder.resolve("q" + NAME);
        attempt("a socket that is none", () -> QmpServer.listen(engine, new Guest(NAME), folder));
        List<String> lines =
                List.of(
                        "{'execute':'qmp_capabilities'}",
                        "{'execute':'NAME','id':'NAME'}",
                        "{'execute':'migrate','arguments':{'uri':'NAME'}}",
                        "{'execute':'migrate','arguments':{'uri':'file:NAME/x','NAME':1}}",
                        "{'execute':'migrate','arguments':{'uri':'unix:/NAME/x'}}",
                        "{'execute':'migrate','arguments':{'uri':'exec:false NAME'}}",
                        "{'execute':'query-migrate'}",
                        "{'execute':'migrate-incoming','arguments':{'uri':'unix:/NAME/x'}}",
                        "{'execute':'migrate-set-capabilities','arguments':{'capabilities':"
                                + "[{'capability':'NAME','state':true}]}}",
                        "{'execute':'migrate-set-parameters','arguments':{'NAME':'NAME'}}",
                        "{'execute':'migrate-set-parameters','arguments':{'tls-creds':'NAME'}}",
                        "{'execute':'object-add','arguments':{'qom-type':'NAME','id':'NAME'}}",
                        "{'execute':'object-add','arguments':{'qom-type':'tls-creds-x509',"
                                + "'id':'NAME','dir':'NAME','endpoint':'NAME'}}",
                        "{'execute':'object-del','arguments':{'id':'NAME'}}",
                        "{'execute':'getfd','arguments':{'fdname':'NAME'}}",
                        "{\"execute\":\"a\u202eb\"}",
                        "a\u202eb\u2028",
                        "{'execute':'migrate','arguments':{'uri':'tcp:NAME:1'}}");
        try (QmpServer server = QmpServer.listen(engine, new Guest(NAME), socket);
                SocketChannel client = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            client.connect(UnixDomainSocketAddress.of(socket));
            answer(client);
            for (String line : lines) {
                String sent = line.replace('\'', '"').replace("NAME", json) + "\n";
                System.err.println("== qmp");
                client.write(ByteBuffer.wrap(sent.getBytes(StandardCharsets.UTF_8)));
                System.err.println("desc " + desc(answer(client)));
            }
            for (Thread one : Thread.getAllStackTraces().keySet()) {
                System.err.println("thread " + one.getName());
            }
        }
    }

    /** What an answer says for people; its id is the client's own. */
    private static Object desc(String answer) throws IOException {
        Map<?, ?> members = (Map<?, ?>) Json.parse(answer.getBytes(StandardCharsets.UTF_8));
        return members.get("error") instanceof Map<?, ?> error ? error.get("desc") : "";
    }

    private static String answer(SocketChannel client) throws IOException {
        StringBuilder said = new StringBuilder();
        ByteBuffer one = ByteBuffer.allocate(1 << 16);
        do {
            if (client.read(one.clear()) < 0) return said.toString();
            said.append(StandardCharsets.UTF_8.decode(one.flip()));
        } while (said.charAt(said.length() - 1) != '\n');
        return said.toString();
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
                    () -> new Engine(found).send(new Guest(NAME), NAME + ":1", Settings.NONE));
        }
    }

    /** Clients whose certificates have such names: of this CA, and of another of such a name. */
    private void certificates() throws Exception {
        Path made = Files.createDirectory(folder.resolve("tls"));
        Path genuine = new Certificates(made).folder(Key.P256, Key.P256);
        String subject = "/O=" + NAME + "/CN=" + NAME;
        Path foreign = Files.createDirectory(folder.resolve("foreign"));
        openssl(
                "req -x509 -days 2 -utf8 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256",
                List.of("-subj", subject, "-keyout", foreign + "/k.pem", "-out", foreign + "/c"));
        for (boolean known : new boolean[] {true, false}) {
            Path client = Files.createDirectory(folder.resolve("client" + NAME + known));
            Files.copy(made.resolve("ca-cert.pem"), client.resolve("ca-cert.pem"));
            openssl(
                    "req -x509 -days 2 -utf8 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256",
                    List.of(
                            "-subj",
                            subject,
                            "-addext",
                            "basicConstraints=critical,CA:FALSE",
                            "-CA",
                            known ? made + "/ca-cert.pem" : foreign + "/c",
                            "-CAkey",
                            known ? made + "/ca-key.pem" : foreign + "/k.pem",
                            "-keyout",
                            client + "/client-key.pem",
                            "-out",
                            client + "/client-cert.pem"));
            for (String role : List.of("-cert.pem", "-key.pem")) {
                Files.copy(client.resolve("client" + role), client.resolve("server" + role));
            }
            Files.setAttribute(client.resolve("client-key.pem"), "unix:mode", 0644);
            for (String whom : List.of("", "CN=somebody", NAME)) {
                attempt("certificates", () -> tls(genuine, client, whom));
                attempt("certificates", () -> tls(client, genuine, whom));
            }
            Files.writeString(client.resolve("ca-crl.pem"), "no list " + NAME);
            attempt("a list of revoked ones", () -> tls(client, client, ""));
            Files.writeString(client.resolve("client-cert.pem"), "none " + NAME);
            Files.writeString(client.resolve("server-cert.pem"), "none " + NAME);
            Files.delete(client.resolve("ca-crl.pem"));
            attempt("no certificate", () -> tls(client, genuine, ""));
            Files.delete(client.resolve("client-cert.pem"));
            attempt("no file", () -> tls(genuine, client, ""));
        }
    }

    private static void openssl(String command, List<String> more) throws Exception {
        var all = new java.util.ArrayList<>(List.of(("openssl " + command).split(" ")));
        all.addAll(more);
        Tools.run(all.toArray(String[]::new));
    }

    private void tls(Path server, Path client, String whom) throws Exception {
        Settings of = Settings.NONE.parameter("tls-hostname", Certificates.HOST);
        Settings here = of.parameter("tls-creds", server.toString()).parameter("tls-authz", whom);
        Migration in = engine.receive(new Guest(NAME), "tcp:127.0.0.1:0", here);
        try {
            Settings there = of.parameter("tls-creds", client.toString());
            end(engine.send(new Guest(NAME), in.address().toString(), there));
        } finally {
            if (!in.await(Duration.ofSeconds(1))) in.cancel();
            end(in);
        }
    }

    /** A machine of a few pages. */
    private static final class Guest implements Machine {
        private final String type;
        private final String device;
        private final String block;
        private List<RamBlock> blocks;
        private boolean refuses;
        private boolean adopts;
        private RunState state = RunState.PAUSED;

        Guest(String name) {
            this(name, name, name);
        }

        Guest(String type, String block, String device) {
            this.type = type;
            this.device = device;
            this.block = block;
            blocks = List.of(RamBlock.of(block, memory(16), 4096));
        }

        private static MemorySegment memory(int pages) {
            MemorySegment memory = Arena.ofAuto().allocate(pages * 4096L, 4096);
            memory.set(java.lang.foreign.ValueLayout.JAVA_BYTE, 4096, (byte) 7);
            return memory;
        }

        Guest shorter() {
            blocks = List.of(RamBlock.of(block, memory(8), 4096));
            return this;
        }

        Guest refusing() {
            refuses = true;
            return this;
        }

        Guest adopting() {
            adopts = true;
            return this;
        }

        @Override
        public String type() {
            return type;
        }

        @Override
        public RunState runState() {
            return state;
        }

        @Override
        public void enter(RunState next) {
            state = next;
        }

        @Override
        public RamProvider ram() {
            return () -> blocks;
        }

        @Override
        public RamTarget ramTarget() {
            RamTarget plain = RamTarget.of(blocks);
            if (!adopts) return plain;
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

        @Override
        public List<DeviceState> devices() {
            return List.of(
                    new DeviceState() {
                        @Override
                        public String id() {
                            return device;
                        }

                        @Override
                        public void save(DataOutput out) throws IOException {
                            out.writeInt(1);
                        }

                        @Override
                        public void load(DataInput in, int version) throws IOException {
                            in.readInt();
                            if (refuses) throw new IOException("not this one: " + NAME);
                        }
                    });
        }
    }
}
