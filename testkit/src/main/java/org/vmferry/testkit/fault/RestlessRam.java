package org.vmferry.testkit.fault;

import org.vmferry.spi.Status;
import org.vmferry.spi.ram.AtomicDirtyLog;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/**
 * RAM that changes under its reader: in the middle of a read the very page that is read gets
 * another byte, and a mark, as if the guest had just written it. Whoever keeps to the dirty log is
 * not troubled; who reads a page twice, or trusts that it stays as it was, is.
 */
@Status(Status.Level.EXPERIMENTAL)
public class RestlessRam implements RamProvider, DirtyLog {
    private final RamProvider real;
    private final int every;
    private final BooleanSupplier running;
    private final List<RamBlock> blocks = new ArrayList<>();
    private final AtomicDirtyLog marks;
    private final AtomicLong reads = new AtomicLong();
    private final AtomicLong changes = new AtomicLong();

    /**
     * Over a machine's RAM.
     *
     * @param real has a dirty log, or a guest that does not write
     * @param every how many reads leave the page as it is, between two that don't
     * @param running whether the guest may write now: not once it is paused
     */
    public RestlessRam(RamProvider real, int every, BooleanSupplier running) {
        this.real = real;
        this.every = every;
        this.running = running;
        for (RamBlock block : real.blocks()) blocks.add(new Restless(block));
        marks = new AtomicDirtyLog(blocks);
    }

    /**
     * How often a page has changed under its reader.
     *
     * @return so far
     */
    public long changes() {
        return changes.get();
    }

    @Override
    public List<RamBlock> blocks() {
        return List.copyOf(blocks);
    }

    @Override
    public Optional<DirtyLog> dirtyLog() {
        return Optional.of(this);
    }

    @Override
    public void start() {
        marks.start();
        real.dirtyLog().ifPresent(DirtyLog::start);
    }

    @Override
    public void stop() {
        real.dirtyLog().ifPresent(DirtyLog::stop);
        marks.stop();
    }

    @Override
    public void harvest(RamBlock block, PageBitmap into) {
        marks.harvest(block, into);
        real.dirtyLog().ifPresent(log -> log.harvest(((Restless) block).block(), into));
    }

    /**
     * Changes a page that is just read, as the guest would.
     *
     * @param block which
     * @param offset the page's first byte
     */
    protected void change(RamBlock block, long offset) {
        MemorySegment one = MemorySegment.ofArray(new byte[1]);
        block.read(offset, one);
        byte value = one.get(ValueLayout.JAVA_BYTE, 0);
        one.set(ValueLayout.JAVA_BYTE, 0, (byte) (value + 1));
        block.write(offset, one);
    }

    private final class Restless extends ForwardingBlock {

        RamBlock block() {
            return real;
        }

        Restless(RamBlock real) {
            super(real);
        }

        /** Nobody gets by the reads. */
        @Override
        public Optional<MemorySegment> memory() {
            return Optional.empty();
        }

        @Override
        public void read(long offset, MemorySegment target) {
            long half = target.byteSize() / 2;
            super.read(offset, target.asSlice(0, half));
            if (reads.getAndIncrement() % every == 0 && running.getAsBoolean()) change(offset);
            super.read(offset + half, target.asSlice(half));
        }

        private void change(long offset) {
            RestlessRam.this.change(real, offset);
            marks.mark(this, offset / pageSize());
            changes.incrementAndGet();
        }
    }
}
