package org.vmferry.engine.transport;

import org.slf4j.Logger;
import org.vmferry.engine.system.Inode;
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
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Set;

/**
 * Unix domain sockets: {@code unix:path}. Listening, a socket that a dead process left there is
 * replaced; on close the socket's file is removed.
 */
@Status(Status.Level.INTERNAL)
public final class UnixTransport implements ChannelTransport {
    private static final Logger log = Log.of(UnixTransport.class);

    /** Of the 108 bytes that the system has for it the JDK uses no more. */
    private static final int LONGEST_PATH = 106;

    /** One of the engine's own, that {@code Plugins} makes. */
    public UnixTransport() {}

    @Override
    public String id() {
        return "unix";
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
        UnixDomainSocketAddress place = UnixDomainSocketAddress.of(path(address));
        return new SocketOpener(
                address, () -> List.of(place), options.get(SocketOptions.CONNECT_TIMEOUT));
    }

    @Override
    public Acceptor acceptor(Address address, Options options) throws IOException {
        Path path = path(address);
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            removeStale(path);
            server.bind(UnixDomainSocketAddress.of(path), SocketAcceptor.BACKLOG);
            return listening(address, server, path);
        } catch (RuntimeException | Error e) {
            server.close();
            throw e;
        } catch (IOException e) {
            server.close();
            if (e instanceof MigrationException) throw e;
            throw Trouble.transport("can't listen on " + address + ": " + e.getMessage(), e);
        }
    }

    private static Acceptor listening(Address address, ServerSocketChannel server, Path path)
            throws IOException {
        try {
            Object key = key(path);
            return new SocketAcceptor(
                    address, List.of(server), peer -> true, () -> remove(path, key));
        } catch (IOException | RuntimeException | Error e) {
            Files.deleteIfExists(path); // its name stays when it is closed
            throw e;
        }
    }

    private static Path path(Address address) throws MigrationException {
        int length = address.target().getBytes(StandardCharsets.UTF_8).length;
        if (length > LONGEST_PATH) {
            throw MigrationException.user(
                    "'%s': a unix socket's path may have %d bytes, this one has %d",
                    address, LONGEST_PATH, length);
        }
        try {
            return Path.of(address.target());
        } catch (InvalidPathException e) {
            throw Trouble.unnamed(address, e);
        }
    }

    private static void removeStale(Path path) throws IOException {
        if (FileTarget.kind(path) == FileTarget.Kind.MISSING) return;
        if (Inode.of(path).filter(it -> it.type() == Inode.Type.SOCKET).isEmpty()) {
            throw MigrationException.user(
                    "can't listen on unix:%s: there is something that is no socket", path);
        }
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            probe.configureBlocking(false); // a full queue is an answer too
            probe.connect(UnixDomainSocketAddress.of(path));
        } catch (ConnectException e) {
            log.info("Replacing the socket '{}' on which nobody listens any more", path);
            Files.deleteIfExists(path);
            return;
        }
        throw MigrationException.user("can't listen on unix:%s: somebody else does already", path);
    }

    private static Object key(Path path) throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
    }

    private static void remove(Path path, Object key) {
        try {
            // It may have been replaced by somebody else's.
            if (key(path).equals(key)) Files.delete(path);
        } catch (NoSuchFileException e) {
            // Gone already.
        } catch (IOException e) {
            log.warn("The socket '{}' stays behind", path, e);
        }
    }
}
