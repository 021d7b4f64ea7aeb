package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.spi.Joined;
import org.vmferry.spi.Log;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.compression.CompressionProvider.Compressor;
import org.vmferry.spi.compression.CompressionProvider.Decompressor;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Uses what a switch-over will use, on a thread of its own, while the guest still runs: what a JVM
 * uses for the first time takes it long.
 */
public final class Warmth implements AutoCloseable {
    private static final Logger LOG = Log.of(Warmth.class);
    private static final long PATIENCE_MS = 5000;
    private static final int SAMPLE = 4096; // bytes

    private final Thread thread;
    private boolean waited; // in vain; the migration thread's

    /** Begins to warm for a migration. */
    Warmth(MigrationSession session) {
        thread = new Thread(() -> warm(session), session.name() + "-warmth");
        thread.setDaemon(true);
        if (!session.isRehearsal()) thread.start();
    }

    /** Warms the JVM, and a migration's codec; returns when it is done. */
    public static void warm(Session session) {
        Rehearsal.hold();
        try {
            if (session.codec().isPresent()) warm(session, session.codec().get());
        } catch (Exception | LinkageError e) {
            // It fails again where it is needed, and is blamed there.
            LOG.debug("{}: the codec failed when it was tried", session.name(), e);
        }
    }

    private static void warm(Session session, CompressionProvider codec) throws IOException {
        try (Arena arena = Arena.ofConfined();
                Compressor compressor = codec.compressor(session.options().get(codec.level()));
                Decompressor decompressor = codec.decompressor()) {
            ByteBuffer sample = arena.allocate(SAMPLE).asByteBuffer();
            ByteBuffer packed = arena.allocate(compressor.maximumOutput(SAMPLE)).asByteBuffer();
            compressor.compress(sample, packed, true);
            decompressor.decompress(packed.flip(), sample.clear());
            decompressor.endPacket(packed);
        }
    }

    /** Waits until all is warm, though not for ever: cold, it goes as well. */
    void await() {
        if (waited || Joined.within(List.of(thread), PATIENCE_MS)) return;
        LOG.warn("{} still tries the codec: it goes on without", thread.getName());
        waited = true;
    }

    /** What is tried may be a codec that hangs: the guest does not stand still for it. */
    @Override
    public void close() {
        await();
    }
}
