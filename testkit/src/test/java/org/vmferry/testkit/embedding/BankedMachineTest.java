package org.vmferry.testkit.embedding;

import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.testkit.conformance.MachineConformance;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

class BankedMachineTest extends MachineConformance {
    @Override
    protected Machine machine() {
        return new BankedMachine();
    }

    @Override
    protected Optional<?> runFor(Machine machine, long steps) {
        BankedComputer computer = ((BankedMachine) machine).computer();
        for (long i = 0; i < steps; i++) computer.cycle();
        return Optional.of(List.of(computer.cycles, Arrays.deepHashCode(computer.banks)));
    }

    @Override
    protected boolean store(Machine machine, RamBlock block, long offset, byte value) {
        block.write(offset, MemorySegment.ofArray(new byte[] {value}));
        return true;
    }
}
