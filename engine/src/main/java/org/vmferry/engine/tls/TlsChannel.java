package org.vmferry.engine.tls;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.security.auth.x500.X500Principal;

/**
 * TLS 1.3 or 1.2 over another channel, its handshake done.
 *
 * <p>One thread may read while another writes: neither waits for the other's socket. A reader never
 * writes: what TLS wants to answer goes out with the next write, as RFC 8446 allows for key
 * updates. {@link #read} gives -1 only after the peer's close_notify, and throws {@link
 * TlsCutException} where the stream ends without.
 */
public final class TlsChannel implements Channel {
    private static final int RECORDS = 8;
    private static final long BYE_MS = 500;
    // After an orderly end the peer may still have megabytes to take out of the sockets.
    private static final long DRAIN_MS = 10_000;
    private static final ByteBuffer[] NOTHING = {ByteBuffer.allocate(0)};

    private final Channel raw;
    private final SSLEngine engine;
    private final ReentrantLock reading = new ReentrantLock();
    private final ReentrantLock writing = new ReentrantLock();
    // Encrypted, from the peer: ready to be read.
    private final ByteBuffer arrived;
    // Decrypted, where the reader's buffers were too small for a record: ready to be read.
    private final ByteBuffer left;
    // Encrypted, for the peer: empty between calls.
    private final ByteBuffer leaving;
    private volatile boolean endedCleanly;
    private boolean outputEnded;
    private Optional<String> certificate = Optional.empty();

    private TlsChannel(Channel raw, SSLEngine engine) {
        this.raw = raw;
        this.engine = engine;
        int packet = engine.getSession().getPacketBufferSize();
        arrived = ByteBuffer.allocateDirect(packet * RECORDS).flip();
        leaving = ByteBuffer.allocateDirect(packet * RECORDS);
        left = ByteBuffer.allocateDirect(engine.getSession().getApplicationBufferSize()).flip();
    }

    /**
     * A source's handshake. On failure the channel is closed.
     *
     * @param raw connected; owned by the result
     * @param credentials a client's
     * @param hostname what the destination's certificate must be for: tls-hostname, or the
     *     address's host; may be empty only where credentials don't verify
     * @param deadline ms for the handshake, after which the channel is released; 0 for none
     * @return ready for use
     * @throws IOException if there is no trust, or no answer
     */
    public static TlsChannel connect(
            Channel raw, TlsCredentials credentials, String hostname, long deadline)
            throws IOException {
        return make(raw, credentials, false, hostname, "", deadline);
    }

    /**
     * A destination's handshake. On failure the channel is closed.
     *
     * @param raw connected; owned by the result
     * @param credentials a server's
     * @param authorized tls-authz: the one distinguished name that may come; empty for all that the
     *     credentials let in
     * @param deadline ms for the handshake, after which the channel is released; 0 for none
     * @return ready for use
     * @throws IOException if there is no trust, or no answer
     */
    public static TlsChannel accept(
            Channel raw, TlsCredentials credentials, String authorized, long deadline)
            throws IOException {
        return make(raw, credentials, true, "", authorized, deadline);
    }

    private static TlsChannel make(
            Channel raw,
            TlsCredentials credentials,
            boolean server,
            String hostname,
            String authorized,
            long ms)
            throws IOException {
        Deadline deadline = new Deadline(raw, ms);
        try (deadline) {
            TlsChannel channel = new TlsChannel(raw, credentials.engine(server, hostname));
            channel.handshake();
            channel.certificate = fingerprint(channel.engine);
            if (!authorized.isEmpty()) channel.authorize(authorized);
            return channel;
        } catch (IOException | RuntimeException e) {
            raw.release();
            if (deadline.passed()) {
                throw new MigrationException(
                        Blame.TRANSPORT,
                        "TLS handshake with %s: not done within %d ms".formatted(raw.peer(), ms),
                        e);
            }
            if (e instanceof SSLException) {
                throw new MigrationException(
                        Blame.PEER,
                        "TLS handshake with %s failed: %s".formatted(raw.peer(), e.getMessage()),
                        e);
            }
            throw e;
        }
    }

    private void handshake() throws IOException {
        try {
            engine.beginHandshake();
            while (true) {
                switch (engine.getHandshakeStatus()) {
                    case NEED_WRAP -> say();
                    case NEED_TASK -> work();
                    case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> hear();
                    case FINISHED, NOT_HANDSHAKING -> {
                        return;
                    }
                }
            }
        } catch (SSLException e) {
            bye(e);
            throw e;
        }
    }

