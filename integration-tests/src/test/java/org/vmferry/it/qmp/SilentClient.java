package org.vmferry.it.qmp;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A QMP client that sends, and never reads. */
final class SilentClient implements AutoCloseable {
    private final SocketChannel socket;

    SilentClient(Path path) throws IOException {
        socket = SocketChannel.open(StandardProtocolFamily.UNIX);
        socket.connect(UnixDomainSocketAddress.of(path));
    }

    void send(String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) socket.write(bytes);
    }

    /** Sends the same until nobody takes it any more; at most 64 MiB. */
    void fill(String text) throws IOException {
        byte[] many = text.repeat(1000).getBytes(StandardCharsets.UTF_8);
        try (Selector selector = Selector.open()) {
            socket.configureBlocking(false);
            socket.register(selector, SelectionKey.OP_WRITE);
            long sent = 0;
            while (sent < 64 << 20 && selector.select(500) > 0) {
                sent += socket.write(ByteBuffer.wrap(many));
                selector.selectedKeys().clear();
            }
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
