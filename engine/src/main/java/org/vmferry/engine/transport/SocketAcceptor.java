package org.vmferry.engine.transport;

import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.OpenChannels;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** Listens. */
final class SocketAcceptor implements Acceptor {
    // All channels of a migration may knock at once, and main besides.
    static final int BACKLOG = 256;

    private final Address address;
    private final List<ServerSocketChannel> servers;
    private final Predicate<InetAddress> takes;
    private final Runnable whenClosed;
    private final OpenChannels channels;
    private final Selector selector;
    private int turn; // whose it is to be asked first: no full queue keeps the others waiting

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
        this.address = address;
        this.takes = takes;
        this.servers = List.copyOf(servers);
        this.whenClosed = whenClosed;
        channels = new OpenChannels("listening on " + address);
        for (ServerSocketChannel server : servers) channels.add(server);
        try {
            selector = channels.add(Selector.open());
            for (ServerSocketChannel server : servers) {
                server.configureBlocking(false);
                server.register(selector, SelectionKey.OP_ACCEPT);
            }
        } catch (IOException | RuntimeException | Error e) {
            channels.release();
            throw e;
        }
    }

    @Override
    public Address address() {
        return address;
    }

    @Override
    public Channel accept() throws IOException {
        while (true) {
            Optional<Channel> next = acceptNow();
            if (next.isPresent()) return next.get();
            try {
                selector.select();
                selector.selectedKeys().clear();
            } catch (IOException | ClosedSelectorException e) {
                throw failed(e);
            }
        }
    }

    @Override
    public Optional<Channel> acceptNow() throws IOException {
        channels.check();
        while (true) {
            SocketChannel socket = next();
            if (socket == null) return Optional.empty();
            try {
                SocketAddress from = socket.getRemoteAddress();
                if (from instanceof InetSocketAddress inet && !takes.test(inet.getAddress())) {
                    socket.close();
                    continue;
                }
                String peer =
                        from instanceof InetSocketAddress inet
                                ? TcpTransport.text(inet)
                                : address.toString();
                return Optional.of(channels.add(new SocketStream(socket, peer, channels::remove)));
            } catch (IOException | RuntimeException | Error e) {
                socket.close();
                throw e;
            }
        }
    }

    private SocketChannel next() throws IOException {
        try {
            SocketChannel socket = null;
            for (int i = 0; i < servers.size() && socket == null; i++) {
                socket = servers.get(turn).accept();
                turn = (turn + 1) % servers.size();
            }
            return socket;
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private IOException failed(Exception e) throws IOException {
        channels.check();
        return Trouble.transport("listening on " + address + ": " + e.getMessage(), e);
    }

    @Override
    public void release() {
        channels.release();
    }

    @Override
    public void close() {
        channels.release();
        whenClosed.run();
    }
}
