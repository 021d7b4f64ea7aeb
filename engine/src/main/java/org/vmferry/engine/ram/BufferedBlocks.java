package org.vmferry.engine.ram;

import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.session.Session;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Blocks as those see them who hand pages to system calls: where the kernel's {@link FirstLook} at
 * them is dear, without memory, so that their pages go by way of a buffer. A block is the same
 * object to them each time, for they may tell blocks by that.
 */
final class BufferedBlocks {
    private final Predicate<RamBlock> dear;
    private final Map<String, RamBlock> blocks = new HashMap<>(); // by name; the migration thread's
    private volatile boolean asTheyLie;

    /** Of one migration: a codec reads and writes pages itself, and no kernel looks at them. */
    BufferedBlocks(Session session) {
        this(session.codec().isPresent() ? _ -> false : FirstLook::isDear);
    }

    /** With another way to tell of which blocks a look is dear. */
    BufferedBlocks(Predicate<RamBlock> dear) {
        this.dear = dear;
    }

    /** A block, of which some pages are looked at the first time. */
    RamBlock of(RamBlock block) {
        return blocks.computeIfAbsent(
                block.id(), _ -> dear.test(block) ? new Copied(block) : block);
    }

    /** The same pages of its block. */
    Run of(Run run) {
        RamBlock block = of(run.block());
        return block == run.block() ? run : new Run(block, run.firstPage(), run.pages());
    }

    /** From now on nothing is copied: with direct-io no kernel looks. */
    void asTheyLie() {
        asTheyLie = true;
    }

    /** What has memory need not read and write by itself; a log may take the memory away. */
    private final class Copied extends ForwardingBlock {
        Copied(RamBlock real) {
            super(real);
        }

        @Override
        public void read(long offset, MemorySegment target) {
            Optional<MemorySegment> memory = real.memory();
            if (memory.isEmpty()) real.read(offset, target);
            else MemorySegment.copy(memory.get(), offset, target, 0, target.byteSize());
        }

        @Override
        public void write(long offset, MemorySegment source) {
            Optional<MemorySegment> memory = real.memory();
            if (memory.isEmpty()) real.write(offset, source);
            else MemorySegment.copy(source, 0, memory.get(), offset, source.byteSize());
        }

        @Override
        public Optional<MemorySegment> memory() {
            return asTheyLie ? real.memory() : Optional.empty();
        }
    }
}
