package org.vmferry.engine.transport;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Channels that a host made itself, under names, for {@code fd:name}: what file descriptors handed
 * over a monitor are to a QEMU. Thread-safe; a host makes one of these and gives it to its {@link
 * FdTransport}.
 */
@Status(Status.Level.EXPERIMENTAL)
public final class NamedChannels {
    private final TreeMap<String, Channel> channels = new TreeMap<>();

    /** None yet. */
    public NamedChannels() {}

    /**
     * Registers a channel. A migration that takes it owns it, and closes it; until then it is the
     * host's.
     *
     * @param name what stands after {@code fd:}
     * @param channel connected
     * @throws IllegalArgumentException if the name is taken
     */
    public synchronized void register(String name, Channel channel) {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(channel, "channel");
        if (channels.putIfAbsent(name, channel) != null) {
            throw new IllegalArgumentException("there is a channel named '" + name + "' already");
        }
    }

    /**
     * Registers a connected socket.
     *
     * @param name what stands after {@code fd:}
     * @param socket connected and blocking
     * @throws IOException if it is not
     * @throws IllegalArgumentException if the name is taken
     */
    public void register(String name, SocketChannel socket) throws IOException {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(socket, "socket");
        if (!socket.isConnected() || !socket.isBlocking()) {
            throw MigrationException.host(
                    "the socket for fd:%s must be connected and blocking", name);
        }
        register(name, new SocketStream(socket, "fd:" + name));
    }

    /**
     * Takes a channel back that no migration took.
     *
     * @param name under which it was registered
     * @return the host's again; empty if a migration has it, or nobody registered it
     */
    public synchronized Optional<Channel> unregister(String name) {
        return Optional.ofNullable(channels.remove(Objects.requireNonNull(name, "name")));
    }

    synchronized Channel take(String name) throws MigrationException {
        Channel channel = channels.remove(name);
        if (channel != null) return channel;
        throw MigrationException.user(
                "'fd:%s': the host has registered no channel of that name%s",
                name, channels.isEmpty() ? "" : ", but " + String.join(", ", channels.keySet()));
    }
}
