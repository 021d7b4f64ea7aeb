package example.chicory;

import org.junit.jupiter.api.Test;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.testkit.conformance.MachineConformance;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

class ChicoryMachineTest extends MachineConformance {
    @Override
    protected Machine machine() {
        return new ChicoryMachine();
    }

    /** Counts on, and tells all globals and all of memory. */
    @Override
    protected Optional<?> runFor(Machine machine, long steps) {
        var chicory = (ChicoryMachine) machine;
        chicory.run(steps);
        byte[] memory = new byte[2 << 20];
        machine.ram().blocks().getFirst().read(0, MemorySegment.ofArray(memory));
        return Optional.of(
                List.of(chicory.get("count"), chicory.get("random"), Arrays.hashCode(memory)));
    }

    @Override
    protected boolean store(Machine machine, RamBlock block, long offset, byte value) {
        block.write(offset, MemorySegment.ofArray(new byte[] {value}));
        return true;
    }

    @Test
    void itEndsLikeItsTwin() throws Exception {
        Main.main(new String[0]);
    }
}
