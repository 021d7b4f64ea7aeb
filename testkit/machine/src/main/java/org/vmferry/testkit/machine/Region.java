package org.vmferry.testkit.machine;

import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A piece of the guest's memory: the RAM block that the engine sees. A native segment is handed out
 * as it is, of any other its pages are copied.
 */
final class Region implements RamBlock {
    static final int PAGE_SIZE = 4096;
    static final int PAGE_SHIFT = 12;

    private final String id;
    final long base;
    final long size;
    final boolean writable;
    MemorySegment memory; // replaced, while the CPU is stopped, when mapped memory is adopted
    private Optional<RamBlock> knows; // of its pages
    PageBitmap marks; // the dirty log's; set once, before the CPU first runs

    Region(String id, long base, boolean writable, MemorySegment memory, Optional<RamBlock> knows) {
        this.id = id;
        this.base = base;
        this.size = memory.byteSize();
        this.writable = writable;
        this.memory = memory;
        this.knows = knows;
    }

    /** Takes other memory, of whose pages nobody knows. */
    void adopt(MemorySegment other) {
        memory = other;
        knows = Optional.empty();
    }

    /** Whether all of these bytes lie here. */
    boolean holds(long address, int bytes) {
        long offset = address - base; // wraps for addresses far away, and then is no offset
        return offset >= 0 && offset <= size - bytes;
    }

    /** Notes a store, which has been done. It may reach into a second page. */
    void mark(long offset, int bytes) {
        marks.set(offset >>> PAGE_SHIFT);
        if ((offset & PAGE_SIZE - 1) > PAGE_SIZE - bytes) {
            marks.set((offset >>> PAGE_SHIFT) + 1);
        }
    }

    @Override
    public String id() {
        return id;
    }

    @Override
    public long usedLength() {
        return size;
    }

    @Override
    public int pageSize() {
        return PAGE_SIZE;
    }

    @Override
    public OptionalLong guestAddress() {
        return OptionalLong.of(base);
    }

    @Override
    public Optional<MemorySegment> memory() {
        return memory.isNative() ? Optional.of(memory) : Optional.empty();
    }

    @Override
    public void read(long offset, MemorySegment target) {
        MemorySegment.copy(memory, offset, target, 0, target.byteSize());
    }

    @Override
    public void write(long offset, MemorySegment source) {
        MemorySegment.copy(source, 0, memory, offset, source.byteSize());
    }

    @Override
    public boolean isFresh() {
        return knows.isPresent() && knows.get().isFresh();
    }

    @Override
    public boolean isKnownZero(long offset, long bytes) {
        return knows.isPresent() && knows.get().isKnownZero(offset, bytes);
    }

    @Override
    public String toString() {
        return id;
    }
}
