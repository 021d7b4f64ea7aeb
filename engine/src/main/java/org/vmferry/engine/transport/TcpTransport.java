package org.vmferry.engine.transport;

import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.TransportProvider;

import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.ServerSocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * TCP: {@code tcp:host:port}, an IPv6 address in brackets. Listening, a host that is empty or 0
 * means any of this machine's addresses, and port 0 a free one; connecting, an empty host is this
 * machine.
 */
public final class TcpTransport implements TransportProvider {
    /** One of the engine's own, that {@code Plugins} makes. */
    public TcpTransport() {}

    @Override
    public String id() {
        return "tcp";
    }

    @Override
    public List<Option<?>> options() {
        return List.of(SocketOptions.CONNECT_TIMEOUT);
    }

    @Override
    public Set<Feature> features() {
        return Set.of(Feature.MANY_CHANNELS, Feature.RETURN_PATH, Feature.TLS);
    }

    @Override
    public Outgoing outgoing(Address address, Options options) throws MigrationException {
        Place place = Place.parse(address);
        if (place.port == 0) {
            throw MigrationException.user("'%s': nobody can listen on port 0", address);
        }
        return new SocketOutgoing(
                address, place::resolve, options.get(SocketOptions.CONNECT_TIMEOUT));
    }

    @Override
    public Incoming incoming(Address address, Options options) throws IOException {
        Place place = Place.parse(address);
        List<InetSocketAddress> all =
                place.any() ? List.of(new InetSocketAddress(place.port)) : place.resolve();
        ServerSocketChannel server = ServerSocketChannel.open();
        try {
            server.bind(all.getFirst(), SocketIncoming.BACKLOG);
            Address bound = new Address("tcp", text((InetSocketAddress) server.getLocalAddress()));
            return new SocketIncoming(bound, server, () -> {});
        } catch (RuntimeException | Error e) {
            server.close();
            throw e;
        } catch (IOException e) {
            server.close();
            throw Trouble.transport("can't listen on " + address + ": " + e.getMessage(), e);
        }
    }

    /**
     * The host in an address: what its certificate must be for.
     *
     * @param address of this scheme
     * @return without brackets
     * @throws MigrationException if the address makes no sense
     */
    public static String host(Address address) throws MigrationException {
        Place place = Place.parse(address);
        return place.host.isEmpty() ? "localhost" : place.host;
    }

    static String text(InetSocketAddress address) {
        InetAddress host = address.getAddress();
        // The wildcard, as every source on this machine understands it.
        if (host.isAnyLocalAddress()) return "0.0.0.0:" + address.getPort();
        return host instanceof Inet6Address
                ? "[" + host.getHostAddress() + "]:" + address.getPort()
                : host.getHostAddress() + ":" + address.getPort();
    }

    private record Place(Address address, String host, int port) {
        static Place parse(Address address) throws MigrationException {
            String text = address.target();
            int colon = text.lastIndexOf(':');
            String host = colon < 0 ? text : text.substring(0, colon);
            boolean bracketed = host.startsWith("[") && host.endsWith("]");
            if (bracketed) host = host.substring(1, host.length() - 1);
            if (colon < 0 || host.indexOf(':') >= 0 != bracketed) {
                throw MigrationException.user(
                        "'%s' is no TCP address: it is tcp:host:port, an IPv6 address in brackets",
                        address);
            }
            try {
                int port = Integer.parseInt(text.substring(colon + 1));
                if (port >= 0 && port <= 65535) return new Place(address, host, port);
            } catch (NumberFormatException e) {
                // Said below, with what is allowed.
            }
            throw MigrationException.user(
                    "'%s': port '%s' is none: it is a number from 0 to 65535",
                    address, text.substring(colon + 1));
        }

        boolean any() {
            return host.isEmpty() || host.equals("0");
        }

        List<InetSocketAddress> resolve() throws MigrationException {
            List<InetSocketAddress> places = new ArrayList<>();
            try {
                InetAddress[] hosts =
                        any()
                                ? new InetAddress[] {InetAddress.getLoopbackAddress()}
                                : InetAddress.getAllByName(host);
                for (InetAddress one : hosts) places.add(new InetSocketAddress(one, port));
                return places;
            } catch (UnknownHostException e) {
                throw Trouble.user("'" + address + "': there is no host '" + host + "'", e);
            }
        }
    }
}
