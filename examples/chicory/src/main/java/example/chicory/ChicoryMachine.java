package example.chicory;

import com.dylibso.chicory.runtime.ExportFunction;
import com.dylibso.chicory.runtime.GlobalInstance;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.Memory;
import com.dylibso.chicory.wasm.Parser;

import org.vmferry.engine.guest.GuestThread;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.CpuThrottle;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * A WebAssembly module and its linear memory. It counts, and notes that all over its memory, some
 * steps a call; between two calls all that it knows is in memory and in two globals.
 */
final class ChicoryMachine implements Machine, AutoCloseable {
    private static final byte[] PROGRAM =
            HexFormat.of()
                    .parseHex(
                            "0061736d01000000" // WebAssembly, version 1
                                    + "01050160017e0003020100" // (func (param i64)
                                    + "050401012020" // (memory 32 32): 2 MiB
                                    + "060b027e0142000b" // (global (mut i64) (i64.const 0))
                                    + "7e0142010b" // (global (mut i64) (i64.const 1))
                                    + "072204066d656d6f72790200" // (export "memory" (memory 0))
                                    + "05636f756e740300" // (export "count" (global 0))
                                    + "0672616e646f6d0301" // (export "random" (global 1))
                                    + "04737465700000" // (export "step" (func 0))
                                    + "0a4a014801017f" // its code: (local i32)
                                    + "0340" // loop
                                    + "230042017c2400" // count = count + 1
                                    + "2301428dcce5007e" // random * 1664525
                                    + "42dfe6bbe3037c2401" // random = that + 1013904223
                                    + "2301421488a7" // i32.wrap (random >> 20)
                                    + "41f8ffff00712101" // place = that & 0x1ffff8
                                    + "20012001290300" // i64.load (place)
                                    + "23007c370300" // i64.store (place) (that + count)
                                    + "200042017d2100" // steps = steps - 1
                                    + "20004200520d00" // br_if loop (steps != 0)
                                    + "0b0b"); // end, end
    private static final long SLICE = 1000; // steps: less than a millisecond

    private final Instance instance = Instance.builder(Parser.parse(PROGRAM)).build();
    private final ExportFunction step = instance.export("step");
    private final RamBlock block = new LinearMemory(instance.memory());
    private final GuestThread thread = new GuestThread("chicory", () -> run(SLICE));
    private volatile long count; // the module's, after its last call
    private volatile long end = Long.MAX_VALUE;

    /** Runs the guest for some steps, or to its end. */
    RunState run(long steps) {
        step.apply(Math.min(steps, end - get("count")));
        count = get("count");
        return count == end ? RunState.SHUTDOWN : RunState.RUNNING;
    }

    /** How far it has counted; also while it runs. */
    long count() {
        return count;
    }

    /** Where it is to end, from now on; while it stands still. */
    void endAt(long last) {
        end = last;
    }

    private GlobalInstance global(String name) {
        return instance.exports().global(name);
    }

    long get(String name) {
        return global(name).getValue();
    }

    private void set(String name, long value) {
        global(name).setValue(value);
        count = get("count");
    }

    @Override
    public String type() {
        return "chicory-counter";
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
        return List.of(
                DeviceState.ofNumbers("globals", List.of("count", "random"), this::get, this::set));
    }

    @Override
    public void close() throws MigrationException {
        enter(RunState.SHUTDOWN);
    }

    private record LinearMemory(Memory linear) implements RamBlock {
        @Override
        public String id() {
            return "memory";
        }

        @Override
        public long usedLength() {
            return (long) linear.pages() * Memory.PAGE_SIZE;
        }

        @Override
        public int pageSize() {
            return 4096;
        }

        @Override
        public void read(long offset, MemorySegment target) {
            byte[] bytes = linear.readBytes((int) offset, (int) target.byteSize());
            target.copyFrom(MemorySegment.ofArray(bytes));
        }

        @Override
        public void write(long offset, MemorySegment source) {
            linear.write((int) offset, source.toArray(ValueLayout.JAVA_BYTE));
        }
    }
}
