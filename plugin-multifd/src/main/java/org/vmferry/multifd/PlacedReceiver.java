package org.vmferry.multifd;

import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.layout.Placement;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.util.List;

/** Reads pages from their places in a file (rule MFD-21). */
final class PlacedReceiver implements PageCarrier.Receiver {
    private final PlacedCrew crew;

    PlacedReceiver(Session session) {
        crew = new PlacedCrew(session, "load");
    }

    @Override
    public void start(Placement placement, List<RamBlock> blocks) throws IOException {
        crew.start(placement);
    }

    @Override
    public void fetch(Run run) throws IOException {
        crew.move(run);
    }

    @Override
    public void sync() throws IOException {
        crew.barrier();
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
