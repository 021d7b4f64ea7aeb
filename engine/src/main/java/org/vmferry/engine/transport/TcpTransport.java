package org.vmferry.engine.transport;

import org.slf4j.Logger;
import org.vmferry.spi.Feature;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.Opener;

import java.io.IOException;
import java.net.BindException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.UnsupportedAddressTypeException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * TCP: {@code tcp:host:port}, an IPv6 address in brackets. Listening, a host that is empty or 0
 * means any of this machine's addresses, a name all addresses that it has, and port 0 a free one;
 * connecting, an empty host is this machine. Of QEMU's options {@code to}, {@code ipv4}, {@code
 * ipv6} and {@code keep-alive=on} are obeyed, others refused by name.
 */
@Status(Status.Level.INTERNAL)
public final class TcpTransport implements ChannelTransport {
    private static final Logger LOG = Log.of(TcpTransport.class);

    /** A port that was free at the first of several addresses may not be at the next. */
    private static final int FREE_TRIES = 16;

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
    public Opener opener(Address address, Options options) throws MigrationException {
        TcpPlace place = TcpPlace.parse(address, TcpPlace::addresses);
        if (place.port() == 0) {
            throw MigrationException.user("'%s': nobody can listen on port 0", address);
        }
        if (place.to() != place.port()) {
            throw MigrationException.user("'%s': 'to' is for who listens", address);
        }
        return new SocketOpener(
                address, place::resolve, options.get(SocketOptions.CONNECT_TIMEOUT));
    }

    @Override
    public Acceptor acceptor(Address address, Options options) throws IOException {
        return listening(address, TcpPlace::addresses);
    }

    static Acceptor listening(Address address, TcpPlace.Names names) throws IOException {
        TcpPlace place = TcpPlace.parse(address, names);
        List<InetAddress> here = place.here();
        int tries = place.port() == 0 ? FREE_TRIES : place.to() - place.port() + 1;
        for (int i = 0; ; i++) {
            try {
                int port = place.port() == 0 ? 0 : place.port() + i;
                List<ServerSocketChannel> servers = listen(place, here, port);
                var first = (InetSocketAddress) servers.getFirst().getLocalAddress();
                Address bound = new Address("tcp", text(first));
                return new SocketAcceptor(bound, servers, place::takes, () -> {});
            } catch (BindException e) {
                if (i + 1 < tries) continue; // another port may be free
                throw refused(address, e);
            } catch (MigrationException e) {
                throw e;
            } catch (IOException | UnsupportedAddressTypeException e) {
                throw refused(address, e);
            }
        }
    }

    private static MigrationException refused(Address address, Exception e) {
        String why = e.getMessage() == null ? "this machine has no such addresses" : e.getMessage();
        return Trouble.transport("can't listen on " + address + ": " + why, e);
    }

    /**
     * On all of a place's addresses, at one port. One that this machine doesn't have, such as ::1
     * where there is no IPv6, is left out if there are others.
     *
     * @param port 0 for one that is free at the first of them
     * @throws BindException if the port can't be had at one of them
     */
    private static List<ServerSocketChannel> listen(
            TcpPlace place, List<InetAddress> here, int port) throws IOException {
        List<ServerSocketChannel> servers = new ArrayList<>();
        Exception last = new IOException("there is no address to listen on");
        try {
            for (InetAddress one : here) {
                ServerSocketChannel server = place.open(one);
                servers.add(server);
                try {
                    server.bind(new InetSocketAddress(one, port), SocketAcceptor.BACKLOG);
                    port = ((InetSocketAddress) server.getLocalAddress()).getPort();
                } catch (IOException | UnsupportedAddressTypeException e) {
                    if (e instanceof IOException io && has(place, one)) throw io;
                    servers.removeLast().close();
                    last = e;
                    LOG.info("{}: {} is left out: {}", place.address(), one, e.toString());
                }
            }
            if (servers.isEmpty()) throw new IOException(last.getMessage(), last);
            return servers;
        } catch (IOException | RuntimeException | Error e) {
            for (ServerSocketChannel server : servers) server.close();
            throw e;
        }
    }

    /** Whether an address is this machine's: then it was the port that could not be had. */
    private static boolean has(TcpPlace place, InetAddress one) throws IOException {
        try (ServerSocketChannel server = place.open(one)) {
            server.bind(new InetSocketAddress(one, 0));
            return true;
        } catch (BindException | UnsupportedAddressTypeException e) {
            return false;
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
        TcpPlace place = TcpPlace.parse(address, TcpPlace::addresses);
        return place.host().isEmpty() ? "localhost" : place.host();
    }

    static String text(InetSocketAddress address) {
        InetAddress host = address.getAddress();
        // The wildcard, as every source on this machine understands it.
        if (host.isAnyLocalAddress()) return "0.0.0.0:" + address.getPort();
        return host instanceof Inet6Address
                ? "[" + host.getHostAddress() + "]:" + address.getPort()
                : host.getHostAddress() + ":" + address.getPort();
    }
}
