package example.unicorn;

import org.junit.jupiter.api.Test;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.testkit.conformance.MachineConformance;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

class UnicornMachineTest extends MachineConformance {
    @Override
    protected Machine machine() {
        return new UnicornMachine();
    }

    /** Executes so many instructions, and tells all registers and all of RAM. */
    @Override
    protected Optional<?> runFor(Machine machine, long steps) {
        Unicorn cpu = ((UnicornMachine) machine).cpu;
        cpu.run(steps, -1);
        MemorySegment ram = machine.ram().blocks().getFirst().memory().orElseThrow();
        return Optional.of(
                List.of(
                        Unicorn.REGISTERS.stream().map(cpu::get).toList(),
                        Arrays.hashCode(ram.toArray(ValueLayout.JAVA_BYTE))));
    }

    /** The guest does it itself, in native code: mov [rdi], al. */
    @Override
    protected boolean store(Machine machine, RamBlock block, long offset, byte value) {
        Unicorn cpu = ((UnicornMachine) machine).cpu;
        block.write(0xf00, MemorySegment.ofArray(new byte[] {(byte) 0x88, 0x07}));
        cpu.set("RDI", offset);
        cpu.set("RAX", value);
        cpu.set("RIP", 0xf00);
        cpu.run(1, 0xf02);
        return true;
    }

    @Test
    void itEndsLikeItsTwin() throws Exception {
        Main.main(new String[0]);
    }
}
