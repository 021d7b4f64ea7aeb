package org.vmferry.it.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.catalog.OptionCompatibility;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.transport.FdTransport;
import org.vmferry.engine.transport.NamedChannels;
import org.vmferry.it.support.Leftovers;
import org.vmferry.it.support.OneGuest;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URL;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;

/** What does not go together, or is not there: said before anything is opened. */
class TransportFitTest {
    private final Machine machine = new OneGuest().at(RunState.PAUSED);

    @TempDir Path folder;

    @ParameterizedTest(name = "{0} with {1}")
    @CsvSource({
        "exec:touch FILE; cat, multifd, 'multifd needs many channels, and exec: has none'",
        "fd:none, multifd, 'is for channels that the host registers'",
        "tcp:127.0.0.1:PORT, mapped-ram, 'mapped-ram needs a file, and tcp: has none'",
        "unix:FILE, mapped-ram, 'mapped-ram needs a file, and unix: has none'",
        "exec:touch FILE, mapped-ram, 'mapped-ram needs a file, and exec: has none'",
        "exec:touch FILE, return-path, 'return-path needs a way back from the receiver, and exec:"
                + " has none'",
    })
    void refusedBeforeAnythingIsOpened(String uri, String capability, String message)
            throws Exception {
        Path file = folder.resolve("made");
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String address =
                    uri.replace("FILE", file.toString())
                            .replace("PORT", "" + server.getLocalPort());
            Settings settings = Settings.NONE.capability(capability);
            Engine engine = Engine.create();
            assertThatThrownBy(() -> engine.send(machine, address, settings))
                    .isInstanceOf(MigrationException.class)
                    .hasMessageContaining(message);
            assertThatThrownBy(() -> engine.receive(machine, address, settings))
                    .isInstanceOf(MigrationException.class)
                    .hasMessageContaining(message);
            server.setSoTimeout(1);
            assertThatThrownBy(server::accept).isInstanceOf(IOException.class);
        }
        assertThat(file).as("no command ran").doesNotExist();
        Leftovers.assertNoThreads();
    }

    @Test
    void multifdOverAChannelOfTheHosts() throws Exception {
        NamedChannels names = new NamedChannels();
        Engine engine = new Engine(Plugins.discover().plus(new FdTransport(names)));
        try (SocketChannel socket = SocketChannel.open()) {
            try (ServerSocketChannel server = ServerSocketChannel.open()) {
                server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                socket.connect(server.getLocalAddress());
            }
            names.register("here", socket);
            Settings settings = Settings.NONE.capability("multifd");
            assertThatThrownBy(() -> engine.send(machine, "fd:here", settings))
                    .hasMessageContaining("multifd needs many channels, and fd: has none");
            assertThatThrownBy(() -> engine.receive(machine, "fd:here", settings))
                    .hasMessageContaining("multifd needs many channels, and fd: has none");
            assertThat(names.unregister("here")).as("nobody took it").isPresent();
        }
    }

    /** Sees everything but the plug-ins of one package: as if their jar had been left away. */
    private static final class Without extends ClassLoader {
        private final String name;

        Without(String name) {
            super(TransportFitTest.class.getClassLoader());
            this.name = name;
        }

        @Override
        protected Class<?> loadClass(String binary, boolean resolve) throws ClassNotFoundException {
            if (binary.startsWith(name)) throw new ClassNotFoundException(binary);
            return super.loadClass(binary, resolve);
        }

        @Override
        public Enumeration<URL> getResources(String resource) throws IOException {
            List<URL> all = Collections.list(super.getResources(resource));
            all.removeIf(url -> names(url));
            return Collections.enumeration(all);
        }

        private boolean names(URL services) {
            try (var in = services.openStream()) {
                return new String(in.readAllBytes()).contains(name);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
    }

    @Test
    void withoutZstdsJarItsArtifactIsNamed() throws Exception {
        Engine engine = new Engine(Plugins.discover(new Without("org.vmferry.zstd.")));
        Settings settings =
                Settings.NONE.capability("multifd").parameter("multifd-compression", "zstd");
        String uri = "unix:" + folder.resolve("socket");
        assertThatThrownBy(() -> engine.receive(machine, uri, settings))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining("zstd")
                .hasMessageContaining("org.vmferry:vmferry-plugin-compression-zstd");
        assertThat(Files.list(folder)).isEmpty();
        Engine whole = Engine.create();
        assertThat(new OptionCompatibility(whole.options()).validate(settings)).isNotNull();
    }

    /** As with a QEMU 10.0, which says nothing of it: a script that sets all parameters works. */
    @Test
    void compressionWithoutChannelsToCompressIsNamed() throws Exception {
        Settings settings = Settings.NONE.parameter("multifd-compression", "zstd");
        PrintStream before = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
        try {
            Engine.create().send(machine, "file:" + folder.resolve("vm"), settings).await();
            Settings both = settings.capability("multifd");
            Migration load = Engine.create().receive(machine, "unix:" + folder.resolve("in"), both);
            load.cancel();
            load.await(Duration.ofSeconds(60));
        } finally {
            System.setErr(before);
        }
        assertThat(said.toString(StandardCharsets.UTF_8).lines())
                .filteredOn(line -> line.contains("compresses nothing without"))
                .singleElement()
                .asString()
                .contains("WARN", "send-1: multifd-compression=zstd");
    }

    /** Without any plug-in, the mistyped name is not drowned. */
    @Test
    void everythingThatIsWrongIsSaid() {
        Engine engine = new Engine(Plugins.of(List.of()));
        Settings settings = Settings.NONE.capability("pause-before-switchovr");
        assertThatThrownBy(() -> engine.send(machine, "tcp:127.0.0.1:1", settings))
                .hasMessageContaining("pause-before-switchovr")
                .hasMessageContaining(
                        "transport 'tcp' is not there: add org.vmferry:vmferry-engine");
    }
}
