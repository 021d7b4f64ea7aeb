package org.vmferry.it.thirdparty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.cli.Main;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.transport.FdTransport;
import org.vmferry.engine.transport.NamedChannels;
import org.vmferry.it.support.Snapshots;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ForwardingChannel;
import org.vmferry.spi.transport.JdkChannel;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;

/** What docs/plugins.md says besides: of versions, logs, ends and interrupts. */
class PromisesTest {
    private static final Path INFO =
            ThirdParty.ROOT.resolve(
                    "spi/src/main/java/org/vmferry/spi/notifier/MigrationInfo.java");

    @TempDir Path temp;

    private static ReferenceMachine machine(RunState state) throws Exception {
        ReferenceMachine machine = ReferenceMachine.builder().ram(1 << 20).dirtyWindow(64).build();
        machine.enter(state);
        return machine;
    }

    /** A notifier in a folder of plug-ins. */
    private Path notifier(String name, String body, List<Path> sees) throws Exception {
        Path source = temp.resolve(name).resolve("example").resolve(name + ".java");
        Files.createDirectories(source.getParent());
        Files.writeString(
                source,
                """
                package example;

                import org.vmferry.spi.Log;
                import org.vmferry.spi.notifier.MigrationEvent;
                import org.vmferry.spi.notifier.MigrationNotifier;

                public final class %s implements MigrationNotifier {
                    @Override
                    public String id() {
                        return "%s";
                    }
                    %s
                }
                """
                        .formatted(name, name.toLowerCase(Locale.ROOT), body));
        Path classes = Files.createDirectories(temp.resolve(name).resolve("classes"));
        ThirdParty.run(
                "javac",
                List.of(
                        "-cp",
                        ThirdParty.path(sees),
                        "-implicit:none",
                        "-d",
                        classes.toString(),
                        source.toString()));
        Path services = Files.createDirectories(classes.resolve("META-INF/services"));
        Files.writeString(
                services.resolve("org.vmferry.spi.notifier.MigrationNotifier"), "example." + name);
        Path plugins = temp.resolve("plugins");
        Path jar = Files.createDirectories(plugins.resolve(name)).resolve(name + ".jar");
        ThirdParty.run("jar", List.of("-cf", jar.toString(), "-C", classes.toString(), "."));
        return plugins;
    }

    /** Built at 3743f80b, from what stood in testkit/src/it then. */
    @Test
    void aJarOfBeforeRuns() throws Exception {
        Path folder = Files.createDirectories(temp.resolve("plugins/before"));
        try (InputStream jar = PromisesTest.class.getResourceAsStream("/thirdparty/before.jar")) {
            Files.copy(jar, folder.resolve("before.jar"));
        }
        Path journal = temp.resolve("journal.txt");
        System.setProperty("example.journal", journal.toString());
        try (Plugins all = Plugins.discover().plus(Plugins.fromDirectory(temp.resolve("plugins")));
                ReferenceMachine source = machine(RunState.PAUSED);
                ReferenceMachine target = machine(RunState.INMIGRATE)) {
            assertThat(all.rejected()).isEmpty();
            Engine engine = new Engine(all);
            Settings rle =
                    Settings.NONE.capability("multifd").parameter("multifd-compression", "rle");
            source.runFor(200_000);
            Migration load = engine.receive(target, "memory:before", rle);
            engine.send(source, "memory:before", rle).await();
            load.await();
            assertThat(target.digest()).isEqualTo(source.digest());
            assertThat(journal).hasContent("begins\ndone\n"); // of what goes out alone, as then
            // Its own veto is one still.
            Files.delete(journal);
            Files.createDirectory(journal);
            Migration save = engine.send(target, "file:" + temp.resolve("vm"), Settings.NONE);
            assertThatThrownBy(save::await).hasMessageContaining("can't be written");
            // Of a conversion it is not told any more, and so forbids none.
            Path snapshot = temp.resolve("snapshot");
            Snapshots.save(snapshot);
            int exit =
                    Main.commandLine()
                            .execute(
                                    "convert",
                                    snapshot.toString(),
                                    temp.resolve("converted").toString(),
                                    "--format=mapped-ram",
                                    "--plugins=" + temp.resolve("plugins"));
            assertThat(exit).isZero();
        } finally {
            System.clearProperty("example.journal");
        }
    }

    /** What it misses shows when it is called, and is named; this one fails closed. */
    @Test
    void aJarForANewerSpiSaysWhatItMisses() throws Exception {
        Path newer = temp.resolve("newer/org/vmferry/spi/notifier/MigrationInfo.java");
        Files.createDirectories(newer.getParent());
        String info = Files.readString(INFO);
        int end = info.lastIndexOf('}');
        Files.writeString(newer, info.substring(0, end) + "    String host();\n}\n");
        Path classes = Files.createDirectories(temp.resolve("newer-classes"));
        List<Path> spi = ThirdParty.jars(List.of("vmferry-spi"));
        ThirdParty.run(
                "javac",
                List.of("-cp", ThirdParty.path(spi), "-d", classes.toString(), newer.toString()));
        Path plugins =
                notifier(
                        "Newer",
                        """
                        @Override
                        public boolean failsClosed() {
                            return true;
                        }

                        @Override
                        public void notify(MigrationEvent event) {
                            System.out.println(event.migration().host());
                        }
                        """,
                        Stream.concat(Stream.of(classes), spi.stream()).toList());
        try (Plugins all = Plugins.discover().plus(Plugins.fromDirectory(plugins));
                ReferenceMachine source = machine(RunState.PAUSED)) {
            assertThat(all.rejected()).isEmpty();
            Migration save =
                    new Engine(all).send(source, "file:" + temp.resolve("vm"), Settings.NONE);
            assertThatThrownBy(save::await)
                    .hasMessageContainingAll("'newer' (Newer.jar)", "NoSuchMethodError", "host()");
        }
    }

