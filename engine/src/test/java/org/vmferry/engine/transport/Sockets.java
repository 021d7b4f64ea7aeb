package org.vmferry.engine.transport;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.util.ArrayList;
import java.util.List;

/** Whatever a test does with sockets, none stays open. */
abstract class Sockets {
    private List<String> before;

    /** The JDK keeps a socket for itself once it has closed one under a thread. */
    @BeforeAll
    static void closeOne() throws Exception {
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            Hanging accept = Hanging.in(server::accept);
            server.close();
            accept.letGo();
        }
    }

    @BeforeEach
    void count() throws IOException {
        before = Descriptors.open("socket:");
    }

    @AfterEach
    void nothingStaysOpen() throws IOException {
        List<String> after = new ArrayList<>(Descriptors.open("socket:"));
        after.removeAll(before);
        assertThat(after).isEmpty();
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(t -> t.getName().startsWith("vmferry-connect"));
    }
}
