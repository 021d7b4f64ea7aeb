package org.vmferry.mappedram;

import org.slf4j.Logger;
import org.vmferry.spi.Log;
import org.vmferry.spi.session.Session;
import org.vmferry.spi.transport.ForwardingFile;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A file that is written around the page cache until it refuses that, as file systems may that
 * could be opened so: what nobody has asked for is not to fail a save. What could not be written,
 * and all after it, goes through the page cache; if the disk is to blame, that fails too, when it
 * is written or when it is synced.
 */
final class DirectUnlessRefused extends ForwardingFile {
    private static final Logger LOG = Log.of(DirectUnlessRefused.class);

    private final PositionedFile cached;
    private final Session session;
    private volatile boolean refused;

    /**
     * Over the same file, opened twice.
     *
     * @param direct around the page cache
     * @param cached through it
     * @param session the migration
     */
    DirectUnlessRefused(PositionedFile direct, PositionedFile cached, Session session) {
        super(direct);
        this.cached = cached;
        this.session = session;
    }

    @Override
    public int alignment() {
        return refused ? cached.alignment() : real.alignment();
    }

    @Override
    public void write(ByteBuffer source, long position) throws IOException {
        if (!refused) {
            try {
                real.write(source.duplicate(), position);
                source.position(source.limit());
                return;
            } catch (IOException e) {
                session.check();
                LOG.info("{}: no more direct-io: {}", session.name(), e.getMessage());
                refused = true;
            }
        }
        cached.write(source, position);
    }
}
