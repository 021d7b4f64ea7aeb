package org.vmferry.engine.tls;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.ByteBuffer;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;

/**
 * TLS's records on their way to and from a channel: the buffers between it and the engine. One
 * thread may use what reads while another uses what writes; the handshake uses both.
 *
 * <p>The buffers lie in the heap. Direct ones measure no better, as the engine copies them; and
 * they would stay until the garbage collector comes, long after the channel has ended.
 */
final class Records {
    private static final int RECORDS = 8;
    private static final ByteBuffer[] NOTHING = {ByteBuffer.allocate(0)};

    private final Channel raw;
    private final SSLEngine engine;
    private final int longest; // record, in bytes
    // Encrypted, from the peer: ready to be read.
    private final ByteBuffer arrived;
    // Decrypted, where the reader's buffers were too small for a record: ready to be read.
    private final ByteBuffer left;
    // Encrypted, for the peer: empty between calls.
    private final ByteBuffer leaving;

    /** Over a channel, which stays its owner's. */
    Records(Channel raw, SSLEngine engine) {
        this.raw = raw;
        this.engine = engine;
        longest = engine.getSession().getPacketBufferSize();
        arrived = ByteBuffer.allocate(longest * RECORDS).flip();
        leaving = ByteBuffer.allocate(longest * RECORDS);
        left = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize()).flip();
    }

    /** The next record of a handshake, or more of it. */
    void hear() throws IOException {
        left.clear();
        SSLEngineResult result = engine.unwrap(arrived, left);
        left.flip();
        if (result.getStatus() == Status.CLOSED) throw new SSLException("the peer closed it");
        if (result.getStatus() == Status.BUFFER_UNDERFLOW) fill();
    }

    /** What the engine wants to have done beside the records. */
    void work() {
        for (Runnable task; (task = engine.getDelegatedTask()) != null; ) task.run();
    }

    /** Sends a record of TLS's own. */
    SSLEngineResult say() throws IOException {
        SSLEngineResult result = engine.wrap(NOTHING, leaving);
        flush();
        if (result.getStatus() == Status.CLOSED) throw new SSLException("the peer closed it");
        return result;
    }

    /** Sends what ends this direction: close_notify, or the alert that says what went wrong. */
    void end() throws IOException {
        engine.closeOutbound();
        while (!engine.isOutboundDone()) {
            if (engine.wrap(NOTHING, leaving).bytesProduced() == 0) break;
            flush();
        }
    }

    /** Whether another record fits before a flush. */
    boolean haveRoom() {
        return leaving.remaining() >= longest;
    }

    /** Makes a record of what these buffers have; it goes out with the next flush. */
    SSLEngineResult wrap(ByteBuffer[] sources, int offset, int length) throws SSLException {
        return engine.wrap(sources, offset, length, leaving);
    }

    /** Sends all records that wait. */
    void flush() throws IOException {
        leaving.flip();
        try {
            while (leaving.hasRemaining()) raw.write(leaving);
        } finally {
            leaving.clear();
        }
    }

    /** More from the peer; its end here is a cut. */
    void fill() throws IOException {
        arrived.compact();
        try {
            int read;
            try {
                read = raw.read(arrived);
            } catch (IOException e) {
                if (!raw.isOpen()) throw e;
                if (e instanceof MigrationException why && why.blame().isCodes()) throw e;
                throw new TlsCutException(raw.peer(), e); // a reset
            }
            if (read < 0) throw new TlsCutException(raw.peer(), null);
        } finally {
            arrived.flip();
        }
    }

    /** Decrypts the next record into these buffers, or if they are too small, to be given. */
    SSLEngineResult unwrap(ByteBuffer[] targets, int offset, int length) throws SSLException {
        SSLEngineResult result = engine.unwrap(arrived, targets, offset, length);
        if (result.getStatus() != Status.BUFFER_OVERFLOW) return result;
        left.clear();
        result = engine.unwrap(arrived, left);
        left.flip();
        return result;
    }

    /** Whether decrypted bytes wait to be given. */
    boolean hasLeft() {
        return left.hasRemaining();
    }

    /** Gives decrypted bytes that wait. */
    long give(ByteBuffer[] targets, int offset, int length) {
        int before = left.remaining();
        for (int i = offset; i < offset + length && left.hasRemaining(); i++) {
            int count = Math.min(left.remaining(), targets[i].remaining());
            targets[i].put(left.slice(left.position(), count));
            left.position(left.position() + count);
        }
        return before - left.remaining();
    }

    /** Reads to the peer's end, and drops it. */
    void drain() throws IOException {
        while (raw.read(arrived.clear()) >= 0) {}
    }
}
