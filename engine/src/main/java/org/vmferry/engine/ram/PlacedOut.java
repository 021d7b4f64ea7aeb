package org.vmferry.engine.ram;

import org.vmferry.engine.stream.FileStreamOut;
import org.vmferry.spi.layout.FileLayout.Saver;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.util.List;

/** RAM in a file, every page at the place that a layout gives it. */
public final class PlacedOut implements RamOut {
    private final FileStreamOut out;
    private final Saver saver;
    private final FileWorkers workers;
    private final BufferedBlocks buffered;
    private volatile boolean direct;

    /** With a saver, which this closes. */
    public PlacedOut(FileStreamOut out, Session session, Saver saver, int workers) {
        this(out, session, saver, workers, new BufferedBlocks(session));
    }

    PlacedOut(
            FileStreamOut out, Session session, Saver saver, int workers, BufferedBlocks buffered) {
        this.out = out;
        this.saver = saver;
        this.buffered = buffered;
        this.workers =
                new FileWorkers(session, "save", workers, saver::move, PlacedOut::isKnownZero);
    }

    /** Nobody looks at it: of a sparse guest there may be TiB. */
    private static boolean isKnownZero(Run run) {
        return run.block().isKnownZero(run.offset(), run.bytes());
    }

    /** Whether pages go around the page cache; false before it is known. Any thread. */
    public boolean direct() {
        return direct;
    }

    @Override
    public void block(RamBlock block) throws IOException {
        saver.block(out, buffered.of(block));
    }

    @Override
    public void start(List<RamBlock> blocks) throws IOException {
        saver.begin(out);
        direct = saver.direct();
        if (direct) buffered.asTheyLie();
        workers.start();
    }

    @Override
    public void send(Run run) throws IOException {
        workers.move(buffered.of(run));
    }

    @Override
    public void endRound() throws IOException {
        workers.drain();
    }

    @Override
    public void end() throws IOException {
        saver.end(out);
        direct = saver.direct(); // the file may have refused it
    }

    @Override
    public void close() {
        try {
            workers.close();
        } finally {
            saver.close();
        }
    }
}