    private void say() throws IOException {
        SSLEngineResult result = engine.wrap(NOTHING, leaving);
        flush();
        if (result.getStatus() == Status.CLOSED) throw new SSLException("the peer closed it");
    }

    private void hear() throws IOException {
        left.clear();
        SSLEngineResult result = engine.unwrap(arrived, left);
        left.flip();
        if (result.getStatus() == Status.CLOSED) throw new SSLException("the peer closed it");
        if (result.getStatus() == Status.BUFFER_UNDERFLOW) fill();
    }

    private void work() {
        for (Runnable task; (task = engine.getDelegatedTask()) != null; ) task.run();
    }

    /** Tells the peer why, if it still listens. */
    private void bye(Throwable why) {
        try {
            engine.closeOutbound();
            while (!engine.isOutboundDone()) {
                if (engine.wrap(NOTHING, leaving).bytesProduced() == 0) break;
                flush();
            }
        } catch (IOException e) {
            why.addSuppressed(e);
        }
    }

    private void authorize(String authorized) throws IOException {
        X500Principal peer;
        try {
            peer =
                    ((X509Certificate) engine.getSession().getPeerCertificates()[0])
                            .getSubjectX500Principal();
            if (peer.equals(new X500Principal(authorized))) return;
        } catch (SSLPeerUnverifiedException e) {
            throw new MigrationException(
                    Blame.PEER,
                    "TLS: tls-authz wants '%s', but %s showed no certificate"
                            .formatted(authorized, raw.peer()),
                    e);
        } catch (IllegalArgumentException e) {
            throw new MigrationException(
                    Blame.USER,
                    "tls-authz: '%s' is no distinguished name: %s"
                            .formatted(authorized, e.getMessage()),
                    e);
        }
        throw MigrationException.peer(
                "TLS: %s is '%s'; tls-authz allows '%s' only", raw.peer(), peer, authorized);
    }

    /** More from the peer; its end here is a cut. */
    private void fill() throws IOException {
        arrived.compact();
        try {
            int read;
            try {
                read = raw.read(arrived);
            } catch (IOException e) {
                if (!raw.isOpen()) throw e;
                throw new TlsCutException(raw.peer(), e); // a reset
            }
            if (read < 0) throw new TlsCutException(raw.peer(), null);
        } finally {
            arrived.flip();
        }
    }

    private void flush() throws IOException {
        leaving.flip();
        try {
            while (leaving.hasRemaining()) raw.write(leaving);
        } finally {
            leaving.clear();
        }
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        return (int) read(new ByteBuffer[] {target}, 0, 1);
    }

