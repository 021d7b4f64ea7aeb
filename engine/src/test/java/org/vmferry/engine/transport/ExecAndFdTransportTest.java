package org.vmferry.engine.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.system.Descriptors;
import org.vmferry.spi.Feature;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.Opener;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

class ExecAndFdTransportTest {
    @TempDir Path directory;
    private final ExecTransport exec = new ExecTransport();
    private List<String> before;

    @BeforeEach
    void count() throws IOException {
        before = Descriptors.open("pipe:");
    }

    @AfterEach
    void nothingStays() throws IOException {
        List<String> after = Descriptors.open("pipe:");
        after.removeAll(before);
        assertThat(after).isEmpty();
        assertThat(Descriptors.open("vmferry-exec")).isEmpty();
        assertThat(ProcessHandle.current().children().filter(ProcessHandle::isAlive)).isEmpty();
    }

    private static void write(Channel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) channel.write(bytes);
    }

    @Test
    void aSourceFeedsACommand() throws IOException {
        Path file = directory.resolve("out");
        byte[] bytes = new byte[1_000_000];
        for (int i = 0; i < bytes.length; i++) bytes[i] = (byte) (i * 31 >> 3);
        try (Opener out =
                exec.opener(Address.parse("exec:echo noise; cat > " + file), Options.DEFAULTS)) {
            Channel channel = out.open();
            write(channel, ByteBuffer.wrap(bytes));
            out.complete();
            assertThat(file).hasBinaryContent(bytes);
        }
    }

    @Test
    void aSourceHearsOfFailureAndWhy() throws IOException {
        try (Opener out =
                exec.opener(
                        Address.parse("exec:cat >/dev/null; echo disk is full >&2; exit 3"),
                        Options.DEFAULTS)) {
            write(out.open(), ByteBuffer.wrap(new byte[10]));
            assertThatThrownBy(out::complete)
                    .hasMessageContaining("ended with code 3: disk is full");
        }
        try (Opener out =
                exec.opener(
                        Address.parse("exec:echo no such tool >&2; exit 4"), Options.DEFAULTS)) {
            Channel channel = out.open();
            assertThatThrownBy(
                            () -> {
                                while (true) write(channel, ByteBuffer.allocate(1 << 16));
                            })
                    .hasMessageContaining("ended with code 4: no such tool");
        }
    }

    @Test
    void aCommandNeverTakesAPartForTheWhole() throws IOException {
        Path done = directory.resolve("done");
        try (Opener out =
                exec.opener(
                        Address.parse("exec:cat >/dev/null; touch " + done), Options.DEFAULTS)) {
            try (Channel channel = out.open()) {
                write(channel, ByteBuffer.wrap(new byte[10]));
            }
        }
        assertThat(done).doesNotExist();
    }

    @Test
    void aDestinationReadsACommand() throws IOException {
        try (Acceptor in = exec.acceptor(Address.parse("exec:printf stream"), Options.DEFAULTS)) {
            Channel channel = in.accept();
            ByteBuffer bytes = ByteBuffer.allocate(20);
            while (channel.read(bytes) > 0) {}
            assertThat(new String(bytes.array(), 0, bytes.position())).isEqualTo("stream");
        }
        try (Acceptor in =
                exec.acceptor(
                        Address.parse("exec:printf part; echo corrupt >&2; exit 1"),
                        Options.DEFAULTS)) {
            Channel channel = in.accept();
            ByteBuffer bytes = ByteBuffer.allocate(20);
            assertThatThrownBy(
                            () -> {
                                while (channel.read(bytes) > 0) {}
                            })
                    .hasMessageContaining("ended with code 1: corrupt");
        }
    }

    /** Its watchdog may hear of the end before it hears of the command. */
    @Test
    void releaseEndsACommandThatJustBegins() throws Exception {
        for (int i = 0; i < 100; i++) {
            try (Acceptor in =
                    exec.acceptor(Address.parse("exec:sleep 1000; true"), Options.DEFAULTS)) {
                Channel channel = in.accept();
                Hanging read = Hanging.in(() -> channel.read(ByteBuffer.allocate(1)));
                in.release();
                assertThat(read.letGo()).hasMessageContaining("given up");
            }
        }
    }

    @Test
    void releaseLetsGoOfAHangingCommandAndItsChildren() throws Exception {
        try (Acceptor in =
                exec.acceptor(Address.parse("exec:sleep 1000 | cat; true"), Options.DEFAULTS)) {
            Channel channel = in.accept();
            Hanging read = Hanging.in(() -> channel.read(ByteBuffer.allocate(1)));
            in.release();
            assertThat(read.letGo()).hasMessageContaining("given up");
        }
        try (Opener out = exec.opener(Address.parse("exec:sleep 1000; true"), Options.DEFAULTS)) {
            Channel channel = out.open();
            Hanging write =
                    Hanging.in(
                            () -> {
                                write(channel, ByteBuffer.allocate(1 << 20));
                                return null;
                            });
            out.release();
            assertThat(write.letGo()).hasMessageContaining("given up");
            assertThatThrownBy(out::complete).hasMessageContaining("given up");
        }
    }

    /** The system may have killed it, for want of memory. */
    @Test
    void releaseLetsGoWithoutAWatchdogToo() throws Exception {
        try (Acceptor in =
                exec.acceptor(
                        Address.parse("exec:echo; sleep 1000 | cat; true"), Options.DEFAULTS)) {
            Channel channel = in.accept();
            channel.read(ByteBuffer.allocate(1)); // it has begun: the watchdog knows of it
            List<ProcessHandle> shells =
                    ProcessHandle.current().children().filter(each -> isWatchdog(each)).toList();
            assertThat(shells).hasSize(1);
            shells.getFirst().destroyForcibly();
            shells.getFirst().onExit().get(20, TimeUnit.SECONDS);
            Hanging read = Hanging.in(() -> channel.read(ByteBuffer.allocate(1)));
            in.release();
            assertThat(read.letGo()).hasMessageContaining("given up");
        }
    }

    private static boolean isWatchdog(ProcessHandle process) {
        return process.info().arguments().filter(all -> all[1].startsWith("trap ")).isPresent();
    }

    @Test
    void claimsNothing() {
        assertThat(exec.features()).isEmpty();
        assertThat(new FdTransport(new NamedChannels()).features()).isEmpty();
        assertThatThrownBy(
                        () -> new FdTransport(new NamedChannels(), Set.of(Feature.MANY_CHANNELS)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void takesChannelsThatTheHostRegistered() throws IOException {
        NamedChannels names = new NamedChannels();
        FdTransport fd = new FdTransport(names);
        Path path = directory.resolve("s");
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(path));
            names.register("to", SocketChannel.open(UnixDomainSocketAddress.of(path)));
            names.register("from", server.accept());
        }
        assertThatThrownBy(() -> fd.opener(Address.parse("fd:x"), Options.DEFAULTS).open())
                .hasMessageContaining("'fd:x'")
                .hasMessageContaining("from, to");
        Channel taken;
        try (Opener out = fd.opener(Address.parse("fd:to"), Options.DEFAULTS);
                Acceptor in = fd.acceptor(Address.parse("fd:from"), Options.DEFAULTS)) {
            taken = out.open();
            write(taken, ByteBuffer.wrap(new byte[] {42}));
            ByteBuffer one = ByteBuffer.allocate(1);
            in.accept().read(one);
            assertThat(one.get(0)).isEqualTo((byte) 42);
            assertThatThrownBy(out::open).hasMessageContaining("no channel of that name");
        }
        assertThat(taken.isOpen()).isFalse();
        assertThat(names.unregister("to")).isEmpty();
    }
}
