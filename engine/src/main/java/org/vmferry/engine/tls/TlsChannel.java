package org.vmferry.engine.tls;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.Security;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;

/**
 * TLS 1.3 or 1.2 over another channel, its handshake done.
 *
 * <p>One thread may read while another writes: neither waits for the other's socket. {@link #read}
 * gives -1 only after the peer's close_notify, and throws {@link TlsCutException} where the stream
 * ends without.
 *
 * <p>With TLS 1.3 who writes changes its key in time, and says so by a KeyUpdate. Who reads answers
 * where it is asked to, and may ask itself: the JDK does, once jdk.tls.keyLimits bytes came under
 * one key, with every record until it is obeyed.
 *
 * <p>On a channel that was only read so far, this side says nothing before it ends: the peer may
 * never read, and what it leaves unread resets the connection when it closes it, under the last
 * pages. On a channel that was written to, be it an empty buffer, {@link #read} answers at once,
 * and fails where it would have to ask: a QEMU bears few KeyUpdates a second, and its source tells
 * only at the end that it has had more.
 */
@Status(Status.Level.INTERNAL)
public final class TlsChannel implements Channel {
    private static final long BYE_MS = 500;
    // After an orderly end the peer may still have megabytes to take out of the sockets.
    private static final long DRAIN_MS = 10_000;

    static final String KEYS_CHANGE = "TLSv1.3"; // and in no other version
    private static final Set<HandshakeStatus> DONE =
            EnumSet.of(HandshakeStatus.NOT_HANDSHAKING, HandshakeStatus.FINISHED);

    // So many answers wait for the writer, who is at the peer's mercy, at the most.
    private static final int MOST_OWED = 4096;

    private final Channel raw;
    private final SSLEngine engine;
    private final Records records;
    private final OwnKey own;
    private long patience; // ms
    private final ReentrantLock reading = new ReentrantLock();
    private final ReentrantLock writing = new ReentrantLock();
    private volatile boolean endedCleanly;
    private boolean outputEnded; // guarded by writing
    // Whether the peer is known to read; whether this side is silent because it may not.
    private volatile boolean written;
    private volatile boolean silent;
    // Answers that nobody has sent yet.
    private final AtomicInteger owed = new AtomicInteger();
    private PeerCertificate shown = PeerCertificate.NONE;

    private TlsChannel(Channel raw, SSLEngine engine, long patience) {
        this.raw = raw;
        this.engine = engine;
        this.patience = patience;
        records = new Records(raw, engine);
        own = new OwnKey(engine, raw.peer());
    }

    /**
     * A source's handshake. On failure the channel is closed.
     *
     * @param raw connected; owned by the result
     * @param credentials a client's
     * @param hostname what the destination's certificate must be for: tls-hostname, or the
     *     address's host; may be empty only where credentials don't verify
     * @param deadline ms for the handshake, and for each answer of TLS's own afterwards, after
     *     which the channel is released; 0 for none
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
     * @param deadline ms for the handshake, and for each answer of TLS's own afterwards, after
     *     which the channel is released; 0 for none
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
        try {
            TlsChannel channel = new TlsChannel(raw, credentials.engine(server, hostname), ms);
            new Handshake(raw, channel.engine, channel.records).within(ms);
            channel.shown = PeerCertificate.of(channel.engine.getSession());
            if (!authorized.isEmpty()) channel.shown.authorize(authorized, raw.peer());
            return channel;
        } catch (IOException e) {
            raw.release();
            throw e;
        } catch (RuntimeException | Error e) {
            raw.release();
            MigrationException typed = MigrationException.of(e);
            throw new MigrationException(
                    typed.blame(), "TLS with %s: %s".formatted(raw.peer(), typed.getMessage()), e);
        }
    }

    private void sayAll() throws IOException {
        while (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) own.wrapped(records.say());
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        return (int) read(new ByteBuffer[] {target}, 0, 1);
    }

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        if (remaining(targets, offset, length) == 0) return 0;
        reading.lock();
        try {
            while (true) {
                if (records.hasLeft()) return records.give(targets, offset, length);
                if (endedCleanly) return -1;
                SSLEngineResult result = records.unwrap(targets, offset, length);
                switch (result.getStatus()) {
                    case BUFFER_UNDERFLOW -> records.fill();
                    case CLOSED -> endedCleanly = true;
                    case OK -> attend(result);
                    case BUFFER_OVERFLOW -> throw new SSLException("a record is too long");
                }
                if (!records.hasLeft() && result.bytesProduced() > 0) {
                    return result.bytesProduced();
                }
            }
        } catch (SSLException e) {
            throw new MigrationException(
                    Blame.PEER, "TLS from " + raw.peer() + ": " + e.getMessage(), e);
        } finally {
            reading.unlock();
        }
    }

    /** What TLS wants beside the data. */
    private void attend(SSLEngineResult result) throws IOException {
        HandshakeStatus wants = result.getHandshakeStatus();
        if (wants == HandshakeStatus.NEED_TASK) {
            records.work();
            wants = engine.getHandshakeStatus();
        }
        noOther(wants);
        if (wants != HandshakeStatus.NEED_WRAP || silent) return;
        int before = owed.getAndIncrement();
        if (before == MOST_OWED) {
            throw new SSLException("it changes its key time and again, and takes no answer");
        }
        pay(before == 0 && result.bytesProduced() > 0);
    }

