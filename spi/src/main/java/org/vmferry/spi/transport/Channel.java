package org.vmferry.spi.transport;

import org.vmferry.spi.Status;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.ScatteringByteChannel;

/**
 * A stream of bytes to and from the peer.
 *
 * <p>Blocking: a read returns at least one byte, or -1 at the peer's end; a write may take fewer
 * bytes than offered, but at least one. One thread may read while another writes. {@link #close}
 * and {@link #release} may be called by any thread at any time and let go whoever hangs in a read
 * or write: they get an {@link IOException}. The engine interrupts nobody.
 *
 * <p>{@link JdkChannel} is one over the JDK's sockets or pipes.
 */
@Status(Status.Level.STABLE)
public interface Channel extends ByteChannel, GatheringByteChannel, ScatteringByteChannel {
    /**
     * Reads into buffers, one after another; by default into the first that has room, and no more.
     *
     * @return how many bytes, at least one; 0 only where no buffer has room; -1 at the peer's end
     */
    @Override
    default long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        for (int i = offset; i < offset + length; i++) {
            if (targets[i].hasRemaining()) return read(targets[i]);
        }
        return 0;
    }

    /**
     * Writes out of buffers, one after another; by default out of the first that has bytes, and no
     * more.
     *
     * @return how many bytes, at least one; 0 only where no buffer has any
     */
    @Override
    default long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        for (int i = offset; i < offset + length; i++) {
            if (sources[i].hasRemaining()) return write(sources[i]);
        }
        return 0;
    }

    /** As {@link #read(ByteBuffer[], int, int)} with all of them. */
    @Override
    default long read(ByteBuffer[] targets) throws IOException {
        return read(targets, 0, targets.length);
    }

    /** As {@link #write(ByteBuffer[], int, int)} with all of them. */
    @Override
    default long write(ByteBuffer[] sources) throws IOException {
        return write(sources, 0, sources.length);
    }

    /**
     * Ends the outgoing direction in order: the peer reads every byte and then -1, also if this
     * channel is closed meanwhile. Reading goes on. Without it a peer whose channel is closed may
     * lose what it has not read yet, and learns of the end by -1 or an {@link IOException}.
     *
     * @throws IOException if the connection is lost
     */
    void shutdownOutput() throws IOException;

    /** Lets go, within a second, whoever hangs in this channel; it is of no use afterwards. */
    default void release() {
        try {
            close();
        } catch (IOException e) {
            // The channel is given up anyway; who uses it gets an exception of his own.
        }
    }

    /**
     * Who is at the other end.
     *
     * @return for messages and logs
     */
    String peer();

    /**
     * Whom it comes from, as far as somebody else than the peer vouches for it: the IP address, a
     * unix socket's user, or the certificate that was shown. Two channels of one peer have the
     * same.
     *
     * @return to be compared and shown; empty if it can't be told
     */
    default String origin() {
        return "";
    }
}