    @Test
    void itsLogIsTheHosts() throws Exception {
        Path plugins =
                notifier(
                        "Talker",
                        """
                        public Talker() {
                            Log.of(Talker.class).warn("of {}", "a\\u001b[31mguest\\nroot: done");
                            Log.of(Talker.class).info("not by default");
                        }

                        @Override
                        public void notify(MigrationEvent event) {}
                        """,
                        ThirdParty.jars(List.of("vmferry-spi", "slf4j-api")));
        Path copy = ThirdParty.jars(List.of("slf4j-api")).getFirst(); // is not used
        Files.copy(copy, plugins.resolve("Talker").resolve(copy.getFileName()));
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        String said =
                ThirdParty.run(
                        new ProcessBuilder(
                                java.toString(),
                                "-cp",
                                System.getProperty("java.class.path"),
                                "org.vmferry.cli.Main",
                                "plugins",
                                "--plugins",
                                plugins.toString()));
        assertThat(said.lines())
                .filteredOn(line -> line.contains("example.Talker - of a"))
                .singleElement()
                .asString()
                .startsWith("[main] WARN")
                .contains("guest")
                .contains("root: done") // no line of its own
                .doesNotContain("\u001b");
        assertThat(said).doesNotContain("not by default");
    }

    private static Engine engine(String name, Channel channel) {
        NamedChannels names = new NamedChannels();
        names.register(name, channel);
        return new Engine(Plugins.discover().plus(new FdTransport(names)));
    }

    /** Whether it reads -1 or throws: a stream says itself where it ends. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aChannelThatEndsInTheMiddleStartsNoGuest(boolean atItsEnd) throws Exception {
        Path file = temp.resolve("vm");
        Snapshots.save(file);
        byte[] stream = Files.readAllBytes(file);
        Channel[] ends = JdkChannel.pair("a source");
        Channel cut = new CutChannel(ends[0], stream.length / 2, atItsEnd);
        try (ReferenceMachine target = machine(RunState.INMIGRATE)) {
            Migration load = engine("cut", cut).receive(target, "fd:cut", Settings.NONE);
            ByteBuffer half = ByteBuffer.wrap(Arrays.copyOf(stream, stream.length / 2));
            while (half.hasRemaining()) ends[1].write(half);
            if (atItsEnd) ends[1].close();
            assertThatThrownBy(load::await).isInstanceOf(IOException.class);
            assertThat(target.runState()).isEqualTo(RunState.INMIGRATE);
        } finally {
            ends[1].release();
        }
    }

    /** A channel that is lost behind some bytes, as a socket whose peer has closed it. */
    private static final class CutChannel extends ForwardingChannel {
        private final boolean atItsEnd;
        private long left;

        CutChannel(Channel real, long left, boolean atItsEnd) {
            super(real);
            this.left = left;
            this.atItsEnd = atItsEnd;
        }

        @Override
        public int read(ByteBuffer target) throws IOException {
            if (left == 0 && !atItsEnd) throw new IOException("Connection reset");
            int count = real.read(target);
            if (count > 0) left -= count;
            return count;
        }

        @Override
        public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
            for (int i = offset; i < offset + length; i++)
                if (targets[i].hasRemaining()) return read(targets[i]);
            return 0;
        }
    }

    /** Who hangs is let go by a release. */
    @Test
    void nobodyIsInterrupted() throws Exception {
        Hanging channel = new Hanging();
        try (ReferenceMachine target = machine(RunState.INMIGRATE)) {
            Migration load = engine("hangs", channel).receive(target, "fd:hangs", Settings.NONE);
            channel.reads.await();
            load.cancel();
            assertThatThrownBy(load::await).hasMessageContaining("cancelled");
        }
        assertThat(channel.interrupted).isFalse();
    }

    private static final class Hanging implements Channel {
        final CountDownLatch reads = new CountDownLatch(1);
        private final CountDownLatch closed = new CountDownLatch(1);
        volatile boolean interrupted;

        @Override
        public int read(ByteBuffer target) throws IOException {
            reads.countDown();
            try {
                closed.await();
            } catch (InterruptedException e) {
                interrupted = true;
            }
            throw new IOException("it is closed");
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            throw new IOException("nobody reads");
        }

        @Override
        public void shutdownOutput() {}

        @Override
        public String peer() {
            return "nobody";
        }

        @Override
        public boolean isOpen() {
            return closed.getCount() > 0;
        }

        @Override
        public void close() {
            closed.countDown();
        }
    }
}
