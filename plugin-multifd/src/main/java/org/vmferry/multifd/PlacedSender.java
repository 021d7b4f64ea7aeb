package org.vmferry.multifd;

import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.layout.Placement;
import org.vmferry.spi.layout.SyncMark;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.util.List;

/** Writes pages to their places in a file; synchronises by itself (rule MFD-21). */
final class PlacedSender implements PageCarrier.Sender {
    private final PlacedCrew crew;

    PlacedSender(Session session) {
        crew = new PlacedCrew(session, "save");
    }

    @Override
    public void start(Placement placement, List<RamBlock> blocks) throws IOException {
        crew.start(placement);
    }

    @Override
    public void send(Run run) throws IOException {
        crew.move(run);
    }

    @Override
    public SyncMark endRound() throws IOException {
        crew.barrier();
        return SyncMark.NONE;
    }

    @Override
    public void finish() throws IOException {
        crew.finish();
    }

    @Override
    public void close() {
        crew.close();
    }
}
