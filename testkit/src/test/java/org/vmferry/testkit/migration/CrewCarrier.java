package org.vmferry.testkit.migration;

import org.vmferry.spi.Feature;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.layout.Placement;
import org.vmferry.spi.layout.SyncMark;
import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A second carrier, to prove the seams: three workers move placed runs, each with a mover of its
 * own; framed runs go to the records by the migration thread.
 */
public final class CrewCarrier implements PageCarrier {
    static final Capability CREW = new Capability("crew");
    final AtomicInteger moved = new AtomicInteger();

    @Override
    public String id() {
        return CREW.name();
    }

    @Override
    public List<Option<?>> options() {
        return List.of(CREW);
    }

    @Override
    public Set<Feature> needs(boolean placed) {
        return Set.of();
    }

    @Override
    public Sender sender(boolean placed, Channels channels, Session session) {
        return new Crew(session, true);
    }

    @Override
    public Receiver receiver(boolean placed, Session session) {
        return new Crew(session, false);
    }

    private final class Crew implements Sender, Receiver {
        private final Session session;
        private final boolean sends;
        private final ArrayBlockingQueue<Run> runs = new ArrayBlockingQueue<>(8);
        private final List<Thread> workers = new ArrayList<>();
        private Placement.MainRecords records;
        private int busy; // runs handed over and not yet moved; guarded by this
        private volatile boolean over;

        Crew(Session session, boolean sends) {
            this.session = session;
            this.sends = sends;
        }

        @Override
        public void start(Placement placement, List<RamBlock> blocks) {
            switch (placement) {
                case Placement.Framed framed -> {
                    if (sends) records = framed.records();
                }
                case Placement.Placed placed -> {
                    for (int i = 0; i < 3; i++) {
                        Thread worker =
                                new Thread(() -> work(placed), session.name() + "-crew-" + i);
                        workers.add(worker);
                        worker.start();
                    }
                }
            }
        }

        private void work(Placement.Placed placed) {
            try (Placement.RunMover mover = placed.mover()) {
                while (!over) {
                    Run run = runs.poll(5, TimeUnit.MILLISECONDS);
                    if (run == null) continue;
                    mover.move(run);
                    moved.incrementAndGet();
                    synchronized (this) {
                        busy--;
                        notifyAll();
                    }
                }
            } catch (IOException | RuntimeException | InterruptedException e) {
                session.fail(e);
            }
        }

        @Override
        public void send(Run run) throws IOException {
            if (records == null) hand(run);
            else records.pages(run);
        }

        @Override
        public void fetch(Run run) throws IOException {
            hand(run);
        }

        private void hand(Run run) throws IOException {
            synchronized (this) {
                busy++;
            }
            try {
                while (!runs.offer(run, 5, TimeUnit.MILLISECONDS)) session.check();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        }

        @Override
        public synchronized void sync() throws IOException {
            try {
                while (busy > 0) {
                    session.check();
                    wait(5);
                }
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        }

        @Override
        public SyncMark endRound() throws IOException {
            sync();
            return SyncMark.FLUSH;
        }

        @Override
        public void endSection() {}

        @Override
        public void connect() {}

        @Override
        public void finish() {}

        @Override
        public void close() {
            over = true;
            for (Thread worker : workers) {
                try {
                    worker.join();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        }
    }
}
