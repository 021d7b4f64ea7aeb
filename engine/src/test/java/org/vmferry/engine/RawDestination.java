package org.vmferry.engine;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A destination that takes all bytes, understands nothing but PINGs, and says what it is told. */
final class RawDestination implements AutoCloseable {
    /** What it does about a PING. */
    interface Pings {
        /**
         * Answers, or does not.
         *
         * @param count how many came before
         */
        void hear(RawDestination destination, int count, int number) throws IOException;
    }

    /** Answers each. */
    static final Pings POLITE = (destination, count, number) -> destination.say(2, number);

    /** Takes one connection, and reads it to its end. */
    interface Reading {
        int read(SocketChannel peer, ByteBuffer into) throws IOException;
    }

    private static final byte[] PING = {8, 0, 2, 0, 4};

    private final ServerSocketChannel server;
    private final Thread thread = new Thread(this::serve, "raw-destination");
    private final Pings pings;
    private final Reading reading;
    private final ByteArrayOutputStream taken = new ByteArrayOutputStream(); // guarded by itself
    private volatile SocketChannel peer;

    /** The numbers of the PINGs that came. */
    final List<Integer> numbers = new CopyOnWriteArrayList<>();

    RawDestination(Path path, Pings pings) throws IOException {
        this(path, pings, SocketChannel::read);
    }

    RawDestination(Path path, Pings pings, Reading reading) throws IOException {
        this.pings = pings;
        this.reading = reading;
        server =
                ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                        .bind(UnixDomainSocketAddress.of(path));
        thread.start();
    }

    private void serve() {
        ByteBuffer bytes = ByteBuffer.allocate(1 << 16);
        int seen = 0;
        try {
            peer = server.accept();
            while (reading.read(peer, bytes.clear()) >= 0) {
                byte[] all;
                synchronized (taken) {
                    taken.write(bytes.array(), 0, bytes.position());
                    all = taken.toByteArray();
                    taken.notifyAll();
                }
                for (; seen + 9 <= all.length; seen++) {
                    if (!isPing(all, seen)) continue;
                    numbers.add(ByteBuffer.wrap(all).getInt(seen + 5));
                    pings.hear(this, numbers.size() - 1, numbers.getLast());
                }
            }
        } catch (IOException e) {
            // The source is gone, or this is closed.
        }
    }

    private static boolean isPing(byte[] bytes, int at) {
        for (int i = 0; i < PING.length; i++) if (bytes[at + i] != PING[i]) return false;
        return true;
    }

    /** Says a number on the return path. */
    void say(int type, int number) throws IOException {
        say(type, ByteBuffer.allocate(4).putInt(0, number).array());
    }

    /** Says anything on the return path. */
    void say(int type, byte[] payload) throws IOException {
        ByteBuffer message = ByteBuffer.allocate(4 + payload.length);
        message.putShort((short) type).putShort((short) payload.length).put(payload).flip();
        while (message.hasRemaining()) peer.write(message);
    }

    /** Whether a VMDESCRIPTION, and so EOF, has come. */
    boolean hasEverything() {
        synchronized (taken) {
            return taken.toString(ISO_8859_1).endsWith("}]}]}");
        }
    }

    /** Waits until it has. */
    void awaitEverything() throws InterruptedException {
        synchronized (taken) {
            while (!hasEverything()) taken.wait();
        }
    }

    /** How many bytes came. */
    int bytes() {
        synchronized (taken) {
            return taken.size();
        }
    }

    /** Resets the connection, or ends it. */
    void hangUp() throws IOException {
        peer.close();
    }

    @Override
    public void close() throws Exception {
        server.close();
        if (peer != null) peer.close();
        thread.join();
    }
}
