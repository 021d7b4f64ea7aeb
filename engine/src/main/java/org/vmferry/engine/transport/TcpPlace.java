package org.vmferry.engine.transport;

import org.jspecify.annotations.Nullable;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.Address;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnknownHostException;
import java.nio.channels.ServerSocketChannel;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Where a {@code tcp:} address leads, with QEMU's options of it.
 *
 * @param names finds the host's addresses
 * @param host empty or 0 for any, or this machine
 * @param to the last port that may be listened on
 * @param families of addresses that may be taken
 */
record TcpPlace(
        Address address, Names names, String host, int port, int to, Set<Class<?>> families) {
    private static final List<InetAddress> LOOPBACK =
            List.of(InetAddress.ofLiteral("127.0.0.1"), InetAddress.ofLiteral("::1"));

    static TcpPlace parse(Address address, Names names) throws MigrationException {
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
        return new TcpPlace(address, names, host, port, to, families(address, ipv4, ipv6));
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
    private static Set<Class<?>> families(
            Address address, @Nullable Boolean ipv4, @Nullable Boolean ipv6)
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

    /** Finds a name's addresses. */
    interface Names {
        List<InetAddress> of(String name) throws UnknownHostException;
    }

    /** Those that the system knows of. */
    static List<InetAddress> addresses(String name) throws UnknownHostException {
        return List.of(InetAddress.getAllByName(name));
    }

    private boolean any() {
        return host.isEmpty() || host.equals("0");
    }

    /** A socket to listen on one of them; of both families only where both may come. */
    ServerSocketChannel open(InetAddress one) throws IOException {
        boolean both = one.isAnyLocalAddress() && families.contains(Inet6Address.class);
        return one instanceof Inet4Address && !both
                ? ServerSocketChannel.open(StandardProtocolFamily.INET)
                : ServerSocketChannel.open();
    }

    /** Whether a peer of this address may come: who listens on any of IPv6's hears IPv4, too. */
    boolean takes(InetAddress peer) {
        return families.contains(peer.getClass());
    }

    /** Where to listen. */
    List<InetAddress> here() throws MigrationException {
        return any() ? List.of(new InetSocketAddress(0).getAddress()) : named(host);
    }

    /** Where to connect to, one after another. */
    List<InetSocketAddress> resolve() throws MigrationException {
        List<InetAddress> found = any() ? taken(LOOPBACK, "this machine") : named(host);
        return found.stream().map(one -> new InetSocketAddress(one, port)).toList();
    }

    private List<InetAddress> named(String name) throws MigrationException {
        try {
            return taken(names.of(name), "host '" + name + "'");
        } catch (UnknownHostException e) {
            throw Trouble.user("'" + address + "': there is no host '" + name + "'", e);
        }
    }

    private List<InetAddress> taken(List<InetAddress> all, String who) throws MigrationException {
        List<InetAddress> taken = all.stream().filter(this::takes).toList();
        if (taken.isEmpty()) throw none(who + " has none");
        return taken;
    }

    private MigrationException none(String who) {
        String family = families.contains(Inet4Address.class) ? "IPv4" : "IPv6";
        return MigrationException.user(
                "'%s': an %s address is asked for, and %s", address, family, who);
    }
}
