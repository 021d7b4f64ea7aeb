package org.vmferry.cli;

import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;

/** A machine whose RAM can't be made smaller: random bytes. */
final class FullMachine implements Machine {
    static final String BLOCK = "full.ram";

    final MemorySegment ram;
    private volatile RunState state;

    FullMachine(int bytes, RunState state) {
        ram = Arena.ofAuto().allocate(bytes, 4096);
        byte[] random = new byte[bytes];
        new Random(bytes).nextBytes(random);
        MemorySegment.copy(MemorySegment.ofArray(random), 0, ram, 0, bytes);
        this.state = state;
    }

    @Override
    public String type() {
        return "full";
    }

    @Override
    public RunState runState() {
        return state;
    }

    @Override
    public void enter(RunState next) {
        state = next;
    }

    @Override
    public RamProvider ram() {
        List<RamBlock> blocks = List.of(RamBlock.of(BLOCK, ram, 4096));
        return () -> blocks;
    }

    @Override
    public List<DeviceState> devices() {
        return List.of(
                new DeviceState() {
                    @Override
                    public String id() {
                        return "lamp";
                    }

                    @Override
                    public void save(DataOutput out) throws IOException {
                        out.writeInt(1);
                    }

                    @Override
                    public void load(DataInput in, int version) throws IOException {
                        in.readInt();
                    }
                });
    }
}
