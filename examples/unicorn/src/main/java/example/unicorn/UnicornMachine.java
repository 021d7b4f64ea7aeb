package example.unicorn;

import org.vmferry.engine.guest.GuestThread;
import org.vmferry.engine.memory.GuestMemory;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.CpuThrottle;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/** A computer with an x86 CPU and 4 MiB of RAM. Its program counts, and notes that all over RAM. */
final class UnicornMachine implements Machine, AutoCloseable {
    private static final byte[] PROGRAM =
            HexFormat.of()
                    .parseHex(
                            "48ffc0" // again: inc rax
                                    + "4889042500100000" // mov [0x1000], rax
                                    + "4d69c00d661900" // imul r8, r8, 1664525
                                    + "4981c05ff36e3c" // add r8, 1013904223: a random number
                                    + "4c89c3" // mov rbx, r8
                                    + "48c1eb14" // shr rbx, 20
                                    + "81e3f8ff1f00" // and ebx, 0x1ffff8
                                    + "48018300002000" // add [rbx + 0x200000], rax
                                    + "4c39c8" // cmp rax, r9
                                    + "75ce"); // jne again
    private static final long COUNT = 0x1000;
    private static final long SLICE = 10_000; // instructions: about a millisecond

    private final Arena arena = Arena.ofShared();
    private final GuestMemory memory = GuestMemory.allocate(arena, 4 << 20);
    private final RamBlock block = memory.block("ram", 4096);
    final Unicorn cpu = new Unicorn(memory.segment());
    private final GuestThread thread = new GuestThread("unicorn-cpu", this::run);

    UnicornMachine() {
        MemorySegment.copy(PROGRAM, 0, memory.segment(), ValueLayout.JAVA_BYTE, 0, PROGRAM.length);
        endAt(Long.MAX_VALUE);
    }

    /** Runs the guest for a slice, or to its end. */
    RunState run() {
        cpu.run(SLICE, PROGRAM.length);
        return cpu.get("RIP") == PROGRAM.length ? RunState.SHUTDOWN : RunState.RUNNING;
    }

    /** How far it has counted; also while it runs. */
    long count() {
        return memory.segment().get(ValueLayout.JAVA_LONG, COUNT);
    }

    /** Where it is to end, from now on; while it stands still. */
    void endAt(long count) {
        cpu.set("R9", count);
        if (cpu.get("RIP") == PROGRAM.length) cpu.set("RIP", 0);
    }

    @Override
    public String type() {
        return "unicorn-x86-64";
    }

    @Override
    public RunState runState() {
        return thread.runState();
    }

    @Override
    public void enter(RunState next) throws MigrationException {
        thread.enter(next);
    }

    @Override
    public Optional<CpuThrottle> throttle() {
        return Optional.of(thread.throttle());
    }

    @Override
    public RamProvider ram() {
        return () -> List.of(block);
    }

    @Override
    public List<DeviceState> devices() {
        return List.of(DeviceState.ofNumbers("cpu", Unicorn.REGISTERS, cpu::get, cpu::set));
    }

    @Override
    public void close() throws MigrationException {
        enter(RunState.SHUTDOWN);
        cpu.close();
        arena.close();
    }
}
