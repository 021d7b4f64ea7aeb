package org.vmferry.engine.tls;

import org.slf4j.Logger;
import org.vmferry.spi.Log;

import java.security.Security;
import java.util.function.LongSupplier;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;

/**
 * The key under which this side of a TLS 1.3 channel writes. For whoever holds the channel's lock
 * for writing.
 */
final class OwnKey {
    private static final Logger LOG = Log.of(OwnKey.class);

    // A JDK asks for another after twice as much, a QEMU changes its own after 2^24 records.
    static final long LASTS = 1L << 36;
    private static final long SECOND = 1_000_000_000;

    private final SSLEngine engine;
    private final String peer;
    private final LongSupplier clock; // ns
    private long lasts = LASTS;
    private long used;
    private int changes;
    private long changed; // the last time, in ns
    private boolean warned;

    OwnKey(SSLEngine engine, String peer) {
        this(engine, peer, System::nanoTime);
    }

    /** By another clock, of nanoseconds. */
    OwnKey(SSLEngine engine, String peer, LongSupplier clock) {
        this.engine = engine;
        this.peer = peer;
        this.clock = clock;
    }

    /** Another number of bytes for each key. */
    void lasts(long bytes) {
        lasts = bytes;
    }

    /** How often it was changed. */
    int changes() {
        return changes;
    }

    /** Counts a record, and changes the key when it is time. */
    void wrapped(SSLEngineResult record) throws SSLException {
        used += record.bytesConsumed();
        if (record.bytesConsumed() == 0) { // a KeyUpdate, whoever wanted it
            used = 0;
            changes++;
            warn(clock.getAsLong());
        }
        if (used < lasts || engine.isInboundDone()) return;
        used = 0;
        engine.beginHandshake();
    }

    private void warn(long now) {
        if (changes > 1 && now - changed < SECOND && !warned) {
            warned = true;
            LOG.warn(
                    "TLS to {}: this JVM changes its key more than once a second, and a QEMU may"
                            + " break off: raise jdk.tls.keyLimits, which is '{}'",
                    peer,
                    Security.getProperty("jdk.tls.keyLimits"));
        }
        changed = now;
    }
}