    private boolean keysChange() {
        return protocol().equals(KEYS_CHANGE);
    }

    /** TLS 1.2 may ask for a handshake in the middle, with another certificate or none. */
    private void noOther(HandshakeStatus wants) throws SSLException {
        if (keysChange() || DONE.contains(wants)) return;
        throw new SSLException(
                "it asks for another handshake (a renegotiation), which is refused: TLS 1.3 needs"
                        + " none");
    }

    /**
     * Says what is owed, unless somebody is writing, who does it afterwards.
     *
     * @param asks whether that is no answer, but the JDK's asking for another key
     */
    private void pay(boolean asks) throws IOException {
        while (owed.get() > 0 && writing.tryLock()) {
            try {
                owed.set(0);
                if (engine.getHandshakeStatus() != HandshakeStatus.NEED_WRAP) continue;
                if (!written) silence();
                else if (asks) throw keyUsedUp();
                else answer();
            } finally {
                writing.unlock();
            }
        }
    }

    private MigrationException keyUsedUp() {
        return MigrationException.user(
                "TLS from %s: this JVM takes no more bytes under one key (jdk.tls.keyLimits is"
                        + " '%s'), and not every peer bears to be asked for another: raise the"
                        + " limit",
                raw.peer(), Security.getProperty("jdk.tls.keyLimits"));
    }

    private void answer() throws IOException {
        Deadline deadline = new Deadline(raw, patience);
        try (deadline) {
            sayAll();
        } catch (IOException e) {
            if (!deadline.passed()) throw e;
            throw new MigrationException(
                    Blame.PEER,
                    "TLS to %s: it took no answer within %d ms".formatted(raw.peer(), patience),
                    e);
        }
    }

    /** What is to be said stays in the engine, which adds nothing to it once it is ended. */
    private void silence() {
        silent = true;
        engine.closeOutbound();
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
    public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        int end = offset + length;
        long taken = 0;
        writing.lock();
        try {
            if (silent && !outputEnded) {
                throw new SSLException(
                        "nothing can be written any more, since the first key was used up before"
                                + " anything was (jdk.tls.keyLimits)");
            }
            written = true;
            owed.set(0); // they go out first
            while (true) {
                while (offset < end && !sources[offset].hasRemaining()) offset++;
                if (offset == end || !records.haveRoom()) break;
                SSLEngineResult result = records.wrap(sources, offset, end - offset);
                if (result.getStatus() == SSLEngineResult.Status.CLOSED) {
                    throw new SSLException("it was ended before");
                }
                if (result.getStatus() == SSLEngineResult.Status.BUFFER_OVERFLOW) break;
                taken += result.bytesConsumed();
                noOther(result.getHandshakeStatus()); // it would take no more bytes, without end
                if (result.getHandshakeStatus() == HandshakeStatus.NEED_TASK) records.work();
                if (keysChange()) own.wrapped(result);
            }
            records.flush();
            sayAll(); // so that what a reader finds to be said is the reader's
        } catch (SSLException e) {
            throw new MigrationException(
                    Blame.TRANSPORT, "TLS to " + raw.peer() + ": " + e.getMessage(), e);
        } finally {
            writing.unlock();
        }
        pay(false);
        return taken;
    }

    /** Sends close_notify, then ends the outgoing direction. */
    @Override
    public void shutdownOutput() throws IOException {
        writing.lock();
        try {
            if (outputEnded) return;
            outputEnded = true;
            records.end();
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
        return shown.fingerprint();
    }

    /** For tests. */
    OwnKey own() {
        return own;
    }

    /** For tests: ms that an answer may take. */
    void patience(long ms) {
        patience = ms;
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
            records.drain();
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
        try {
            if (raw.isOpen() && writing.tryLock()) sayGoodbye();
        } finally {
            raw.close(); // also where no thread is to be had for a deadline
        }
    }

    /** With the lock for writing held, which it gives back. */
    private void sayGoodbye() {
        try (Deadline deadline = new Deadline(raw, outputEnded ? DRAIN_MS : BYE_MS)) {
            shutdownOutput();
            if (engine.getUseClientMode()) drain();
        } catch (IOException e) {
            // The peer has gone: it needs no goodbye.
        } finally {
            writing.unlock();
        }
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
