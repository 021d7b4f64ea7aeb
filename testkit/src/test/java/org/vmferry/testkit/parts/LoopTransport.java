package org.vmferry.testkit.parts;

import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ChannelEnd;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.JdkChannel;
import org.vmferry.spi.transport.ListeningEnd;
import org.vmferry.spi.transport.Opener;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.Set;

/** Within one computer: {@code loop:PORT}, 0 for a port that is free. */
public final class LoopTransport implements ChannelTransport {
    @Override
    public String id() {
        return "loop";
    }

    @Override
    public Set<Feature> features() {
        return Set.of(Feature.MANY_CHANNELS, Feature.RETURN_PATH, Feature.TLS);
    }

    @Override
    public Opener opener(Address address, Options options) throws MigrationException {
        return new Source(address, place(address));
    }

    @Override
    public Acceptor acceptor(Address address, Options options) throws IOException {
        InetSocketAddress place = place(address);
        ServerSocketChannel server = ServerSocketChannel.open();
        try {
            server.bind(place);
            int port = ((InetSocketAddress) server.getLocalAddress()).getPort();
            return new ListeningEnd(new Address("loop", "" + port), List.of(server));
        } catch (IOException | RuntimeException e) {
            server.close();
            throw e;
        }
    }

    private static InetSocketAddress place(Address address) throws MigrationException {
        try {
            int port = Integer.parseInt(address.target());
            return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        } catch (IllegalArgumentException e) {
            throw MigrationException.user("'%s': takes a port, or 0", address);
        }
    }

    private static final class Source extends ChannelEnd implements Opener {
        private final InetSocketAddress place;

        Source(Address address, InetSocketAddress place) {
            super(address);
            this.place = place;
        }

        @Override
        public Channel open() throws IOException {
            // Added before it connects: a release lets go who waits for that.
            SocketChannel socket = channels().add(SocketChannel.open());
            try {
                socket.connect(place);
                return new JdkChannel(socket, socket, address().toString());
            } catch (IOException | RuntimeException e) {
                socket.close();
                throw e;
            }
        }
    }
}
