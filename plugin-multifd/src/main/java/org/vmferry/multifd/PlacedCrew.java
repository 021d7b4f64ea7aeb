package org.vmferry.multifd;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.layout.Placement;
import org.vmferry.spi.layout.Placement.Placed;
import org.vmferry.spi.layout.Placement.RunMover;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.session.Session;

import java.io.IOException;

/**
 * Workers that move runs between RAM and their places in a file: no channels, no packets (rule
 * MFD-21). The same in both directions: the mover knows which one it is.
 */
final class PlacedCrew implements AutoCloseable {
    private static final int RUN_BYTES = 1 << 20;

    private final Workers workers;
    private final Crew<Run> crew;
    private final int count;

    PlacedCrew(Session session, String role) {
        count = session.options().get(MultifdOptions.CHANNELS);
        workers = new Workers(session, role);
        crew = new Crew<>(workers, count);
    }

    void start(Placement placement) throws IOException {
        if (!(placement instanceof Placed placed)) {
            throw new MigrationException(
                    Blame.PLUGIN, "multifd prepared for places, the layout gives a stream");
        }
        for (int i = 0; i < count; i++) {
            int worker = i;
            workers.start(worker, () -> work(worker, placed));
        }
    }

    private void work(int worker, Placed placed) throws IOException {
        try (RunMover mover = placed.mover()) {
            for (Run run = crew.take(worker); run != null; run = crew.take(worker)) mover.move(run);
        } catch (Throwable e) {
            throw Workers.named("multifd worker " + worker, e);
        }
    }

    /** Moves a run, in pieces of up to 1 MiB, each by any worker. */
    void move(Run run) throws IOException {
        int limit = Math.max(1, RUN_BYTES / run.block().pageSize());
        for (int done = 0; done < run.pages(); ) {
            int pages = Math.min(limit, run.pages() - done);
            crew.give(run.part(done, pages));
            done += pages;
        }
    }

    /** Waits until everything was moved. */
    void barrier() throws IOException {
        crew.drain();
    }

    /** Ends the workers in order. */
    void finish() throws IOException {
        crew.drain();
        workers.stop();
        workers.join();
    }

    @Override
    public void close() {
        workers.close();
    }
}
