package org.vmferry.multifd;

import org.vmferry.spi.Session;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.layout.Placement;
import org.vmferry.spi.layout.SyncMark;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;

import java.io.IOException;
import java.util.List;

/** Chooses the way once it is known: packets, or places in a file. */
final class MultifdSender implements PageCarrier.Sender {
    /** One of the two. */
    interface Way extends PageCarrier.Sender {
        void connect() throws IOException;
    }

    private final PageCarrier.Channels channels;
    private final Session session;
    private Way way;

    MultifdSender(PageCarrier.Channels channels, Session session) {
        this.channels = channels;
        this.session = session;
    }

    @Override
    public void connect(boolean placed) throws IOException {
        way = placed ? new PlacedSender(session) : new FramedSender(channels, session);
        way.connect();
    }

    @Override
    public void start(Placement placement, List<RamBlock> blocks) throws IOException {
        way.start(placement, blocks);
    }

    @Override
    public void send(Run run) throws IOException {
        way.send(run);
    }

    @Override
    public SyncMark endRound() throws IOException {
        return way.endRound();
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
