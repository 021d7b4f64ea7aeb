package org.vmferry.engine.ram;

import org.vmferry.engine.stream.FileStreamIn;
import org.vmferry.spi.layout.FileLayout.Loader;
import org.vmferry.spi.layout.FileLayout.Place;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** RAM out of a file, every page from the place that a layout gives it. */
public final class PlacedIn implements RamIn {
    private final FileStreamIn in;
    private final Session session;
    private final Loader loader;
    private final FileWorkers workers;
    private final BufferedBlocks buffered;
    private final Map<String, Place> places = new LinkedHashMap<>(); // by block

    /** With a loader, which this closes. */
    public PlacedIn(FileStreamIn in, Session session, Loader loader, int workers) {
        this(in, session, loader, workers, new BufferedBlocks(session));
    }

    PlacedIn(
            FileStreamIn in, Session session, Loader loader, int workers, BufferedBlocks buffered) {
        this.in = in;
        this.session = session;
        this.loader = loader;
        this.buffered = buffered;
        this.workers = new FileWorkers(session, "load", workers, loader::move, run -> false);
    }

    /** What the first block's announcement says; bytes, not checked. */
    OptionalLong pageSize(ByteBuffer ahead) {
        return loader.pageSize(ahead);
    }

    /** Where the blocks lie that the file has a place for, by their names; once they are open. */
    public Map<String, Place> places() {
        return places;
    }

    @Override
    public void block(BlockHeader header) throws IOException {
        loader.block(in, header);
    }

    @Override
    public void open(RamTarget target) throws IOException {
        loader.open(in, target);
    }

    @Override
    public RamBlock opened(RamBlock block) {
        return buffered.of(block);
    }

    @Override
    public void start(Collection<RamBlock> blocks) throws IOException {
        for (RamBlock block : blocks) {
            Optional<Place> place = loader.place(block);
            if (place.isEmpty()) continue;
            places.put(block.id(), place.get());
            session.came(block);
        }
        if (in.isDirect()) buffered.asTheyLie();
        workers.start();
    }

    @Override
    public void pages() throws IOException {
        loader.pages(workers::move);
        workers.drain();
    }

    @Override
    public void section(boolean last) throws IOException {
        loader.section(in);
    }

    @Override
    public void close() {
        try {
            workers.close();
        } finally {
            loader.close();
        }
    }
}
