package org.vmferry.mappedram;

import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.layout.Placement;
import org.vmferry.spi.layout.Placement.RunMover;
import org.vmferry.spi.layout.RamLayout;
import org.vmferry.spi.layout.SyncMark;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.spi.ram.Run;

import java.io.IOException;
import java.util.List;
import java.util.OptionalLong;

/** What the engine does around a layout, in a few lines; the payload of the ram section only. */
final class MiniEngine {
    static final int PAGE = 4096;

    /** Moves pages while the START section is done and the END section is not. */
    interface Rounds {
        void run(Placement.Placed placement) throws Exception;
    }

    private MiniEngine() {}

    static void save(TestMain out, TestSession session, List<RamBlock> blocks, Rounds rounds)
            throws Exception {
        out.writing = true;
        try (RamLayout.Saver saver = new MappedRamLayout().saver(session)) {
            out.u64(blocks.stream().mapToLong(RamBlock::usedLength).sum() | 4);
            for (RamBlock block : blocks) {
                out.str8(block.id());
                out.u64(block.usedLength());
                saver.block(out, block);
            }
            Placement placement = saver.placement(out);
            saver.sync(out, SyncMark.FLUSH);
            out.u64(0x10);
            rounds.run((Placement.Placed) placement);
            saver.sync(out, SyncMark.FLUSH);
            saver.end(out);
            out.u64(0x10);
            out.u32(0x7e000000);
        }
    }

    /** Every page of every block once, in runs of an awkward length. */
    static Rounds everything(List<RamBlock> blocks) {
        return placement -> {
            try (RunMover mover = placement.mover()) {
                for (RamBlock block : blocks)
                    for (long page = 0; page < block.pages(); page += 300) {
                        int count = (int) Math.min(300, block.pages() - page);
                        mover.move(new Run(block, page, count));
                    }
            }
        };
    }

    static void load(TestMain in, TestSession session, RamTarget target) throws IOException {
        in.writing = false;
        try (RamLayout.Loader loader = new MappedRamLayout().loader(session)) {
            long left = in.u64() & -8;
            while (left > 0) {
                String id = in.str8();
                long used = in.u64();
                loader.block(in, new BlockHeader(id, used, PAGE, OptionalLong.empty()));
                left -= used;
            }
            Placement.Placed placement = (Placement.Placed) loader.placement(in, target);
            try (var receiver = new DirectReceiver(placement.mover())) {
                loader.section(in, receiver); // START
                loader.section(in, receiver); // END
            }
        }
    }

    /** Fetches at once, in the caller's thread. */
    record DirectReceiver(RunMover mover) implements PageCarrier.Receiver {
        @Override
        public void start(
                Placement placement, java.util.List<org.vmferry.spi.ram.RamBlock> blocks) {}

        @Override
        public void fetch(Run run) throws IOException {
            mover.move(run);
        }

        @Override
        public void sync() {}

        @Override
        public void close() {
            mover.close();
        }
    }
}
