package org.vmferry.testkit.parts;

import org.vmferry.engine.memory.ComparingRam;
import org.vmferry.spi.ram.AtomicDirtyLog;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.testkit.conformance.DirtyLogConformance.Guest;
import org.vmferry.testkit.conformance.DirtyLogConformance.LateStore;
import org.vmferry.testkit.conformance.DirtyLogConformance.Store;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;

/** Two blocks, in arrays where nothing else is said, and a guest that writes to them. */
class LoggedGuest implements Guest {
    final List<RamBlock> blocks;
    private volatile boolean stop;
    private Thread cpu;

    LoggedGuest() {
        this(bytes -> MemorySegment.ofArray(new byte[bytes]));
    }

    /** In memory that somebody makes. */
    LoggedGuest(IntFunction<MemorySegment> memory) {
        blocks =
                List.of(
                        block("first", memory.apply(80 * 4096)),
                        block("second", memory.apply(3 * 4096)));
    }

    private static RamBlock block(String id, MemorySegment memory) {
        return RamBlock.of(id, memory, 4096);
    }

    /** Marks what it writes. */
    static class Marking extends LoggedGuest implements RamProvider {
        final AtomicDirtyLog marks = new AtomicDirtyLog(blocks);

        @Override
        public RamProvider ram() {
            return this;
        }

        @Override
        public List<RamBlock> blocks() {
            return blocks;
        }

        @Override
        public Optional<DirtyLog> dirtyLog() {
            return Optional.of(marks);
        }

        @Override
        void stored(RamBlock block, long page) {
            marks.mark(block, page);
        }
    }

    /** Knows nothing of what it writes. */
    static class Ignorant extends LoggedGuest {
        private boolean fails;
        private final RamProvider ram = comparing(List.of(blocks.getFirst(), new Second()));

        /** What finds out for it. */
        RamProvider comparing(List<RamBlock> all) {
            return new ComparingRam(all);
        }

        @Override
        public RamProvider ram() {
            return ram;
        }

        @Override
        public boolean failsHalfWay() {
            fails = true;
            return true;
        }

        /** Can't be copied once it is told so. */
        private final class Second extends ForwardingBlock {
            Second() {
                super(blocks.getLast());
            }

            @Override
            public void read(long offset, MemorySegment target) {
                boolean now = fails;
                fails = false;
                if (now) throw new OutOfMemoryError("as where direct memory ends");
                super.read(offset, target);
            }
        }
    }

    @Override
    public RamProvider ram() {
        throw new AssertionError("of one of the kinds");
    }

    void stored(RamBlock block, long page) {}

    /** The guest's way to its RAM is not the engine's. */
    final RamBlock own(RamBlock block) {
        return blocks.stream().filter(b -> b.id().equals(block.id())).findFirst().orElseThrow();
    }

    void put(RamBlock block, long offset, byte value) {
        own(block).write(offset, MemorySegment.ofArray(new byte[] {value}));
    }

    void store(RamBlock block, long offset, byte value) {
        put(block, offset, value);
        stored(own(block), offset / 4096);
    }

    @Override
    public Map<String, Store> stores() {
        return Map.of("CPU", this::store);
    }

    @Override
    public Optional<LateStore> lateStore() {
        return Optional.of((block, offset, value) -> () -> store(block, offset, value));
    }

    @Override
    public void run() {
        stop = false;
        cpu =
                new Thread(
                        () -> {
                            for (int n = 1; !stop; n++)
                                store(blocks.getFirst(), n % 80 * 4096L, (byte) (n / 80));
                        });
        cpu.start();
    }

    @Override
    public void pause() {
        stop = true;
        try {
            cpu.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
