package org.vmferry.testkit.parts;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.testkit.conformance.RamProviderConformance;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** RAM that breaks one rule each. */
class RamTwinsTest {
    @TestFactory
    Stream<DynamicTest> eachIsCaught() {
        return Twins.of(RamTwinsTest.class, RamProviderConformance.class);
    }

    /** One block of 16 pages, of which a twin changes one thing. */
    abstract static class One extends RamProviderConformance {
        static RamBlock real() {
            return RamBlock.of("ram", Arena.ofAuto().allocate(1 << 16, 4096), 4096);
        }

        abstract RamBlock block(RamBlock real);

        @Override
        protected RamProvider ram() {
            List<RamBlock> blocks = List.of(block(real()));
            return () -> blocks;
        }
    }

    @Breaks("MEM-1")
    static class SameNames extends One {
        @Override
        RamBlock block(RamBlock real) {
            return real;
        }

        @Override
        protected RamProvider ram() {
            List<RamBlock> blocks = List.of(real(), real());
            return () -> blocks;
        }

        /** Finds each by its place. */
        @Override
        protected RamTarget target(RamProvider ram) throws Exception {
            RamTarget named = super.target(ram);
            AtomicInteger opened = new AtomicInteger();
            return header -> {
                RamBlock found = named.open(header);
                return opened.getAndIncrement() == 0 ? found : ram.blocks().getLast();
            };
        }
    }

    @Breaks("MEM-2")
    static class MaximumTooSmall extends One {
        @Override
        RamBlock block(RamBlock real) {
            return new ForwardingBlock(real) {
                @Override
                public long maximumLength() {
                    return usedLength() - 1;
                }
            };
        }
    }

    @Breaks("MEM-3")
    static class OthersAtEachCall extends One {
        @Override
        RamBlock block(RamBlock real) {
            return real;
        }

        @Override
        protected RamProvider ram() {
            RamBlock real = real();
            return () -> List.of(new ForwardingBlock(real));
        }
    }

    @Breaks("MEM-4")
    static class StopsAtThePagesEnd extends One {
        @Override
        RamBlock block(RamBlock real) {
            return new ForwardingBlock(real) {
                @Override
                public void write(long offset, MemorySegment source) {
                    long left = 4096 - offset % 4096;
                    boolean over = offset % 4096 != 0 && source.byteSize() > left;
                    super.write(offset, over ? source.asSlice(0, left) : source);
                }
            };
        }
    }

    @Breaks("MEM-5")
    static class MemoryIsACopy extends One {
        @Override
        RamBlock block(RamBlock real) {
            MemorySegment copy = Arena.ofAuto().allocate(real.usedLength(), 4096);
            return new ForwardingBlock(real) {
                @Override
                public Optional<MemorySegment> memory() {
                    return Optional.of(copy);
                }
            };
        }
    }

    @Breaks("MEM-6")
    static class OneBufferForAll extends One {
        @Override
        RamBlock block(RamBlock real) {
            return new ForwardingBlock(real) {
                private long at;

                @Override
                public void write(long offset, MemorySegment source) {
                    at = offset;
                    for (int i = 0; i < 100 && at == offset; i++) Thread.onSpinWait();
                    super.write(at, source);
                }
            };
        }
    }

    @Breaks("MEM-7")
    static class StaleIsNotFresh extends One {
        @Override
        RamBlock block(RamBlock real) {
            real.write(5000, MemorySegment.ofArray(new byte[] {1}));
            return new ForwardingBlock(real) {
                @Override
                public boolean isFresh() {
                    return true;
                }
            };
        }
    }

    @Breaks("MEM-11")
    static class KnowsWrong extends One {
        @Override
        RamBlock block(RamBlock real) {
            real.write(5000, MemorySegment.ofArray(new byte[] {1}));
            return new ForwardingBlock(real) {
                @Override
                public boolean isKnownZero(long offset, long bytes) {
                    return true;
                }
            };
        }
    }

    /** A target over RAM that is as it should be. */
    abstract static class Target extends One {
        @Override
        RamBlock block(RamBlock real) {
            return real;
        }
    }

    @Breaks("MEM-8")
    static class OpensSomethingElse extends Target {
        @Override
        protected RamTarget target(RamProvider ram) throws Exception {
            RamTarget right = super.target(ram);
            return header -> {
                right.open(header);
                return real();
            };
        }
    }

    @Breaks("MEM-9")
    static class OpensAnyLength extends Target {
        @Override
        protected RamTarget target(RamProvider ram) throws Exception {
            RamTarget right = super.target(ram);
            return header ->
                    header.id().equals("ram") ? ram.blocks().getFirst() : right.open(header);
        }
    }

    @Breaks("MEM-10")
    static class AdoptsNothing extends Target {
        @Override
        protected RamTarget target(RamProvider ram) throws Exception {
            RamTarget right = super.target(ram);
            return new RamTarget() {
                @Override
                public RamBlock open(BlockHeader header) throws MigrationException {
                    return right.open(header);
                }

                @Override
                public Optional<Arena> adopts(BlockHeader header) {
                    return Optional.of(Arena.ofAuto());
                }

                @Override
                public RamBlock adopt(BlockHeader header, MemorySegment memory)
                        throws MigrationException {
                    return open(header);
                }
            };
        }
    }
}
