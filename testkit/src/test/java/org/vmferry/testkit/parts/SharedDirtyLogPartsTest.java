package org.vmferry.testkit.parts;

import org.junit.jupiter.api.Nested;
import org.vmferry.engine.memory.ComparingRam;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.spi.ram.SharedDirtyLog;
import org.vmferry.testkit.conformance.DirtyLogConformance;

import java.util.List;
import java.util.Optional;

/** A reader of a shared log keeps what a log keeps, whoever else reads, and whoever came first. */
class SharedDirtyLogPartsTest {
    private enum Others {
        NONE,
        EARLIER,
        LATER
    }

    @Nested
    class Alone extends DirtyLogConformance {
        @Override
        protected Guest guest() {
            return marking(Others.NONE);
        }
    }

    @Nested
    class BesideAnEarlierOne extends DirtyLogConformance {
        @Override
        protected Guest guest() {
            return marking(Others.EARLIER);
        }
    }

    @Nested
    class BesideALaterOne extends DirtyLogConformance {
        @Override
        protected Guest guest() {
            return marking(Others.LATER);
        }
    }

    @Nested
    class OverAComparisonBesideAnEarlierOne extends DirtyLogConformance {
        @Override
        protected Guest guest() {
            return comparing(Others.EARLIER);
        }
    }

    @Nested
    class OverAComparisonBesideALaterOne extends DirtyLogConformance {
        @Override
        protected Guest guest() {
            return comparing(Others.LATER);
        }
    }

    private static LoggedGuest marking(Others others) {
        return new LoggedGuest.Marking() {
            private final DirtyLog reader = new View(blocks, marks, others);

            @Override
            public Optional<DirtyLog> dirtyLog() {
                return Optional.of(reader);
            }
        };
    }

    private static LoggedGuest comparing(Others others) {
        return new LoggedGuest.Ignorant() {
            @Override
            RamProvider comparing(List<RamBlock> all) {
                ComparingRam ram = new ComparingRam(all);
                DirtyLog reader = new View(ram.blocks(), ram, others);
                return RamProvider.of(ram.blocks(), reader);
            }
        };
    }

    /** One reader, and between its start and its stop another that harvests all the time. */
    private static final class View implements DirtyLog {
        private final List<RamBlock> blocks;
        private final DirtyLog reader;
        private final DirtyLog other;
        private final DirtyLog idle;
        private final Others others;
        private volatile boolean over;
        private Thread thread;

        View(List<RamBlock> blocks, DirtyLog log, Others others) {
            SharedDirtyLog shared = new SharedDirtyLog(blocks, log);
            this.blocks = blocks;
            reader = shared.reader();
            other = shared.reader();
            idle = shared.reader();
            this.others = others;
        }

        @Override
        public void start() {
            if (others == Others.EARLIER) begin();
            reader.start();
            if (others == Others.LATER) begin();
        }

        private void begin() {
            other.start();
            idle.start();
            over = false;
            thread = new Thread(this::harvestAll, "other");
            thread.start();
        }

        private void harvestAll() {
            while (!over) {
                for (RamBlock block : blocks) other.harvest(block, new PageBitmap(block.pages()));
            }
        }

        @Override
        public void stop() {
            if (others == Others.EARLIER) end();
            reader.stop();
            if (others == Others.LATER) end();
        }

        private void end() {
            over = true;
            try {
                if (thread != null) thread.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            other.stop();
            idle.stop();
        }

        @Override
        public void harvest(RamBlock block, PageBitmap into) {
            reader.harvest(block, into);
        }
    }
}
