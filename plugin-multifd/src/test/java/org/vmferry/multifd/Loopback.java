package org.vmferry.multifd;

import org.vmferry.spi.carrier.PageCarrier.Channels;
import org.vmferry.spi.carrier.PageCarrier.Receiver;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.JdkChannel;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/** Real sockets between two sessions. */
final class Loopback implements AutoCloseable {
    private final ServerSocketChannel server = ServerSocketChannel.open();

    Loopback() throws IOException {
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 300);
    }

    /** A sender's channels, which the session lets go. */
    Channels of(TestSession session) {
        session.onFail.add(this::close);
        return () -> keep(connect(), session);
    }

    /** Hands a receiver whatever comes, until it is closed. */
    void serve(Receiver receiver, TestSession session) {
        session.onFail.add(this::close);
        Thread.ofPlatform()
                .daemon()
                .start(
                        () -> {
                            try {
                                while (true) greet(receiver, keep(server.accept(), session));
                            } catch (IOException e) {
                                // It is closed.
                            }
                        });
    }

    /** As the engine does it: one that does not belong is closed. */
    static Thread greet(Receiver receiver, Channel channel) {
        return Thread.ofPlatform()
                .daemon()
                .start(
                        () -> {
                            boolean belongs = false;
                            try {
                                ByteBuffer magic = ByteBuffer.allocate(4);
                                while (magic.hasRemaining() && channel.read(magic) >= 0) {}
                                belongs =
                                        magic.flip().remaining() == 4
                                                && magic.getInt() == Hello.MAGIC
                                                && receiver.arrived(channel);
                            } catch (IOException e) {
                                // It does not.
                            }
                            if (!belongs) channel.release();
                        });
    }

    private static Channel keep(SocketChannel socket, TestSession session) throws IOException {
        socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
        Channel channel = new JdkChannel(socket, socket, "loopback");
        session.channels.add(channel);
        if (session.failure() != null) channel.release();
        return channel;
    }

    SocketChannel connect() throws IOException {
        return SocketChannel.open(server.getLocalAddress());
    }

    SocketChannel accept() throws IOException {
        return server.accept();
    }

    @Override
    public void close() {
        try {
            server.close();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
