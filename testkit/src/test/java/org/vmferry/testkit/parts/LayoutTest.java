package org.vmferry.testkit.parts;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.TestFactory;
import org.vmferry.engine.ram.InlineLayout;
import org.vmferry.mappedram.MappedRamLayout;
import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.layout.MainIn;
import org.vmferry.spi.layout.MainOut;
import org.vmferry.spi.layout.Placement;
import org.vmferry.spi.layout.RamLayout;
import org.vmferry.spi.layout.SyncMark;
import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.session.Session;
import org.vmferry.testkit.conformance.RamLayoutConformance;

import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** The layouts that come with vmferry, and layouts that break one rule each. */
class LayoutTest {
    @Nested
    class Inline extends RamLayoutConformance {
        @Override
        protected RamLayout provider() {
            return new InlineLayout();
        }
    }

    @Nested
    class MappedRam extends RamLayoutConformance {
        @Override
        protected RamLayout provider() {
            return new MappedRamLayout();
        }
    }

    @TestFactory
    Stream<DynamicTest> eachIsCaught() {
        return Twins.of(LayoutTest.class, RamLayoutConformance.class, "PRV-");
    }

    /** In-line under another name, of which a twin changes one thing. */
    abstract static class Suite extends RamLayoutConformance implements RamLayout {
        private static final Capability TWIN = new Capability("twin");
        final RamLayout real = new InlineLayout();

        @Override
        protected Duration patience() {
            return Duration.ofSeconds(8);
        }

        @Override
        protected RamLayout provider() {
            return this;
        }

        @Override
        public String id() {
            return TWIN.name();
        }

        @Override
        public List<Option<?>> options() {
            return List.of(TWIN);
        }

        @Override
        public Set<Feature> needs() {
            return Set.of();
        }

        @Override
        public boolean placed() {
            return false;
        }

        @Override
        public Saver saver(Session session) {
            return new Writer(real.saver(session));
        }

        @Override
        public Loader loader(Session session) {
            return real.loader(session);
        }

        /** Writes a run, or does not. */
        void record(Run run, boolean zero, Placement.MainRecords records) throws IOException {
            if (zero) records.zeros(run);
            else records.pages(run);
        }

        private final class Writer implements Saver {
            private final Saver real;

            Writer(Saver real) {
                this.real = real;
            }

            @Override
            public Placement placement(MainOut out) throws IOException {
                Placement.MainRecords records = ((Placement.Framed) real.placement(out)).records();
                Placement.MainRecords twins =
                        new Placement.MainRecords() {
                            @Override
                            public void pages(Run run) throws IOException {
                                record(run, false, records);
                            }

                            @Override
                            public void zeros(Run run) throws IOException {
                                record(run, true, records);
                            }
                        };
                return (Placement.Framed) () -> twins;
            }

            @Override
            public void sync(MainOut out, SyncMark mark) throws IOException {
                real.sync(out, mark);
            }

            @Override
            public void end(MainOut out) throws IOException {
                real.end(out);
            }

            @Override
            public void close() {
                real.close();
            }
        }
    }

    @Breaks({"LAY-1", "LAY-4"})
    static class HasPlacesInAnything extends Suite {
        @Override
        public boolean placed() {
            return true;
        }
    }

    @Breaks({"LAY-2", "LAY-3", "LAY-6", "LAY-7"})
    static class LosesSinglePages extends Suite {
        @Override
        void record(Run run, boolean zero, Placement.MainRecords records) throws IOException {
            if (run.pages() > 1 || zero) super.record(run, zero, records);
        }
    }

    @Breaks("LAY-3")
    static class WritesAPageOnce extends Suite {
        private final Set<String> written = new HashSet<>();

        @Override
        public Saver saver(Session session) {
            written.clear();
            return super.saver(session);
        }

        @Override
        void record(Run run, boolean zero, Placement.MainRecords records) throws IOException {
            synchronized (written) {
                for (int i = 0; i < run.pages(); i++) {
                    Run page = run.part(i, 1);
                    // Several saves at once have blocks of their own.
                    String name = System.identityHashCode(run.block()) + ":" + page.firstPage();
                    if (written.add(name)) super.record(page, zero, records);
                }
            }
        }
    }

    /** Puts something over the loader. */
    private abstract static class Reader implements RamLayout.Loader {
        final RamLayout.Loader real;

        Reader(RamLayout.Loader real) {
            this.real = real;
        }

        @Override
        public void block(MainIn in, BlockHeader header) throws IOException {
            real.block(in, header);
        }

        @Override
        public Placement placement(MainIn in, RamTarget target) throws IOException {
            return real.placement(in, target);
        }

        @Override
        public void close() {
            real.close();
        }
    }

    @Breaks("LAY-5")
    static class CrashesOnDamage extends Suite {
        @Override
        public Loader loader(Session session) {
            return new Reader(real.loader(session)) {
                @Override
                public void section(MainIn in, PageCarrier.Receiver receiver) throws IOException {
                    try {
                        real.section(in, receiver);
                    } catch (MigrationException e) {
                        throw new IllegalStateException(e);
                    }
                }
            };
        }
    }

    @Breaks("LAY-6")
    static class CountsZerosTwice extends Suite {
        @Override
        public Saver saver(Session session) {
            session.counters().zeroPages(1);
            return super.saver(session);
        }
    }

    @Breaks("LAY-7")
    static class HasEnoughAtTwo extends Suite {
        private final AtomicInteger made = new AtomicInteger();

        @Override
        public Saver saver(Session session) {
            if (made.incrementAndGet() > 2) throw new IllegalStateException("no more");
            return super.saver(session);
        }
    }
}
