package org.vmferry.testkit.parts;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.TestFactory;
import org.vmferry.mappedram.MappedRamLayout;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.layout.FileIn;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.layout.FileOut;
import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.ram.Staging;
import org.vmferry.spi.session.Session;
import org.vmferry.testkit.conformance.FileLayoutConformance;

import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** The layouts that come with vmferry, and layouts that break one rule each. */
class LayoutTest {
    @Nested
    class MappedRam extends FileLayoutConformance {
        @Override
        protected FileLayout provider() {
            return new MappedRamLayout();
        }
    }

    @TestFactory
    Stream<DynamicTest> eachIsCaught() {
        return Twins.of(LayoutTest.class, FileLayoutConformance.class, "PRV-");
    }

    /** Mapped-ram under another name, of which a twin changes one thing. */
    abstract static class Suite extends FileLayoutConformance implements FileLayout {
        private static final Capability TWIN = new Capability("twin");
        private final FileLayout real = new MappedRamLayout();

        @Override
        protected Duration patience() {
            return Duration.ofSeconds(8);
        }

        @Override
        protected FileLayout provider() {
            return this;
        }

        @Override
        public String id() {
            return TWIN.name();
        }

        @Override
        public List<Option<?>> options() {
            return List.of(TWIN, real.options().get(1));
        }

        @Override
        public Saver saver(Session session) {
            return new Writer(real.saver(session));
        }

        @Override
        public Loader loader(Session session) {
            return new Reader(real.loader(session));
        }

        /** Writes a run, or does not. */
        void write(Run run, Staging staging, Saver saver) throws IOException {
            saver.move(run, staging);
        }

        final class Writer implements Saver {
            private final Saver real;

            Writer(Saver real) {
                this.real = real;
            }

            @Override
            public void block(FileOut out, RamBlock block) throws IOException {
                real.block(out, block);
            }

            @Override
            public void begin(FileOut out) throws IOException {
                real.begin(out);
            }

            @Override
            public void move(Run run, Staging staging) throws IOException {
                write(run, staging, real);
            }

            @Override
            public void end(FileOut out) throws IOException {
                real.end(out);
            }

            @Override
            public void close() {
                real.close();
            }
        }
    }

    /** Puts something over the loader. */
    private static class Reader implements FileLayout.Loader {
        private final FileLayout.Loader real;

        Reader(FileLayout.Loader real) {
            this.real = real;
        }

        @Override
        public void block(FileIn in, BlockHeader header) throws IOException {
            real.block(in, header);
        }

        @Override
        public void open(FileIn in, RamTarget target) throws IOException {
            real.open(in, target);
        }

        @Override
        public Optional<FileLayout.Place> place(RamBlock block) {
            return real.place(block);
        }

        @Override
        public void pages(Fetch fetch) throws IOException {
            real.pages(fetch);
        }

        @Override
        public void move(Run run, Staging staging) throws IOException {
            real.move(run, staging);
        }

        @Override
        public void section(FileIn in) throws IOException {
            real.section(in);
        }

        @Override
        public void close() {
            real.close();
        }
    }

    @Breaks("LAY-1")
    static class MovesOneRunAtATime extends Suite {
        @Override
        public Loader loader(Session session) {
            AtomicInteger at = new AtomicInteger();
            return new Reader(super.loader(session)) {
                @Override
                public void move(Run run, Staging staging) throws IOException {
                    boolean alone = at.incrementAndGet() == 1;
                    LockSupport.parkNanos(5_000_000);
                    if (alone) super.move(run, staging);
                    at.decrementAndGet();
                }
            };
        }
    }

    @Breaks({"LAY-1", "LAY-2", "LAY-3", "LAY-6", "LAY-7"})
    static class LosesSinglePages extends Suite {
        @Override
        void write(Run run, Staging staging, Saver saver) throws IOException {
            if (run.pages() > 1) super.write(run, staging, saver);
        }
    }

    @Breaks("LAY-3")
    static class WritesAPageOnce extends Suite {
        private final Set<String> written = new HashSet<>();

        @Override
        public Saver saver(Session session) {
            synchronized (written) {
                written.clear();
            }
            return super.saver(session);
        }

        @Override
        void write(Run run, Staging staging, Saver saver) throws IOException {
            for (int i = 0; i < run.pages(); i++) {
                Run page = run.part(i, 1);
                // Several saves at once have blocks of their own.
                String name = System.identityHashCode(run.block()) + ":" + page.firstPage();
                boolean first;
                synchronized (written) {
                    first = written.add(name);
                }
                if (first) super.write(page, staging, saver);
            }
        }
    }

    @Breaks("LAY-5")
    static class CrashesOnDamage extends Suite {
        @Override
        public Loader loader(Session session) {
            return new Reader(super.loader(session)) {
                @Override
                public void block(FileIn in, BlockHeader header) throws IOException {
                    try {
                        super.block(in, header);
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
    @Says("LAY-7: saver(), loader(): several at once (it threw file layout 'twin'*no more")
    static class HasEnoughAtTwo extends Suite {
        private final AtomicInteger made = new AtomicInteger();

        @Override
        public Saver saver(Session session) {
            if (made.incrementAndGet() > 2) throw new IllegalStateException("no more");
            return super.saver(session);
        }
    }
}
