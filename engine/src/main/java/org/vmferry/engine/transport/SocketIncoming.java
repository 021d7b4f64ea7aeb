package org.vmferry.engine.transport;

import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.TransportProvider.Incoming;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.Optional;

/** Listens. */
final class SocketIncoming implements Incoming {
    // All channels of a migration may knock at once, and main besides.
    static final int BACKLOG = 256;

    private final Address address;
    private final List<ServerSocketChannel> servers;
    private final Runnable whenClosed;
    private final OpenChannels channels;
    private final Selector selector;

    /**
     * Takes over listening sockets.
     *
     * @param whenClosed removes what it leaves behind
     */
    SocketIncoming(Address address, List<ServerSocketChannel> servers, Runnable whenClosed)
            throws IOException {
        this.address = address;
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
        SocketChannel socket = null;
        try {
            for (ServerSocketChannel server : servers) {
                if ((socket = server.accept()) != null) break;
            }
        } catch (IOException e) {
            throw failed(e);
        }
        if (socket == null) return Optional.empty();
        try {
            String peer =
                    socket.getRemoteAddress() instanceof InetSocketAddress inet
                            ? TcpTransport.text(inet)
                            : address.toString();
            return Optional.of(channels.add(new SocketStream(socket, peer, channels::remove)));
        } catch (IOException | RuntimeException | Error e) {
            socket.close();
            throw e;
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
