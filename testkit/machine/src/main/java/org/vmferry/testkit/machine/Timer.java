package org.vmferry.testkit.machine;

import org.vmferry.spi.machine.DeviceState;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/**
 * A timer that counts instructions. The guest polls it: this machine has no interrupts. Used by the
 * CPU, and by the host while the CPU is stopped.
 */
final class Timer implements DeviceState {
    /** Registers of 8 bytes. TIME can be set. */
    static final int TIME = 0;

    /** When DUE becomes 1. */
    static final int COMPARE = 8;

    static final int DUE = 16;

    private long origin; // the instruction at which TIME was 0
    private long compare;

    long read(long register, long now) {
        if (register == TIME) return now - origin;
        if (register == COMPARE) return compare;
        if (register == DUE) return Long.compareUnsigned(now - origin, compare) >= 0 ? 1 : 0;
        return 0;
    }

    void write(long register, long value, long now) {
        if (register == TIME) origin = now - value;
        if (register == COMPARE) compare = value;
    }

    @Override
    public String id() {
        return "ref-timer";
    }

    @Override
    public void save(DataOutput out) throws IOException {
        out.writeLong(origin);
        out.writeLong(compare);
    }

    @Override
    public void load(DataInput in, int version) throws IOException {
        origin = in.readLong();
        compare = in.readLong();
    }
}
