package org.vmferry.engine.transport;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import jdk.net.ExtendedSocketOptions;

import org.vmferry.engine.system.NativeCalls;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/**
 * How long the system takes to find out that a TCP peer's host, or the link to it, is gone: by
 * probes while nothing is on its way (SO_KEEPALIVE), and by what stays unacknowledged
 * (TCP_USER_TIMEOUT, which the JDK does not offer). A process that stands still is not gone: its
 * system answers for it, unless it takes none of the bytes that wait for it.
 */
final class TcpSocket {
    private static final int IPPROTO_TCP = 6;
    private static final int TCP_USER_TIMEOUT = 18;
    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;
    private static final int SOCKADDR_BYTES = 128;
    private static final long LONGEST_SECONDS = 32_767; // the system takes no more
    private static final int MOST_PROBES = 127;

    private static final ValueLayout.OfShort PORT = JAVA_SHORT.withOrder(ByteOrder.BIG_ENDIAN);

    // Of struct tcp_info, u32s: ms since the peer's system said something, and for how many more
    // bytes it had room then. Older systems (Linux 5.3) don't tell the latter.
    private static final int TCP_INFO = 11;
    private static final int TCP_INFO_BYTES = 232;
    private static final int LAST_ACK_RECEIVED = 56;
    private static final int SEND_WINDOW = 228;

    private final SocketChannel socket;
    private int descriptor = -1; // where it is known

    /**
     * A socket.
     *
     * @param socket connected by TCP; it may only be closed while nothing here is called
     */
    TcpSocket(SocketChannel socket) {
        this.socket = socket;
    }

    /**
     * Sets the time; more than once, if it changes.
     *
     * @param ms about so long; 0 for the system's own time, which may be for ever
     * @return false if what stays unacknowledged is only given up after the system's own time
     */
    boolean notice(long ms) throws IOException {
        socket.setOption(StandardSocketOptions.SO_KEEPALIVE, ms > 0);
        if (ms > 0) {
            long seconds = Math.max(1, TimeUnit.MILLISECONDS.toSeconds(ms));
            long idle = Math.clamp(seconds / 3, 1, LONGEST_SECONDS);
            long between = Math.clamp(seconds / 12, 1, LONGEST_SECONDS);
            long probes = Math.clamp((seconds - idle) / between, 1, MOST_PROBES);
            try {
                socket.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, (int) idle);
                socket.setOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, (int) between);
                socket.setOption(ExtendedSocketOptions.TCP_KEEPCOUNT, (int) probes);
            } catch (UnsupportedOperationException e) {
                return false;
            }
        }
        return NativeCalls.available() && userTimeout((int) Math.min(ms, Integer.MAX_VALUE));
    }

    private boolean userTimeout(int ms) throws IOException {
        if (descriptor < 0) descriptor = find();
        if (descriptor < 0) return false;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocateFrom(JAVA_INT, ms);
            MemorySegment errno = arena.allocate(NativeCalls.ERRNO);
            int failed =
                    (int)
                            Calls.SET.invokeExact(
                                    errno, descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, value, 4);
            return failed == 0;
        } catch (Throwable e) {
            throw NativeCalls.rethrow(e);
        }
    }

    /**
     * When the peer's system said last that it has no room, as its process takes nothing; also when
     * the connection has failed, but its socket is open.
     *
     * @return how many ms ago; empty if it had room, or that is not known
     */
    OptionalLong full() {
        if (descriptor < 0 || !socket.isOpen()) return OptionalLong.empty();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = arena.allocate(TCP_INFO_BYTES, 8);
            MemorySegment length = arena.allocateFrom(JAVA_INT, TCP_INFO_BYTES);
            MemorySegment errno = arena.allocate(NativeCalls.ERRNO);
            int failed =
                    (int)
                            Calls.GET.invokeExact(
                                    errno, descriptor, IPPROTO_TCP, TCP_INFO, info, length);
            boolean told = failed == 0 && length.get(JAVA_INT, 0) == TCP_INFO_BYTES;
            if (!told || info.get(JAVA_INT, SEND_WINDOW) != 0) return OptionalLong.empty();
            return OptionalLong.of(Integer.toUnsignedLong(info.get(JAVA_INT, LAST_ACK_RECEIVED)));
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** The JDK keeps its number to itself; -1 if it is not found. */
    private int find() throws IOException {
        InetSocketAddress here = (InetSocketAddress) socket.getLocalAddress();
        InetSocketAddress there = (InetSocketAddress) socket.getRemoteAddress();
        try (Arena arena = Arena.ofConfined();
                DirectoryStream<Path> open = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            Place place =
                    new Place(
                            arena.allocate(SOCKADDR_BYTES, 8),
                            arena.allocate(JAVA_INT),
                            arena.allocate(NativeCalls.ERRNO));
            for (Path one : open) {
                int descriptor = Integer.parseInt(one.getFileName().toString());
                // No two sockets have the same two ends.
                if (!place.isAt(Calls.PEER, descriptor, there)) continue;
                if (!place.isAt(Calls.SELF, descriptor, here)) continue;
                return descriptor;
            }
            return -1;
        } catch (Throwable e) {
            throw NativeCalls.rethrow(e);
        }
    }

    /** Room for a socket's address. */
    private record Place(MemorySegment address, MemorySegment length, MemorySegment errno) {
        boolean isAt(MethodHandle which, int descriptor, InetSocketAddress place) throws Throwable {
            length.set(JAVA_INT, 0, SOCKADDR_BYTES);
            if ((int) which.invokeExact(errno, descriptor, address, length) != 0) return false;
            int port = Short.toUnsignedInt(address.get(PORT, 2));
            if (port != place.getPort()) return false;
            return switch (address.get(JAVA_SHORT, 0)) {
                case AF_INET -> host(4, 4).equals(place.getAddress());
                case AF_INET6 -> host(8, 16).equals(place.getAddress());
                default -> false;
            };
        }

        private InetAddress host(int at, int bytes) throws IOException {
            return InetAddress.getByAddress(address.asSlice(at, bytes).toArray(JAVA_BYTE));
        }
    }

    /** Made at first use: until then nothing asks for native access. */
    private static final class Calls {
        static final MethodHandle SELF = call("getsockname", JAVA_INT, ADDRESS, ADDRESS);
        static final MethodHandle PEER = call("getpeername", JAVA_INT, ADDRESS, ADDRESS);
        static final MethodHandle SET =
                call("setsockopt", JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
        static final MethodHandle GET =
                call("getsockopt", JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);

        private static MethodHandle call(String name, MemoryLayout... parameters) {
            return NativeCalls.handle(name, FunctionDescriptor.of(JAVA_INT, parameters));
        }
    }
}
