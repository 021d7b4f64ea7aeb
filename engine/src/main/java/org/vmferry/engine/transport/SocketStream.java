package org.vmferry.engine.transport;

import jdk.net.ExtendedSocketOptions;

import org.jspecify.annotations.Nullable;
import org.vmferry.engine.guard.Lifeline;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.util.OptionalLong;

/**
 * A connected socket. Closing it lets go whoever reads or writes, at once. Give it direct buffers:
 * the JDK copies all others.
 */
final class SocketStream implements Channel, Lifeline {
    // What one writev or readv takes; offering more only costs time.
    private static final int MOST_BUFFERS = 1024;

    private final SocketChannel socket;
    private final String peer;
    private final String origin;
    private final @Nullable TcpSocket tcp; // null if it is none
    private volatile long noticed; // ms

    SocketStream(SocketChannel socket, String peer) throws IOException {
        this.socket = socket;
        this.peer = peer;
        if (socket.getRemoteAddress() instanceof InetSocketAddress inet) {
            tcp = new TcpSocket(socket);
            socket.setOption(StandardSocketOptions.TCP_NODELAY, true);
            origin = "address " + inet.getAddress().getHostAddress();
        } else {
            tcp = null;
            origin = user(socket);
        }
    }

    private static String user(SocketChannel socket) {
        try {
            return "user " + socket.getOption(ExtendedSocketOptions.SO_PEERCRED).user().getName();
        } catch (IOException | UnsupportedOperationException e) {
            return ""; // not every system tells
        }
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        try {
            return socket.read(target);
        } catch (IOException e) {
            throw lost("reading from", e);
        }
    }

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        try {
            int first = firstWithRoom(targets, offset, length);
            return socket.read(targets, first, Math.min(offset + length - first, MOST_BUFFERS));
        } catch (IOException e) {
            throw lost("reading from", e);
        }
    }

    /** Who offers the same buffers until all are done must not be given 0 for the first ones. */
    private static int firstWithRoom(ByteBuffer[] buffers, int offset, int length) {
        int first = offset;
        while (first < offset + length && !buffers[first].hasRemaining()) first++;
        return first;
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        try {
            return socket.write(source);
        } catch (IOException e) {
            throw lost("writing to", e);
        }
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        try {
            int first = firstWithRoom(sources, offset, length);
            return socket.write(sources, first, Math.min(offset + length - first, MOST_BUFFERS));
        } catch (IOException e) {
            throw lost("writing to", e);
        }
    }

    @Override
    public void shutdownOutput() throws IOException {
        try {
            socket.shutdownOutput();
        } catch (IOException e) {
            throw lost("ending the stream to", e);
        }
    }

    private IOException lost(String doing, IOException e) {
        String why =
                e instanceof ClosedChannelException ? "the channel was closed" : Trouble.why(e);
        if (tcp != null && noticed > 0 && Trouble.gone(e)) why += ": " + gone(tcp);
        return Trouble.transport(doing + " " + peer + ": " + why, e);
    }

    /** The system gives up where nobody answers, and where nobody takes what is sent. */
    private synchronized String gone(TcpSocket tcp) {
        OptionalLong full = tcp.full();
        return full.isPresent()
                ? "its process has taken no byte for about %d ms (silence-timeout), as its host said %d ms ago; look at what that process waits for"
                        .formatted(noticed, full.getAsLong())
                : "its host gave no sign of life for about %d ms (silence-timeout); look at it, or at the link"
                        .formatted(noticed);
    }

    /** A unix socket has its other end in this system, which tells of its end at once. */
    @Override
    public synchronized boolean notice(long ms) throws IOException {
        if (tcp == null || !socket.isOpen()) return true;
        noticed = ms;
        return tcp.notice(ms);
    }

    @Override
    public boolean isOpen() {
        return socket.isOpen();
    }

    @Override
    public synchronized void close() throws IOException { // its number may be another's at once
        socket.close();
    }

    @Override
    public String peer() {
        return peer;
    }

    @Override
    public String origin() {
        return origin;
    }

    @Override
    public String toString() {
        return "channel to " + peer;
    }
}
