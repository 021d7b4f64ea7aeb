package org.vmferry.engine.ram;

import org.vmferry.spi.Feature;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.layout.Placement;
import org.vmferry.spi.layout.SyncMark;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.ram.ZeroPages;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;

/**
 * The migration thread itself moves the pages: the carrier where no capability asks for another.
 */
public final class MainCarrier implements PageCarrier {
    /** The carrier's id. */
    public static final String ID = "main";

    /** One of the engine's own, that {@code Plugins} makes. */
    public MainCarrier() {}

    @Override
    public String id() {
        return ID;
    }

    @Override
    public Set<Feature> needs(boolean placed) {
        return Set.of();
    }

    @Override
    public Sender sender(boolean placed, Channels channels, Session session) {
        return new MainSender(session);
    }

    @Override
    public Receiver receiver(boolean placed, Session session) {
        return new MainReceiver();
    }

    private static final class MainSender implements Sender {
        private final Session session;
        private final Arena arena = Arena.ofShared();
        private MemorySegment copy = MemorySegment.NULL; // of blocks without a segment
        private Placement.MainRecords records;
        private Placement.RunMover mover;

        MainSender(Session session) {
            this.session = session;
        }

        @Override
        public void start(Placement placement, List<RamBlock> blocks) throws IOException {
            switch (placement) {
                case Placement.Framed framed -> records = framed.records();
                case Placement.Placed placed -> mover = placed.mover();
            }
        }

        @Override
        public void send(Run run) throws IOException {
            if (mover != null) mover.move(run);
            else frame(run);
        }

        /** Splits a run into records of zero pages and of others. */
        private void frame(Run run) throws IOException {
            RamBlock block = run.block();
            long offset = run.offset();
            if (block.isKnownZero(offset, run.bytes())) {
                records.zeros(run);
                return;
            }
            MemorySegment memory = block.memory().orElse(null);
            if (memory == null) {
                if (copy.byteSize() < run.bytes()) copy = arena.allocate(run.bytes());
                memory = copy.asSlice(0, run.bytes());
                block.read(offset, memory);
                offset = 0;
            }
            for (int done = 0; done < run.pages(); ) {
                int alike =
                        ZeroPages.leading(
                                memory,
                                offset + (long) done * block.pageSize(),
                                block.pageSize(),
                                run.pages() - done);
                Run part = run.part(done, Math.abs(alike));
                if (alike < 0) {
                    records.zeros(part);
                } else {
                    session.permit(part.bytes());
                    records.pages(part);
                }
                done += part.pages();
            }
        }

        @Override
        public SyncMark endRound() {
            return SyncMark.NONE;
        }

        @Override
        public void close() {
            if (mover != null) mover.close();
            arena.close();
        }
    }

    private static final class MainReceiver implements Receiver {
        private Placement.RunMover mover;

        @Override
        public void start(Placement placement, List<RamBlock> blocks) throws IOException {
            if (placement instanceof Placement.Placed placed) mover = placed.mover();
        }

        @Override
        public void fetch(Run run) throws IOException {
            mover.move(run);
        }

        @Override
        public void sync() {}

        @Override
        public void close() {
            if (mover != null) mover.close();
        }
    }
}
