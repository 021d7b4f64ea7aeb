package org.vmferry.spi.ram;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/** A block over one segment. */
record SegmentRamBlock(
        String id, MemorySegment segment, int pageSize, OptionalLong guestAddress, boolean isFresh)
        implements RamBlock {
    SegmentRamBlock {
        Objects.requireNonNull(segment, "memory"); // as RamBlock.of calls it
        if (id.isEmpty()) throw new IllegalArgumentException("a RAM block needs a name");
        if (Integer.bitCount(pageSize) != 1) {
            throw new IllegalArgumentException("page size " + pageSize + " is not a power of two");
        }
        if (segment.byteSize() == 0 || segment.byteSize() % pageSize != 0) {
            throw new IllegalArgumentException(
                    "RAM block '%s' of %d bytes is not a whole number of pages of %d bytes"
                            .formatted(id, segment.byteSize(), pageSize));
        }
        if (segment.isReadOnly())
            throw new IllegalArgumentException("RAM block '" + id + "' is read-only");
        if (!segment.isAccessibleBy(new Thread(() -> {}))) {
            throw new IllegalArgumentException("RAM block '" + id + "' is confined to a thread");
        }
    }

    @Override
    public long usedLength() {
        return segment.byteSize();
    }

    @Override
    public Optional<MemorySegment> memory() {
        return segment.isNative() ? Optional.of(segment) : Optional.empty();
    }

    @Override
    public void read(long offset, MemorySegment target) {
        MemorySegment.copy(segment, offset, target, 0, target.byteSize());
    }

    @Override
    public void write(long offset, MemorySegment source) {
        MemorySegment.copy(source, 0, segment, offset, source.byteSize());
    }
}
