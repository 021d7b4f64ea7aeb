package org.vmferry.it.support;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** A link between source and destination that does one thing wrong. TCP over the loopback. */
public final class Relay implements AutoCloseable {
    /** What is wrong with it. */
    public enum Deed {
        /** Nothing. */
        NONE,
        /** Every connection is reset. */
        CUT,
        /** Nothing more is passed on in this direction, and nothing read. */
        STALL,
        /** Nothing more is passed on in this direction, but all is read. */
        SWALLOW
    }

    /**
     * Where it is.
     *
     * @param connection the n-th, from 0
     * @param back from destination to source
     * @param after so many bytes
     */
    public record Fault(int connection, boolean back, long after, Deed deed) {
        public static final Fault NONE = new Fault(0, false, Long.MAX_VALUE, Deed.NONE);
    }

    private final Callable<Socket> target;
    private final Fault fault;
    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private final List<Thread> threads = new CopyOnWriteArrayList<>();
    private final AtomicInteger connections = new AtomicInteger();
    private volatile boolean cut;
    private volatile boolean stalled;
    private volatile boolean mute;
    private boolean held; // guarded by this
    private final ByteArrayOutputStream passed = new ByteArrayOutputStream(); // guarded by itself

    /** It was done. */
    public final CountDownLatch done = new CountDownLatch(1);

    /** A link to an address tcp:127.0.0.1:port. */
    public Relay(String address, Fault fault) throws IOException {
        int port = Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
        this(() -> new Socket(InetAddress.getLoopbackAddress(), port), fault);
    }

    /** A link to whom this connects to, anew for each connection. */
    public Relay(Callable<Socket> target, Fault fault) throws IOException {
        this.target = target;
        this.fault = fault;
        start(this::accept);
    }

    public String address() {
        return "tcp:127.0.0.1:" + server.getLocalPort();
    }

    /** How many bytes the first connection brought from the source. */
    public long passed() {
        synchronized (passed) {
            return passed.size();
        }
    }

    /** These bytes. */
    public byte[] passedBytes() {
        synchronized (passed) {
            return passed.toByteArray();
        }
    }

    /** How many of them came before the stream's end, which is EOF and a VMDESCRIPTION. */
    public long passedBeforeTheEnd() {
        synchronized (passed) {
            String all = passed.toString(StandardCharsets.ISO_8859_1);
            return all.lastIndexOf("{\"configuration\"") - 1 - 1 - 4;
        }
    }

    private void start(Runnable work) {
        Thread thread = new Thread(work, "relay");
        threads.add(thread);
        thread.start();
    }

    private void accept() {
        try {
            while (true) {
                Socket source = server.accept();
                int number = connections.getAndIncrement();
                Socket destination = target.call();
                sockets.add(source);
                sockets.add(destination);
                if (cut) cut();
                start(() -> pass(number, false, source, destination));
                start(() -> pass(number, true, destination, source));
            }
        } catch (Exception e) {
            // Closed, or nobody is there: no more.
        }
    }

    private void pass(int number, boolean back, Socket from, Socket to) {
        boolean here = number == fault.connection && back == fault.back;
        byte[] bytes = new byte[16 << 10];
        long left = here ? fault.after : Long.MAX_VALUE;
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            while (left > 0) {
                int count = in.read(bytes, 0, (int) Math.min(left, bytes.length));
                if (count < 0) {
                    if (stalled) throw new IOException("nobody would hear of it");
                    to.shutdownOutput();
                    return;
                }
                if (mute && !back) continue;
                if (back) awaitLetGo();
                out.write(bytes, 0, count);
                left -= count;
                if (number == 0 && !back) {
                    synchronized (passed) {
                        passed.write(bytes, 0, count);
                    }
                }
            }
            if (fault.deed == Deed.STALL) stalled = true;
            done.countDown();
            switch (fault.deed) {
                case STALL -> {}
                case SWALLOW -> {
                    while (in.read(bytes) >= 0) {}
                }
                default -> cut();
            }
        } catch (IOException e) {
            reset(from); // what one end suffers, so does the other
            reset(to);
        }
    }

    /** From now on nothing reaches the destination, though all is taken. */
    public void mute() {
        mute = true;
    }

    /** From now on keeps what comes back: it is late, not lost. */
    public synchronized void hold() {
        held = true;
    }

    /** Passes on what was kept. */
    public synchronized void letGo() {
        held = false;
        notifyAll();
    }

    private synchronized void awaitLetGo() throws IOException {
        try {
            while (held) wait();
        } catch (InterruptedException e) {
            throw new IOException(e); // nobody does that
        }
    }

    /** Resets every connection there is, or will be. */
    public void cut() {
        cut = true;
        sockets.forEach(Relay::reset);
    }

    private static void reset(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
            socket.close();
        } catch (IOException e) {
            // It is gone.
        }
    }

    @Override
    public void close() throws Exception {
        letGo();
        server.close();
        threads.getFirst().join(); // no connection comes after this
        for (Socket socket : sockets) socket.close();
        for (Thread thread : threads) thread.join();
    }
}
