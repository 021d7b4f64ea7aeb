package org.vmferry.engine.ram;

import org.slf4j.Logger;
import org.vmferry.spi.Log;
import org.vmferry.spi.ram.RamBlock;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.Pipe;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * How much longer the kernel takes for its first look at pages that the process has in use than for
 * the next (ADR 30). On most systems that is nothing; under a hypervisor that shadows page tables,
 * with others for the kernel than for the process, it is several times as long as a copy.
 */
final class FirstLook {
    private static final Logger LOG = Log.of(FirstLook.class);

    private static final int PAGE = 4096; // bytes, the least that a system has
    private static final int PAGES = 32; // neighbours: in a huge page only one of them is dear
    private static final int PLACES = 9;
    private static final long SMALL = 1 << 20; // a block's bytes, of which that is no matter

    /** To copy a page takes a third of that. */
    private static final long DEAR = 1000; // ns

    private static final VarHandle BYTE = ValueLayout.JAVA_BYTE.varHandle();

    /** Has the kernel look at pages. */
    interface Kernel {
        /**
         * Looks.
         *
         * @param pages one byte of each
         * @return ns
         */
        long look(ByteBuffer[] pages) throws IOException;
    }

    private FirstLook() {}

    /** Whether that is longer than a copy takes, as far as some of a block's pages tell. */
    static boolean isDear(RamBlock block) {
        if (block.memory().isEmpty() || block.usedLength() < SMALL) return false;
        try {
            Pipe pipe = Pipe.open();
            try (var in = pipe.source();
                    var out = pipe.sink()) {
                return isDear(block, through(out));
            }
        } catch (IOException | InternalError e) { // the latter: a mapped file has become shorter
            LOG.debug("block '{}': how long the kernel looks is not known", block.id(), e);
            return false;
        }
    }

    /** The kernel of this machine, which copies what is written. */
    static Kernel through(GatheringByteChannel out) {
        return pages -> {
            long begin = System.nanoTime();
            out.write(pages);
            return System.nanoTime() - begin;
        };
    }

    /** As above, with another kernel. */
    static boolean isDear(RamBlock block, Kernel kernel) throws IOException {
        MemorySegment memory = block.memory().orElseThrow();
        List<Long> taken = new ArrayList<>();
        for (long offset : places(block)) {
            ByteBuffer[] pages = sample(memory, offset);
            long first = kernel.look(pages);
            for (ByteBuffer page : pages) page.rewind();
            taken.add((first - kernel.look(pages)) / PAGES);
        }
        if (taken.isEmpty()) return false;
        Collections.sort(taken);
        long median = taken.get(taken.size() / 2);
        LOG.debug(
                "block '{}': the kernel's first look at a page takes {} ns more",
                block.id(),
                median);
        return median > DEAR;
    }

    /** Others each time: it would be the second look. What was never touched stays so. */
    private static List<Long> places(RamBlock block) {
        long step = Math.max(PAGES * PAGE, block.pageSize());
        long steps = block.usedLength() / step;
        List<Long> places = new ArrayList<>();
        for (int i = 0; i < PLACES; i++) {
            long place = ThreadLocalRandom.current().nextLong(steps) * step;
            if (!block.isKnownZero(place, step) && !places.contains(place)) places.add(place);
        }
        return places;
    }

    /** Neighbouring pages, which the process has looked at: no compiler leaves that out. */
    private static ByteBuffer[] sample(MemorySegment memory, long offset) {
        ByteBuffer[] pages = new ByteBuffer[PAGES];
        for (int i = 0; i < PAGES; i++) {
            long at = offset + (long) i * PAGE;
            byte _ = (byte) BYTE.getVolatile(memory, at);
            pages[i] = memory.asSlice(at, 1).asByteBuffer();
        }
        return pages;
    }
}
