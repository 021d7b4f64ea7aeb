package org.vmferry.testkit.embedding;

import org.vmferry.engine.memory.ComparingRam;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.RamProvider;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.List;

/** What docs/embedding.md makes of the {@link BankedComputer}. */
final class BankedMachine implements Machine {
    private final BankedComputer computer = new BankedComputer();
    private final RamProvider ram = new ComparingRam(List.of(new BankBlock(computer)));
    private volatile RunState state = RunState.PRELAUNCH;

    @Override
    public String type() {
        return "banked-1";
    }

    @Override
    public RunState runState() {
        return state;
    }

    @Override
    public synchronized void enter(RunState next) {
        if (next != RunState.RUNNING) computer.stop();
        state = next;
        if (next == RunState.RUNNING) computer.start();
    }

    @Override
    public RamProvider ram() {
        return ram;
    }

    @Override
    public List<DeviceState> devices() {
        return List.of(new Cpu());
    }

    private final class Cpu implements DeviceState {
        @Override
        public String id() {
            return "banked-cpu";
        }

        @Override
        public void save(DataOutput out) throws IOException {
            out.writeLong(computer.cycles);
            out.writeInt(computer.accumulator);
        }

        @Override
        public void load(DataInput in, int version) throws IOException {
            computer.cycles = in.readLong();
            computer.accumulator = in.readInt();
        }
    }

    BankedComputer computer() {
        return computer;
    }
}
