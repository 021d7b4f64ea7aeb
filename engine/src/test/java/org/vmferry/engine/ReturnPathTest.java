package org.vmferry.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.transport.FdTransport;
import org.vmferry.engine.transport.NamedChannels;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;

/** The way back: the destination's word, its failure, and its silence. */
class ReturnPathTest {
    @TempDir Path folder;
    private final Engine engine = new Engine(Plugins.builtIn());

    @Test
    @Tag("RPT-1")
    @Tag("RPT-3")
    void theDestinationsWordCompletesIt() throws Exception {
        Settings back = Settings.NONE.capability("return-path").parameter("max-bandwidth", "0");
        TestMachine target = new TestMachine(RunState.INMIGRATE, TestMachine.heap(64, 0));
        Migration load = engine.receive(target, "tcp:127.0.0.1:0", back);
        TestMachine source = TestMachine.live();
        Migration save = engine.send(source, load.address().toString(), back);
        save.await();
        load.await();
        assertThat(source.state).isEqualTo(RunState.POSTMIGRATE);
        assertThat(target.state).isEqualTo(RunState.RUNNING);
    }

    @Test
    @Tag("RPT-3")
    @Tag("RPT-4")
    void theDestinationsFailureLetsTheSourceGoOn() throws Exception {
        Settings back = Settings.NONE.capability("return-path").parameter("max-bandwidth", "0");
        TestMachine target =
                new TestMachine(RunState.INMIGRATE, TestMachine.heap(64, 0)) {
                    @Override
                    public void enter(RunState next) throws MigrationException {
                        throw MigrationException.host("no processor is free");
                    }
                };
        Migration load = engine.receive(target, "tcp:127.0.0.1:0", back);
        TestMachine source = TestMachine.live();
        Migration save = engine.send(source, load.address().toString(), back);
        assertThatExceptionOfType(MigrationException.class)
                .isThrownBy(save::await)
                .withMessageContaining("the destination failed to load");
        assertThatExceptionOfType(MigrationException.class)
                .isThrownBy(load::await)
                .withMessageContaining("no processor is free");
        assertThat(source.state).isEqualTo(RunState.RUNNING);
    }

    @Test
    @Tag("RPT-4")
    void aLostLinkBeforeTheDestinationsWordLeavesTheOutcomeOpen() throws Exception {
        Path path = folder.resolve("peer");
        try (RawDestination peer = new RawDestination(path, RawDestination.POLITE)) {
            TestMachine source = TestMachine.live();
            Settings back = Settings.NONE.capability("return-path").parameter("max-bandwidth", "0");
            Migration save = engine.send(source, "unix:" + path, back);
            peer.awaitEverything();
            assertThat(save.cancel()).as("too late to cancel").isFalse();
            peer.hangUp();
            assertThatExceptionOfType(MigrationException.class)
                    .isThrownBy(save::await)
                    .withMessageContaining("resume it only if it does not run there");
            assertThat(source.state).isEqualTo(RunState.POSTMIGRATE);
        }
    }

    @Test
    @Tag("RPT-4")
    @Tag("OWN-3")
    void aLinkLostWithinTheEndLeavesTheOutcomeOpenWithoutAReturnPathToo() throws Exception {
        Channel cut = mock(Channel.class);
        when(cut.write(any(ByteBuffer.class)))
                .thenAnswer(
                        call -> {
                            ByteBuffer bytes = call.getArgument(0);
                            byte[] sent = new byte[bytes.remaining()];
                            bytes.get(sent);
                            if (new String(sent, ISO_8859_1).contains("\"devices\"")) {
                                throw new IOException("reset by peer");
                            }
                            return sent.length;
                        });
        NamedChannels links = new NamedChannels();
        links.register("cut", cut);
        Engine engine = new Engine(Plugins.discover().plus(new FdTransport(links)));
        TestMachine source = TestMachine.live();
        Migration save =
                engine.send(source, "fd:cut", Settings.NONE.parameter("max-bandwidth", "0"));
        assertThatExceptionOfType(MigrationException.class)
                .isThrownBy(save::await)
                .withMessageContaining("resume it only if it does not run there");
        assertThat(save.owner()).isEqualTo(GuestOwner.UNKNOWN);
        assertThat(source.state).isEqualTo(RunState.POSTMIGRATE);
    }

    /** The peer takes the connection and says nothing; the set-up fails beneath the open path. */
    @Test
    @Timeout(60)
    void aSetUpThatFailsBehindTheOpenPathEndsItsReader() throws Exception {
        TestMachine source =
                new TestMachine(RunState.RUNNING, TestMachine.heap(64, 3)) {
                    @Override
                    public String type() {
                        throw new IllegalStateException("on purpose");
                    }
                };
        Path path = folder.resolve("peer");
        try (ServerSocketChannel server =
                ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                        .bind(UnixDomainSocketAddress.of(path))) {
            Settings back = Settings.NONE.capability("return-path");
            Migration save = engine.send(source, "unix:" + path, back);
            assertThatExceptionOfType(MigrationException.class)
                    .isThrownBy(save::await)
                    .withMessageContaining("on purpose");
            assertThat(server.isOpen()).isTrue();
        }
        assertThat(source.state).isEqualTo(RunState.RUNNING);
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(thread -> thread.getName().endsWith("-return-path"));
    }
}
