package org.vmferry.testkit.migration;

import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/** A machine of blocks that a test made, with one device; its guest is a thread of the test's. */
class Vm implements Machine {
    private final List<RamBlock> blocks;
    volatile RunState state;
    Optional<DirtyLog> log = Optional.empty();
    long number;

    Vm(RunState state, List<RamBlock> blocks) {
        this.state = state;
        this.blocks = blocks;
    }

    @Override
    public String type() {
        return "test";
    }

    @Override
    public RunState runState() {
        return state;
    }

    @Override
    public synchronized void enter(RunState next) {
        state = next;
    }

    @Override
    public RamProvider ram() {
        return new RamProvider() {
            @Override
            public List<RamBlock> blocks() {
                return blocks;
            }

            @Override
            public Optional<DirtyLog> dirtyLog() {
                return log;
            }
        };
    }

    @Override
    public List<DeviceState> devices() {
        return List.of(
                new DeviceState() {
                    @Override
                    public String id() {
                        return "number";
                    }

                    @Override
                    public void save(DataOutput out) throws IOException {
                        out.writeLong(number);
                    }

                    @Override
                    public void load(DataInput in, int version) throws IOException {
                        number = in.readLong();
                    }
                });
    }

    byte[] bytes(int block) {
        byte[] bytes = new byte[(int) blocks.get(block).usedLength()];
        blocks.get(block).read(0, MemorySegment.ofArray(bytes));
        return bytes;
    }
}
