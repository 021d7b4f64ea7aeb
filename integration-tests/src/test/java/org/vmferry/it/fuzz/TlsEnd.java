package org.vmferry.it.fuzz;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.BiFunction;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;

/**
 * A connection to the JDK's TLS, whose flights (what it says before it waits) are changed on their
 * way. It answers whenever it is read from; once it has nothing more to say, it ends.
 */
final class TlsEnd extends MemoryChannel {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final SSLEngine engine;
    private final BiFunction<Integer, byte[], byte[]> way;
    private final ByteBuffer says;
    private final ByteBuffer record;
    private final ByteBuffer plain;
    private ByteBuffer heard = NOTHING; // not yet understood
    private ByteBuffer said = NOTHING; // not yet read
    private int asks;
    private int flight;
    private boolean gone;

    /**
     * A client or server.
     *
     * @param says what, once the handshake is done
     * @param asks how often, before that, for another key
     * @param way what becomes of each flight, by its number
     */
    TlsEnd(SSLEngine engine, byte[] says, int asks, BiFunction<Integer, byte[], byte[]> way) {
        this.engine = engine;
        this.says = ByteBuffer.wrap(says);
        this.asks = asks;
        this.way = way;
        record = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        plain = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize());
    }

    @Override
    public synchronized int read(ByteBuffer target) throws IOException {
        check();
        if (!said.hasRemaining()) speak();
        return give(said, target);
    }

    @Override
    public synchronized int write(ByteBuffer source) throws IOException {
        check();
        int count = source.remaining();
        ByteBuffer more = ByteBuffer.allocate(heard.remaining() + count);
        heard = more.put(heard).put(source).flip();
        return count;
    }

    private void speak() {
        ByteArrayOutputStream flown = new ByteArrayOutputStream();
        try {
            while (!gone && step(flown)) {}
        } catch (SSLException | RuntimeException e) { // nothing of it is under test
            gone = true;
            leave(flown);
        }
        if (flown.size() > 0) said = ByteBuffer.wrap(way.apply(flight++, flown.toByteArray()));
    }

    /** False if it has to hear before. */
    private boolean step(ByteArrayOutputStream flown) throws SSLException {
        switch (engine.getHandshakeStatus()) {
            case NEED_TASK -> engine.getDelegatedTask().run();
            case NEED_WRAP -> say(NOTHING, flown);
            case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
                return hear();
            }
            default -> {
                if (asks > 0) {
                    asks--;
                    engine.beginHandshake();
                } else if (says.hasRemaining()) {
                    say(says, flown);
                } else if (engine.getUseClientMode() || !hear()) {
                    gone = true;
                    leave(flown);
                }
            }
        }
        return true;
    }

    private void say(ByteBuffer bytes, ByteArrayOutputStream flown) throws SSLException {
        SSLEngineResult result = engine.wrap(bytes, record.clear());
        flown.write(record.array(), 0, record.position());
        if (result.getStatus() == Status.CLOSED) gone = true;
    }

    private boolean hear() throws SSLException {
        SSLEngineResult result = engine.unwrap(heard, plain.clear());
        if (result.getStatus() == Status.CLOSED && engine.isOutboundDone()) gone = true;
        return result.bytesConsumed() > 0;
    }

    /** With close_notify, or the alert that says what was wrong. */
    private void leave(ByteArrayOutputStream flown) {
        try {
            engine.closeOutbound();
            while (!engine.isOutboundDone()) {
                engine.wrap(NOTHING, record.clear());
                if (record.position() == 0) return;
                flown.write(record.array(), 0, record.position());
            }
        } catch (SSLException | RuntimeException e) {
            // It ends without.
        }
    }
}
