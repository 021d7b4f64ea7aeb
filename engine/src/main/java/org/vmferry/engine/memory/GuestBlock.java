package org.vmferry.engine.memory;

import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.RamBlock;

/** A block over memory of which somebody knows what was never written to. */
final class GuestBlock extends ForwardingBlock {
    private final Untouched untouched;

    GuestBlock(RamBlock real, Untouched untouched) {
        super(real);
        this.untouched = untouched;
    }

    @Override
    public boolean isFresh() {
        return untouched.isKnown(0, usedLength());
    }

    @Override
    public boolean isKnownZero(long offset, long bytes) {
        return untouched.isKnown(offset, bytes);
    }
}
