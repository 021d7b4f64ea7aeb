package org.vmferry.multifd;

import org.vmferry.spi.Session;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.layout.Placement;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;

import java.io.IOException;
import java.util.List;

/** Chooses the way once it is known: packets, or places in a file. */
final class MultifdReceiver implements PageCarrier.Receiver {
    /** One of the two. */
    interface Way extends PageCarrier.Receiver {
        void connect() throws IOException;
    }

    private static final long SILENCE_MS = 60_000;

    private final PageCarrier.Channels channels;
    private final Session session;
    private Way way;

    MultifdReceiver(PageCarrier.Channels channels, Session session) {
        this.channels = channels;
        this.session = session;
    }

    @Override
    public void connect(boolean placed) throws IOException {
        way =
                placed
                        ? new PlacedReceiver(session)
                        : new FramedReceiver(channels, session, SILENCE_MS);
        way.connect();
    }

    @Override
    public void start(Placement placement, List<RamBlock> blocks) throws IOException {
        way.start(placement, blocks);
    }

    @Override
    public void fetch(Run run) throws IOException {
        way.fetch(run);
    }

    @Override
    public void beforePage(RamBlock block, long offset) {
        way.beforePage(block, offset);
    }

    @Override
    public void sync() throws IOException {
        way.sync();
    }

    @Override
    public void endSection() throws IOException {
        way.endSection();
    }

    @Override
    public void finish() throws IOException {
        way.finish();
    }

    @Override
    public void close() {
        if (way != null) way.close();
    }
}