    @Override
    public long read(ByteBuffer[] targets) throws IOException {
        return read(targets, 0, targets.length);
    }

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        if (remaining(targets, offset, length) == 0) return 0;
        reading.lock();
        try {
            while (true) {
                if (left.hasRemaining()) return give(targets, offset, length);
                if (endedCleanly) return -1;
                SSLEngineResult result = engine.unwrap(arrived, targets, offset, length);
                if (result.getStatus() == Status.BUFFER_OVERFLOW) {
                    left.clear();
                    result = engine.unwrap(arrived, left);
                    left.flip();
                } else if (result.bytesProduced() > 0) {
                    return result.bytesProduced();
                }
                switch (result.getStatus()) {
                    case BUFFER_UNDERFLOW -> fill();
                    case CLOSED -> endedCleanly = true;
                    case OK -> {
                        if (result.getHandshakeStatus()
                                == SSLEngineResult.HandshakeStatus.NEED_TASK) work();
                    }
                    case BUFFER_OVERFLOW -> throw new SSLException("a record is too long");
                }
            }
        } catch (SSLException e) {
            throw new MigrationException(
                    Blame.PEER, "TLS from " + raw.peer() + ": " + e.getMessage(), e);
        } finally {
            reading.unlock();
        }
    }

    private long give(ByteBuffer[] targets, int offset, int length) {
        int before = left.remaining();
        for (int i = offset; i < offset + length && left.hasRemaining(); i++) {
            int count = Math.min(left.remaining(), targets[i].remaining());
            targets[i].put(left.slice(left.position(), count));
            left.position(left.position() + count);
        }
        return before - left.remaining();
    }

    private static long remaining(ByteBuffer[] buffers, int offset, int length) {
        long sum = 0;
        for (int i = offset; i < offset + length; i++) sum += buffers[i].remaining();
        return sum;
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        return (int) write(new ByteBuffer[] {source}, 0, 1);
    }

    @Override
    public long write(ByteBuffer[] sources) throws IOException {
        return write(sources, 0, sources.length);
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        int packet = engine.getSession().getPacketBufferSize();
        int end = offset + length;
        long taken = 0;
        writing.lock();
        try {
            while (true) {
                while (offset < end && !sources[offset].hasRemaining()) offset++;
                if (offset == end || leaving.remaining() < packet) break;
                SSLEngineResult result = engine.wrap(sources, offset, end - offset, leaving);
                if (result.getStatus() == Status.CLOSED) {
                    throw new SSLException("it was ended before");
                }
                if (result.getStatus() == Status.BUFFER_OVERFLOW) break;
                taken += result.bytesConsumed();
                if (result.getHandshakeStatus() == SSLEngineResult.HandshakeStatus.NEED_TASK) {
                    work();
                }
            }
            flush();
            return taken;
        } catch (SSLException e) {
            throw new MigrationException(
                    Blame.TRANSPORT, "TLS to " + raw.peer() + ": " + e.getMessage(), e);
        } finally {
            writing.unlock();
        }
    }

    /** Sends close_notify, then ends the outgoing direction. */
    @Override
    public void shutdownOutput() throws IOException {
        writing.lock();
        try {
            if (outputEnded) return;
            outputEnded = true;
            engine.closeOutbound();
            while (!engine.isOutboundDone()) {
                if (engine.wrap(NOTHING, leaving).bytesProduced() == 0) break;
                flush();
            }
            raw.shutdownOutput();
        } finally {
            writing.unlock();
        }
    }

    /**
     * Whether the peer ended its direction with close_notify.
     *
     * @return true once {@link #read} gave -1; false before, and after a cut
     */
    public boolean endedCleanly() {
        return endedCleanly;
    }

    /**
     * Who the peer is: the certificate that it showed in the handshake.
     *
     * @return the SHA-256 of the certificate's DER encoding, 64 hexadecimal digits in lower case;
     *     empty if the peer showed none
     */
    public Optional<String> certificate() {
        return certificate;
    }

    private static Optional<String> fingerprint(SSLEngine engine) throws SSLException {
        try {
            byte[] shown = engine.getSession().getPeerCertificates()[0].getEncoded();
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(shown);
            return Optional.of(HexFormat.of().formatHex(hash));
        } catch (SSLPeerUnverifiedException e) {
            return Optional.empty();
        } catch (GeneralSecurityException e) {
            throw new SSLException("the peer's certificate can't be read", e);
        }
    }

    /**
     * The version in use.
     *
     * @return such as {@code TLSv1.3}
     */
    public String protocol() {
        return engine.getSession().getProtocol();
    }

    @Override
    public boolean isOpen() {
        return raw.isOpen();
    }

    /**
     * A server sends session tickets that a source never reads. Closing a socket over unread bytes
     * resets it, and what is still on its way to the peer is lost: so reads to the peer's end.
     */
    private void drain() throws IOException {
        if (!reading.tryLock()) return; // the reader does, and is let go
        try {
            while (raw.read(arrived.clear()) >= 0) {}
        } finally {
            reading.unlock();
        }
    }

    /**
     * Sends close_notify if nobody is writing and the peer takes it soon, and closes. A source's,
     * ended by {@link #shutdownOutput} before, waits until the peer has taken everything and ends
     * its direction too, 10 s at most; {@link #release} does not.
     */
    @Override
    public void close() throws IOException {
        if (raw.isOpen() && writing.tryLock()) {
            try (Deadline deadline = new Deadline(raw, outputEnded ? DRAIN_MS : BYE_MS)) {
                shutdownOutput();
                if (engine.getUseClientMode()) drain();
            } catch (IOException e) {
                // The peer has gone: it needs no goodbye.
            } finally {
                writing.unlock();
            }
        }
        raw.close();
    }

    @Override
    public void release() {
        raw.release();
    }

    @Override
    public String origin() {
        return certificate().map(print -> "certificate " + print).orElseGet(raw::origin);
    }

    @Override
    public String peer() {
        return raw.peer();
    }
}
