package org.vmferry.it.ownership;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;

/**
 * A link with one connection that keeps a source's VMDESCRIPTION for itself, or stalls behind each
 * 0x00 of all small pieces, as devices are. A source that had a PING answered sends its end by
 * itself, and so it is known by its first bytes.
 */
final class EndLink implements AutoCloseable {
    private final ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private final List<Thread> threads = new CopyOnWriteArrayList<>();
    private final long stall;
    private volatile int stalls;

    /**
     * A link.
     *
     * @param address where it leads, tcp:127.0.0.1:port
     * @param stall ms; 0 for none, but without a VMDESCRIPTION
     */
    EndLink(String address, long stall) throws IOException {
        this.stall = stall;
        int port = Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
        start(
                () -> {
                    Socket source = server.accept();
                    Socket target = new Socket(InetAddress.getLoopbackAddress(), port);
                    target.setTcpNoDelay(true);
                    sockets.addAll(List.of(source, target));
                    start(() -> forth(source.getInputStream(), target));
                    start(
                            () -> {
                                target.getInputStream().transferTo(source.getOutputStream());
                                source.shutdownOutput();
                            });
                });
    }

    String address() {
        return "tcp:127.0.0.1:" + server.getLocalPort();
    }

    /** How often it stalled. */
    int stalls() {
        return stalls;
    }

    private void forth(InputStream in, Socket to) throws IOException {
        OutputStream out = to.getOutputStream();
        byte[] bytes = new byte[1 << 16];
        boolean drops = false;
        for (int count; (count = in.read(bytes)) >= 0; ) {
            if (stall == 0 && count > 1 && bytes[0] == 0 && bytes[1] == 6) {
                out.write(bytes, 0, 1);
                drops = true;
            } else if (stall > 0 && count < 4096) {
                for (int i = 0; i < count; i++) {
                    out.write(bytes[i]);
                    if (bytes[i] != 0) continue;
                    stalls++; // one writer
                    LockSupport.parkNanos(stall * 1_000_000);
                }
            } else if (!drops) {
                out.write(bytes, 0, count);
            }
        }
        if (!drops) to.shutdownOutput();
    }

    private interface Work {
        void run() throws IOException;
    }

    private void start(Work work) {
        Thread thread =
                new Thread(
                        () -> {
                            try {
                                work.run();
                            } catch (IOException e) {
                                cut(); // what one end suffers, so does the other
                            }
                        },
                        "end-link");
        threads.add(thread);
        thread.start();
    }

    private void cut() {
        for (Socket socket : sockets) {
            try {
                socket.close();
            } catch (IOException e) {
                // It is gone.
            }
        }
    }

    @Override
    public void close() throws IOException, InterruptedException {
        server.close();
        threads.getFirst().join(); // no connection comes after this
        cut();
        for (Thread thread : threads) thread.join();
    }
}
