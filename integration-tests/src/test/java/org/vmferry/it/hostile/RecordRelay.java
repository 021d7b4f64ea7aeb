package org.vmferry.it.hostile;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A link for one TLS connection that cuts the handshake into other pieces, as TLS allows. */
final class RecordRelay implements AutoCloseable {
    /** Into which. */
    enum Pieces {
        /** Each byte is a TCP segment of its own. */
        SEGMENTS,
        /** Each byte of an unencrypted handshake message is a record of its own. */
        FRAGMENTS,
        /** The unencrypted messages of one flight are one record. */
        FLIGHTS
    }

    private static final int HANDSHAKE = 22;
    private static final int HEADER = 5; // type, version, u16 length
    private static final int CLIENT_HELLO = 1;
    private static final int SERVER_HELLO_DONE = 14;
    private static final int MOST_SEGMENTS = 1 << 14;

    private final ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private final List<Thread> threads = new CopyOnWriteArrayList<>();
    private final Pieces pieces;

    /** A link to a port of the loopback. */
    RecordRelay(int target, Pieces pieces) throws IOException {
        this.pieces = pieces;
        start(
                () -> {
                    Socket from = taken(server.accept());
                    Socket to = taken(new Socket(InetAddress.getLoopbackAddress(), target));
                    start(() -> pass(from, to));
                    start(() -> pass(to, from));
                });
    }

    int port() {
        return server.getLocalPort();
    }

    private Socket taken(Socket socket) throws IOException {
        sockets.add(socket);
        socket.setTcpNoDelay(true);
        return socket;
    }

    private interface Work {
        void run() throws IOException;
    }

    private void start(Work work) {
        Runnable body =
                () -> {
                    try {
                        work.run();
                    } catch (IOException e) {
                        // One end has gone.
                    }
                };
        Thread thread = new Thread(body, "record-relay");
        threads.add(thread);
        thread.start();
    }

    private void pass(Socket from, Socket to) throws IOException {
        DataInputStream in = new DataInputStream(from.getInputStream());
        OutputStream out = to.getOutputStream();
        if (pieces == Pieces.SEGMENTS) {
            int one = 0;
            for (int i = 0; i < MOST_SEGMENTS && (one = in.read()) >= 0; i++) out.write(one);
            in.transferTo(out);
        } else {
            records(in, out);
        }
        to.shutdownOutput();
    }

    private void records(DataInputStream in, OutputStream out) throws IOException {
        byte[] header = new byte[HEADER];
        ByteArrayOutputStream flight = new ByteArrayOutputStream();
        while (true) {
            try {
                in.readFully(header);
            } catch (EOFException e) {
                return;
            }
            byte[] content = in.readNBytes((header[3] & 0xff) << 8 | header[4] & 0xff);
            if (header[0] != HANDSHAKE) {
                write(out, header, flight);
                out.write(header);
                out.write(content);
                in.transferTo(out); // from here on it is encrypted
                return;
            }
            if (pieces == Pieces.FRAGMENTS) {
                for (byte one : content) {
                    flight.write(one);
                    write(out, header, flight);
                }
                continue;
            }
            flight.write(content);
            int last = lastMessage(flight.toByteArray());
            if (last == CLIENT_HELLO || last == SERVER_HELLO_DONE) {
                write(out, header, flight);
            }
        }
    }

    private static void write(OutputStream out, byte[] like, ByteArrayOutputStream content)
            throws IOException {
        if (content.size() == 0) return;
        out.write(
                new byte[] {
                    HANDSHAKE, like[1], like[2], (byte) (content.size() >> 8), (byte) content.size()
                });
        content.writeTo(out);
        content.reset();
    }

    /** The type of the last message, if it is whole: u8 type, u24 length. */
    private static int lastMessage(byte[] flight) {
        int type = -1;
        int at = 0;
        while (at + 4 <= flight.length) {
            type = flight[at];
            at +=
                    4
                            + ((flight[at + 1] & 0xff) << 16 | (flight[at + 2] & 0xff) << 8)
                            + (flight[at + 3] & 0xff);
        }
        return at == flight.length ? type : -1;
    }

    @Override
    public void close() throws Exception {
        server.close();
        threads.getFirst().join();
        for (Socket socket : sockets) socket.close();
        for (Thread thread : threads) thread.join();
    }
}
