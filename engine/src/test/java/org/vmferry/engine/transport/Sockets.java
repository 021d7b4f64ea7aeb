package org.vmferry.engine.transport;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.vmferry.engine.system.Descriptors;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** Whatever a test does with sockets, none stays open. */
abstract class Sockets {
    private static final long SOON_NS = 5_000_000_000L;

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

    /** What is on its way out is waited for. */
    @AfterEach
    void nothingStaysOpen() throws IOException {
        for (long end = System.nanoTime() + SOON_NS;
                !left().isEmpty();
                LockSupport.parkNanos(200_000)) {
            assertThat(System.nanoTime()).as("%s", left()).isLessThan(end);
        }
    }

    private List<String> left() throws IOException {
        List<String> left = new ArrayList<>(Descriptors.open("socket:"));
        left.removeAll(before);
        Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("vmferry-connect"))
                .forEach(left::add);
        return left;
    }
}
