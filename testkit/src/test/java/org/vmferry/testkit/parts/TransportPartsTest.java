package org.vmferry.testkit.parts;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.transport.ExecTransport;
import org.vmferry.engine.transport.FdTransport;
import org.vmferry.engine.transport.LocalFileTransport;
import org.vmferry.engine.transport.NamedChannels;
import org.vmferry.engine.transport.TcpTransport;
import org.vmferry.engine.transport.UnixTransport;
import org.vmferry.spi.Feature;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.FileTransport;
import org.vmferry.testkit.conformance.ChannelTransportConformance;
import org.vmferry.testkit.conformance.FileTransportConformance;
import org.vmferry.testkit.fault.Fault;
import org.vmferry.testkit.fault.Faults;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** Every transport that comes with vmferry, tried like a third party's. */
class TransportPartsTest {
    @Nested
    class Tcp extends ChannelTransportConformance {
        @Override
        protected ChannelTransport provider() {
            return new TcpTransport();
        }

        @Override
        protected Address destination() {
            return new Address("tcp", "127.0.0.1:0");
        }

        @Override
        protected Optional<Address> nonsense() {
            return Optional.of(new Address("tcp", "127.0.0.1:many"));
        }
    }

    /** With what spi gives authors, and a channel of the JDK's. */
    @Nested
    class Loop extends ChannelTransportConformance {
        @Override
        protected ChannelTransport provider() {
            return new LoopTransport();
        }

        @Override
        protected Address destination() {
            return new Address("loop", "0");
        }

        @Override
        protected Optional<Address> nonsense() {
            return Optional.of(new Address("loop", "many"));
        }
    }

    @Nested
    class Unix extends ChannelTransportConformance {
        @TempDir Path folder;
        private int count;

        @Override
        protected ChannelTransport provider() {
            return new UnixTransport();
        }

        @Override
        protected Address destination() {
            return new Address("unix", folder.resolve("socket-" + count++).toString());
        }
    }

    @Nested
    class File extends FileTransportConformance {
        @TempDir Path folder;
        private int count;

        @Override
        protected FileTransport provider() {
            return new LocalFileTransport();
        }

        @Override
        protected Address destination() {
            return new Address("file", folder.resolve("file-" + count++).toString());
        }

        @Override
        protected Optional<Address> nonsense() {
            return Optional.of(new Address("file", folder + "/x,offset=many"));
        }
    }

    /** Two commands with a named pipe between them. */
    @Nested
    class Exec extends ChannelTransportConformance {
        @TempDir Path folder;
        private int count;

        @Override
        protected ChannelTransport provider() {
            return new ExecTransport();
        }

        @Override
        protected Address destination() throws Exception {
            Path pipe = folder.resolve("pipe-" + count++);
            Process made = new ProcessBuilder("mkfifo", pipe.toString()).start();
            assertThat(made.waitFor(20, TimeUnit.SECONDS)).isTrue();
            return new Address("exec", "cat " + pipe);
        }

        @Override
        protected Address source(Address destination) {
            return new Address("exec", destination.target().replace("cat ", "cat >"));
        }

        /** A command begins before anything is known of a peer. */
        @Override
        protected Optional<Address> unreachable() {
            return Optional.empty();
        }
    }

    @Nested
    class Fd extends ChannelTransportConformance {
        private final NamedChannels names = new NamedChannels();
        private int count;

        @AfterEach
        void close() throws Exception {
            for (int i = 0; i < count; i++) {
                for (String side : new String[] {"to-", "from-"}) {
                    var left = names.unregister(side + i);
                    if (left.isPresent()) left.get().close();
                }
            }
        }

        @Override
        protected ChannelTransport provider() {
            return new FdTransport(names, Set.of(Feature.RETURN_PATH));
        }

        @Override
        protected Address destination() throws Exception {
            try (ServerSocketChannel server = ServerSocketChannel.open()) {
                server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                SocketChannel from = SocketChannel.open(server.getLocalAddress());
                names.register("from-" + count, from);
                names.register("to-" + count, server.accept());
            }
            return new Address("fd", "to-" + count++);
        }

        @Override
        protected Address source(Address destination) {
            return new Address("fd", destination.target().replace("to-", "from-"));
        }

        @Override
        protected Optional<Address> unreachable() {
            return Optional.of(new Address("fd", "nobody"));
        }
    }

    /** A slow link that takes a few bytes at a time is a transport like any other. */
    @Nested
    class Slow extends Tcp {
        @Override
        protected ChannelTransport provider() {
            Faults slow =
                    new Faults(
                            Fault.split(40_001),
                            Fault.split(30_001).whenReading(),
                            Fault.delay(Duration.ofNanos(1000)));
            return slow.over(super.provider());
        }
    }
}
