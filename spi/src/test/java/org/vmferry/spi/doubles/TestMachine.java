package org.vmferry.spi.doubles;

import org.vmferry.spi.MigrationException;
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
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * A machine with one number for a device, which notes every state it enters. A guest that is a
 * thread of the test holds its lock while it writes: a state is entered between two writes.
 */
public class TestMachine implements Machine {
    public final List<RunState> entered = Collections.synchronizedList(new ArrayList<>());
    public volatile RunState state;
    public volatile Optional<DirtyLog> log = Optional.empty();
    public volatile int number;
    private final List<RamBlock> blocks;

    public TestMachine(RunState state, List<RamBlock> blocks) {
        this.state = state;
        this.blocks = blocks;
    }

    /** One that runs, with a log that finds nothing dirty. */
    public static TestMachine live() {
        TestMachine machine = new TestMachine(RunState.RUNNING, heap(64, 3));
        machine.log = Optional.of(new SteadyDirtyLog(0));
        return machine;
    }

    /** Blocks over heap arrays, filled with 5 of 8 pages. */
    public static List<RamBlock> heap(int pages, int seed) {
        byte[] bytes = new byte[pages * 4096];
        if (seed != 0) {
            for (int i = 0; i < bytes.length; i++) {
                if ((i >> 12 & 7) < 5) bytes[i] = (byte) (seed + i / 7 + (i >> 12));
            }
        }
        return List.of(
                RamBlock.of("ram", MemorySegment.ofArray(bytes), 4096),
                RamBlock.of("rom", MemorySegment.ofArray(new int[2048]), 4096));
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
    public synchronized void enter(RunState next) throws MigrationException {
        entered.add(next);
        state = next;
    }

    @Override
    public RamProvider ram() {
        return log.map(some -> RamProvider.of(blocks, some)).orElse(() -> blocks);
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
                        out.writeInt(number);
                    }

                    @Override
                    public void load(DataInput in, int version) throws IOException {
                        number = in.readInt();
                    }
                });
    }
}
