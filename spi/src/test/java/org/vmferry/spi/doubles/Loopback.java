package org.vmferry.spi.doubles;

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
public final class Loopback implements AutoCloseable {
    private final ServerSocketChannel server = ServerSocketChannel.open();

    public Loopback() throws IOException {
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 300);
    }

    /** A sender's channels, which the session lets go. */
    public Channels of(TestSession session) {
        session.onFail.add(this::close);
        return () -> keep(connect(), session);
    }

    /** Hands a receiver whatever comes, until it is closed. */
    public void serve(int magic, Receiver receiver, TestSession session) {
        session.onFail.add(this::close);
        Thread.ofPlatform()
                .daemon()
                .start(
                        () -> {
                            try {
                                while (true) greet(magic, receiver, keep(server.accept(), session));
                            } catch (IOException e) {
                                // It is closed.
                            }
                        });
    }

    /** As the engine does it: one that does not belong is closed. */
    public static Thread greet(int magic, Receiver receiver, Channel channel) {
        return Thread.ofPlatform()
                .daemon()
                .start(
                        () -> {
                            boolean belongs = false;
                            try {
                                ByteBuffer said = ByteBuffer.allocate(4);
                                while (said.hasRemaining() && channel.read(said) >= 0) {}
                                belongs =
                                        said.flip().remaining() == 4
                                                && said.getInt() == magic
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

    public SocketChannel connect() throws IOException {
        return SocketChannel.open(server.getLocalAddress());
    }

    public SocketChannel accept() throws IOException {
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
