package org.vmferry.it.ownership;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;

/**
 * A link with one connection that passes just so many bytes in one direction, and then none. On the
 * way back they are those of the outcome: how many PONGs come before it is nobody's business.
 */
final class Tripwire implements AutoCloseable {
    private final ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private final List<Thread> threads = new CopyOnWriteArrayList<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile long forth;

    /** The bytes have passed. */
    final CountDownLatch reached = new CountDownLatch(1);

    /**
     * A link.
     *
     * @param address where it leads, tcp:127.0.0.1:port
     * @param back whether the bytes from destination to source are counted
     * @param bytes how many pass
     */
    Tripwire(String address, boolean back, long bytes) throws IOException {
        int port = Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
        start(
                () -> {
                    Socket source = keep(server.accept());
                    Socket target = keep(new Socket(InetAddress.getLoopbackAddress(), port));
                    start(() -> forth = pass(source, target, back ? Long.MAX_VALUE : bytes));
                    start(() -> back(target, source, back ? bytes : Long.MAX_VALUE));
                });
    }

    String address() {
        return "tcp:127.0.0.1:" + server.getLocalPort();
    }

    /** What passed from source to destination, once it has ended. */
    long forth() {
        return forth;
    }

    private Socket keep(Socket socket) {
        sockets.add(socket);
        return socket;
    }

    private interface Work {
        void run() throws IOException, InterruptedException;
    }

    private void start(Work work) {
        Thread thread =
                new Thread(
                        () -> {
                            try {
                                work.run();
                            } catch (IOException | InterruptedException e) {
                                cut(); // what one end suffers, so does the other
                            }
                        },
                        "tripwire");
        threads.add(thread);
        thread.start();
    }

    private long pass(Socket from, Socket to, long limit) throws IOException, InterruptedException {
        byte[] bytes = new byte[8192];
        InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream();
        for (long left = limit; left > 0; ) {
            int count = in.read(bytes, 0, (int) Math.min(bytes.length, left));
            if (count < 0) {
                to.shutdownOutput();
                return limit - left;
            }
            out.write(bytes, 0, count);
            left -= count;
        }
        reached.countDown();
        closed.await();
        return limit;
    }

    private void back(Socket from, Socket to, long limit) throws IOException, InterruptedException {
        DataInputStream in = new DataInputStream(from.getInputStream());
        while (limit < Long.MAX_VALUE) {
            byte[] message = in.readNBytes(8);
            if (message.length < 8) {
                to.shutdownOutput();
                return;
            }
            boolean outcome = message[1] == 1;
            to.getOutputStream().write(message, 0, outcome ? (int) Math.min(limit, 8) : 8);
            if (!outcome) continue;
            reached.countDown();
            closed.await();
            return;
        }
        pass(from, to, limit);
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
        closed.countDown();
        server.close();
        threads.getFirst().join(); // no connection comes after this
        cut();
        for (Thread thread : threads) thread.join();
    }
}
