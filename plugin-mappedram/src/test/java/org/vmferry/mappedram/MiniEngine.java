package org.vmferry.mappedram;

import org.vmferry.spi.doubles.TestMain;
import org.vmferry.spi.doubles.TestSession;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.ram.Staging;

import java.io.IOException;
import java.util.List;
import java.util.OptionalLong;

/** What the engine does around a layout, in a few lines; the payload of the ram section only. */
final class MiniEngine {
    static final int PAGE = 4096;

    /** Moves pages while the START section is done and the END section is not. */
    interface Rounds {
        void run(FileLayout.Saver saver) throws Exception;
    }

    private MiniEngine() {}

    static TestSession session(boolean direct) {
        return new TestSession("test", Options.DEFAULTS.with(MappedRamOptions.DIRECT_IO, direct));
    }

    static void save(TestMain out, TestSession session, List<RamBlock> blocks, Rounds rounds)
            throws Exception {
        save(new MappedRamLayout(), out, session, blocks, rounds);
    }

    static void save(
            MappedRamLayout layout,
            TestMain out,
            TestSession session,
            List<RamBlock> blocks,
            Rounds rounds)
            throws Exception {
        out.writing = true;
        try (FileLayout.Saver saver = layout.saver(session)) {
            out.u64(blocks.stream().mapToLong(RamBlock::usedLength).sum() | 4);
            for (RamBlock block : blocks) {
                out.str8(block.id());
                out.u64(block.usedLength());
                saver.block(out, block);
            }
            saver.begin(out);
            out.u64(0x10);
            rounds.run(saver);
            saver.end(out);
            out.u64(0x10);
            out.u32(0x7e000000);
        }
        session.check();
    }

    /** As a worker is given it: in pieces of up to 1 MiB. */
    static void move(FileLayout.Saver saver, Run run, Staging staging) throws IOException {
        int most = Staging.pages(PAGE);
        for (int done = 0; done < run.pages(); done += most)
            saver.move(run.part(done, Math.min(most, run.pages() - done)), staging);
    }

    /** Every page of every block once, in runs of an awkward length. */
    static Rounds everything(List<RamBlock> blocks) {
        return saver -> {
            try (Staging staging = new Staging()) {
                for (RamBlock block : blocks)
                    for (long page = 0; page < block.pages(); page += 300) {
                        int count = (int) Math.min(300, block.pages() - page);
                        move(saver, new Run(block, page, count), staging);
                    }
            }
        };
    }

    static void load(TestMain in, TestSession session, RamTarget target) throws IOException {
        in.writing = false;
        try (FileLayout.Loader loader = new MappedRamLayout().loader(session)) {
            long left = in.u64() & -8;
            while (left > 0) {
                String id = in.str8();
                long used = in.u64();
                loader.block(in, new BlockHeader(id, used, PAGE, OptionalLong.empty()));
                left -= used;
            }
            loader.open(in, target);
            try (Staging staging = new Staging()) {
                loader.pages(run -> loader.move(run, staging));
            }
            loader.section(in); // END
        }
        session.check();
    }
}
