package org.vmferry.spi.transport;

import org.jspecify.annotations.Nullable;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * A destination's end over sockets that listen. It takes what comes to any of them, and a release
 * wakes up who waits. One thread accepts at a time; {@link #acceptNow} may be called beside it.
 */
@Status(Status.Level.EXPERIMENTAL)
public class ListeningEnd extends ChannelEnd implements Acceptor {
    private final List<ServerSocketChannel> servers;
    private final Selector selector;
    private int turn; // whose it is to be asked first: no full queue keeps the others waiting

    /**
     * Over sockets that are bound.
     *
     * @param address where they listen, for a source to use
     * @param servers owned by this end from now on, also if this throws
     * @throws IOException if the system has no descriptors left
     */
    public ListeningEnd(Address address, List<ServerSocketChannel> servers) throws IOException {
        super(address);
        this.servers = List.copyOf(Objects.requireNonNull(servers, "servers"));
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

    /**
     * The channel of a connection that has come.
     *
     * @param socket connected and blocking; closed if this throws or gives nothing
     * @param from its other end's address
     * @return by default one over the socket, of no origin; empty to turn it away
     * @throws IOException if there will be no connection any more
     */
    protected Optional<Channel> channel(SocketChannel socket, SocketAddress from)
            throws IOException {
        return Optional.of(new JdkChannel(socket, socket, from.toString()));
    }

    @Override
    public final Channel accept() throws IOException {
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
    public final Optional<Channel> acceptNow() throws IOException {
        channels.check();
        SocketChannel socket;
        while ((socket = next()) != null) {
            Optional<Channel> channel = Optional.empty();
            try {
                channel = channel(socket, socket.getRemoteAddress());
                if (channel.isPresent()) return Optional.of(channels.add(channel.get()));
            } finally {
                if (channel.isEmpty()) socket.close();
            }
        }
        return Optional.empty();
    }

    private @Nullable SocketChannel next() throws IOException {
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
        return new MigrationException(
                Blame.TRANSPORT, "listening on " + address() + ": " + e.getMessage(), e);
    }
}
