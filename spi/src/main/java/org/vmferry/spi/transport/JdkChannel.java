package org.vmferry.spi.transport;

import org.vmferry.spi.Status;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.Pipe;
import java.nio.channels.ScatteringByteChannel;
import java.nio.channels.SocketChannel;
import java.util.Objects;

/** A channel over the JDK's: a socket, or a pipe to read from and another to write to. */
@Status(Status.Level.EXPERIMENTAL)
public class JdkChannel implements Channel {
    private final ScatteringByteChannel in;
    private final GatheringByteChannel out;
    private final String peer;

    /**
     * Over two of the JDK's that block, or one in both places.
     *
     * @param in to read from; closed with this one
     * @param out to write to; a {@link SocketChannel}, or its end is told by closing it
     * @param peer for messages
     */
    public JdkChannel(ScatteringByteChannel in, GatheringByteChannel out, String peer) {
        this.in = Objects.requireNonNull(in, "in");
        this.out = Objects.requireNonNull(out, "out");
        this.peer = Objects.requireNonNull(peer, "peer");
    }

    /**
     * Both ends of a connection within this process, over two pipes: nobody else can come by it.
     *
     * @param peer for messages of both
     * @return two ends, both open
     * @throws IOException if the system has no descriptors left
     */
    public static JdkChannel[] pair(String peer) throws IOException {
        Objects.requireNonNull(peer, "peer");
        Pipe there = Pipe.open();
        try {
            Pipe back = Pipe.open();
            return new JdkChannel[] {
                new JdkChannel(back.source(), there.sink(), peer),
                new JdkChannel(there.source(), back.sink(), peer)
            };
        } catch (IOException | RuntimeException | Error e) {
            there.source().close();
            there.sink().close();
            throw e;
        }
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        return in.read(target);
    }

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        return in.read(targets, offset, length);
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        return out.write(source);
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        return out.write(sources, offset, length);
    }

    @Override
    public void shutdownOutput() throws IOException {
        if (out instanceof SocketChannel socket) socket.shutdownOutput();
        else out.close();
    }

    @Override
    public boolean isOpen() {
        return in.isOpen();
    }

    @Override
    public void close() throws IOException {
        try (in) {
            out.close();
        }
    }

    @Override
    public String peer() {
        return peer;
    }
}
