package org.vmferry.engine.transport;

import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ListeningEnd;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** Listens. */
final class SocketAcceptor extends ListeningEnd {
    // All channels of a migration may knock at once, and main besides.
    static final int BACKLOG = 256;

    private final Predicate<InetAddress> takes;
    private final Runnable whenClosed;

    /**
     * Takes over listening sockets.
     *
     * @param takes whether a peer of this IP address may come
     * @param whenClosed removes what it leaves behind
     */
    SocketAcceptor(
            Address address,
            List<ServerSocketChannel> servers,
            Predicate<InetAddress> takes,
            Runnable whenClosed)
            throws IOException {
        super(address, servers);
        this.takes = takes;
        this.whenClosed = whenClosed;
    }

    @Override
    protected Optional<Channel> channel(SocketChannel socket, SocketAddress from)
            throws IOException {
        if (!(from instanceof InetSocketAddress inet)) {
            return Optional.of(new SocketStream(socket, address().toString()));
        }
        if (!takes.test(inet.getAddress())) return Optional.empty();
        return Optional.of(new SocketStream(socket, TcpTransport.text(inet)));
    }

    @Override
    public void close() {
        super.close();
        whenClosed.run();
    }
}
