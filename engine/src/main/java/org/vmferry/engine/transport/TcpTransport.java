package org.vmferry.engine.transport;

import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.TransportProvider;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.StandardProtocolFamily;
import java.net.UnknownHostException;
import java.nio.channels.ServerSocketChannel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * TCP: {@code tcp:host:port}, an IPv6 address in brackets. Listening, a host that is empty or 0
 * means any of this machine's addresses, a name all addresses that it has, and port 0 a free one;
 * connecting, an empty host is this machine. Of QEMU's options {@code to}, {@code ipv4}, {@code
 * ipv6} and {@code keep-alive=on} are obeyed, others refused by name.
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
        Place place = Place.parse(address, TcpTransport::addresses);
        if (place.port == 0) {
            throw MigrationException.user("'%s': nobody can listen on port 0", address);
        }
        if (place.to != place.port) {
            throw MigrationException.user("'%s': 'to' is for who listens", address);
        }
        return new SocketOutgoing(
                address, place::resolve, options.get(SocketOptions.CONNECT_TIMEOUT));
    }

    @Override
    public Incoming incoming(Address address, Options options) throws IOException {
        return listening(address, TcpTransport::addresses);
    }

    /** Finds a name's addresses. */
    interface Names {
        List<InetAddress> of(String name) throws UnknownHostException;
    }

    private static List<InetAddress> addresses(String name) throws UnknownHostException {
        return List.of(InetAddress.getAllByName(name));
    }

    static Incoming listening(Address address, Names names) throws IOException {
        Place place = Place.parse(address, names);
        IOException taken = null;
        for (int port = place.port; port <= place.to; port++) {
            try {
                List<ServerSocketChannel> servers = listen(place, port);
                var first = (InetSocketAddress) servers.getFirst().getLocalAddress();
                return new SocketIncoming(new Address("tcp", text(first)), servers, () -> {});
            } catch (MigrationException e) {
                throw e;
            } catch (IOException e) {
                taken = e;
            }
        }
        throw Trouble.transport("can't listen on " + address + ": " + taken.getMessage(), taken);
    }

    /**
     * On all of a place's addresses, at one port. One that this machine doesn't have, such as ::1
     * where there is no IPv6, is left out if there are others.
     */
    private static List<ServerSocketChannel> listen(Place at, int port) throws IOException {
        List<ServerSocketChannel> servers = new ArrayList<>();
        IOException last = null;
        try {
            for (InetSocketAddress place : at.here(port)) {
                ServerSocketChannel server = at.open(place);
                try {
                    server.bind(
                            new InetSocketAddress(place.getAddress(), port),
                            SocketIncoming.BACKLOG);
                } catch (IOException e) {
                    server.close();
                    if (String.valueOf(e.getMessage()).contains("in use")) throw e;
                    last = e;
                    continue;
                }
                servers.add(server);
                port = ((InetSocketAddress) server.getLocalAddress()).getPort();
            }
            if (servers.isEmpty()) throw last;
            return servers;
        } catch (IOException | RuntimeException | Error e) {
            for (ServerSocketChannel server : servers) server.close();
            throw e;
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
        Place place = Place.parse(address, TcpTransport::addresses);
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

    /**
     * @param families of addresses that may be taken
     */
    private record Place(
            Address address, Names names, String host, int port, int to, Set<Class<?>> families) {
        static Place parse(Address address, Names names) throws MigrationException {
            String[] parts = address.target().split(",", -1);
            String text = parts[0];
            int colon = text.lastIndexOf(':');
            String host = colon < 0 ? text : text.substring(0, colon);
            boolean bracketed = host.startsWith("[") && host.endsWith("]");
            if (bracketed) host = host.substring(1, host.length() - 1);
            if (colon < 0 || host.indexOf(':') >= 0 != bracketed) {
                throw MigrationException.user(
                        "'%s' is no TCP address: it is tcp:host:port, an IPv6 address in brackets",
                        address);
            }
            int port = port(address, text.substring(colon + 1));
            int to = port;
            Boolean ipv4 = null;
            Boolean ipv6 = null;
            for (int i = 1; i < parts.length; i++) {
                int equals = parts[i].indexOf('=');
                String name = equals < 0 ? parts[i] : parts[i].substring(0, equals);
                String value = equals < 0 ? "on" : parts[i].substring(equals + 1);
                switch (name) {
                    case "to" -> to = port(address, value);
                    case "ipv4" -> ipv4 = on(address, name, value);
                    case "ipv6" -> ipv6 = on(address, name, value);
                    case "keep-alive" -> {
                        if (on(address, name, value)) continue; // silence-timeout does that
                        throw MigrationException.user(
                                "'%s': 'keep-alive=off' is not obeyed: silence-timeout=0 has the"
                                        + " system's own time",
                                address);
                    }
                    default ->
                            throw MigrationException.user(
                                    "'%s': option '%s' is not built; to, ipv4, ipv6 and"
                                            + " keep-alive are",
                                    address, name);
                }
            }
            if (to < port) {
                throw MigrationException.user("'%s': 'to' is below the port", address);
            }
            return new Place(address, names, host, port, to, families(address, ipv4, ipv6));
        }

        private static int port(Address address, String text) throws MigrationException {
            try {
                int port = Integer.parseInt(text);
                if (port >= 0 && port <= 65535) return port;
            } catch (NumberFormatException e) {
                // Said below, with what is allowed.
            }
            throw MigrationException.user(
                    "'%s': port '%s' is none: it is a number from 0 to 65535", address, text);
        }

        private static boolean on(Address address, String name, String value)
                throws MigrationException {
            return switch (value) {
                case "on" -> true;
                case "off" -> false;
                default ->
                        throw MigrationException.user(
                                "'%s': '%s' is '%s', must be on or off", address, name, value);
            };
        }

        /** One that is on leaves the other out, unless that is on, too: as QEMU has it. */
        private static Set<Class<?>> families(Address address, Boolean ipv4, Boolean ipv6)
                throws MigrationException {
            Set<Class<?>> families = new HashSet<>();
            boolean said = Boolean.TRUE.equals(ipv4) || Boolean.TRUE.equals(ipv6);
            if (ipv4 == null ? !said : ipv4) families.add(Inet4Address.class);
            if (ipv6 == null ? !said : ipv6) families.add(Inet6Address.class);
            if (families.isEmpty()) {
                throw MigrationException.user("'%s': ipv4 and ipv6 are both off", address);
            }
            return families;
        }

        boolean any() {
            return host.isEmpty() || host.equals("0");
        }

        /** For both families at once only where any address will do. */
        ServerSocketChannel open(InetSocketAddress place) throws IOException {
            return place.getAddress() instanceof Inet4Address && !(any() && families.size() == 2)
                    ? ServerSocketChannel.open(StandardProtocolFamily.INET)
                    : ServerSocketChannel.open();
        }

        /** Where to listen. */
        List<InetSocketAddress> here(int port) throws IOException {
            if (!any()) return resolve(port);
            if (families.size() == 2) return List.of(new InetSocketAddress(port));
            // The JDK's wildcard is both families', so one alone is taken by its addresses.
            List<InetSocketAddress> places = new ArrayList<>();
            if (families.contains(Inet4Address.class)) {
                return List.of(new InetSocketAddress(InetAddress.getByName("0.0.0.0"), port));
            }
            for (var network : Collections.list(NetworkInterface.getNetworkInterfaces())) {
                for (InetAddress one : Collections.list(network.getInetAddresses())) {
                    if (one instanceof Inet6Address) places.add(new InetSocketAddress(one, port));
                }
            }
            if (places.isEmpty()) throw none("this machine has none");
            return places;
        }

        List<InetSocketAddress> resolve() throws MigrationException {
            return resolve(port);
        }

        private List<InetSocketAddress> resolve(int port) throws MigrationException {
            List<InetSocketAddress> places = new ArrayList<>();
            try {
                for (InetAddress one : names.of(any() ? "localhost" : host)) {
                    if (families.contains(one.getClass()))
                        places.add(new InetSocketAddress(one, port));
                }
            } catch (UnknownHostException e) {
                throw Trouble.user("'" + address + "': there is no host '" + host + "'", e);
            }
            if (places.isEmpty()) throw none("host '" + host + "' has none");
            return places;
        }

        private MigrationException none(String who) {
            String family = families.contains(Inet4Address.class) ? "IPv4" : "IPv6";
            return MigrationException.user(
                    "'%s': an %s address is asked for, and %s", address, family, who);
        }
    }
}
