package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.engine.ram.InlineIn;
import org.vmferry.engine.ram.PlacedIn;
import org.vmferry.engine.ram.RamIn;
import org.vmferry.engine.stream.FileStreamIn;
import org.vmferry.engine.stream.StreamIn;
import org.vmferry.engine.stream.StreamReader;
import org.vmferry.engine.stream.Trailer;
import org.vmferry.spi.Log;
import org.vmferry.spi.layout.FileLayout.Place;
import org.vmferry.spi.machine.Migratable;
import org.vmferry.spi.transport.IncomingFile;

import java.io.IOException;
import java.util.Map;

/** Out of a file. */
public final class FileLoad extends Load {
    private static final Logger LOG = Log.of(FileLoad.class);

    private final IncomingFile file;
    private final int workers;
    private Map<String, Place> places = Map.of();
    private Trailer trailer = Trailer.NONE;

    /**
     * A load into a machine, from a file that is open; once it runs, it closes that.
     *
     * @param loaded called when all has come, before the machine enters its state
     */
    public FileLoad(
            MigrationSession session,
            Migratable machine,
            Route route,
            IncomingFile file,
            Runnable loaded) {
        this(session, machine, route, file, loaded, route.fileWorkers(session.options()));
    }

    /** As above, with so many who move pages; with none, pages with a place stay there. */
    FileLoad(
            MigrationSession session,
            Migratable machine,
            Route route,
            IncomingFile file,
            Runnable loaded,
            int workers) {
        super(session, machine, route, file, loaded);
        this.file = file;
        this.workers = workers;
    }

    @Override
    void load(Stage stage) throws IOException {
        try (FileStreamIn stream = new FileStreamIn(file)) {
            begin(read(stream, stage));
        }
    }

    @Override
    RamIn ram(StreamIn in) {
        if (route.layout().isEmpty()) return new InlineIn(in, session);
        return new PlacedIn(
                (FileStreamIn) in, session, route.layout().get().loader(session), workers);
    }

    @Override
    void connect(RamIn ram, String machine) throws IOException {
        if (ram instanceof PlacedIn placed) places = placed.places();
        super.connect(ram, machine);
    }

    /** Where the blocks lie that have a place, by their names; none of a stream. */
    Map<String, Place> places() {
        return places;
    }

    @Override
    void behind(StreamReader.Whole read) throws IOException {
        trailer = Trailer.read(file.file(false), read.tail(), read.end());
        if (trailer.damage().isPresent()) {
            LOG.warn(
                    "{}: {}: what it said is lost: which RAM is missing, and more",
                    session.name(),
                    trailer.damage().get());
        }
        contents.keep(trailer.facts());
    }

    @Override
    Trailer trailer() {
        return trailer;
    }
}
