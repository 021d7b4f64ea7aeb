package org.vmferry.spi.ram;

import org.vmferry.spi.Status;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/** A RAM block that hands every call to another one. */
@Status(Status.Level.EXPERIMENTAL)
public class ForwardingBlock implements RamBlock {
    /** The block underneath. */
    protected final RamBlock real;

    /**
     * Over another block.
     *
     * @param real the block underneath
     */
    public ForwardingBlock(RamBlock real) {
        this.real = Objects.requireNonNull(real, "real");
    }

    @Override
    public String id() {
        return real.id();
    }

    @Override
    public long usedLength() {
        return real.usedLength();
    }

    @Override
    public long maximumLength() {
        return real.maximumLength();
    }

    @Override
    public int pageSize() {
        return real.pageSize();
    }

    @Override
    public OptionalLong guestAddress() {
        return real.guestAddress();
    }

    @Override
    public boolean shared() {
        return real.shared();
    }

    @Override
    public Optional<MemorySegment> memory() {
        return real.memory();
    }

    @Override
    public void read(long offset, MemorySegment target) {
        real.read(offset, target);
    }

    @Override
    public void write(long offset, MemorySegment source) {
        real.write(offset, source);
    }

    @Override
    public boolean missing() {
        return real.missing();
    }

    @Override
    public boolean isFresh() {
        return real.isFresh();
    }

    @Override
    public boolean isKnownZero(long offset, long bytes) {
        return real.isKnownZero(offset, bytes);
    }
}
