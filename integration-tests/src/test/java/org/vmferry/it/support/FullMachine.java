package org.vmferry.it.support;

import org.vmferry.engine.Engine;
import org.vmferry.engine.memory.ComparingRam;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.AtomicDirtyLog;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/** A machine whose RAM can't be made smaller: random bytes. */
public final class FullMachine implements Machine {
    public static final String BLOCK = "full.ram";

    public final MemorySegment ram;
    private final String type;
    private final String device;
    private final RamBlock block;
    private RamProvider provider;
    private volatile RunState state;

    public FullMachine(int bytes, RunState state) {
        this(Arena.ofAuto().allocate(bytes, 4096), state);
        byte[] random = new byte[bytes];
        new Random(bytes).nextBytes(random);
        MemorySegment.copy(MemorySegment.ofArray(random), 0, ram, 0, bytes);
    }

    /** One with RAM of the caller's. */
    public FullMachine(MemorySegment ram, RunState state) {
        this(ram, state, "full", BLOCK, "lamp");
    }

    /** One with such names. */
    public FullMachine(
            MemorySegment ram, RunState state, String type, String block, String device) {
        this.ram = ram;
        this.state = state;
        this.type = type;
        this.device = device;
        this.block = RamBlock.of(block, ram, 4096);
        provider = () -> List.of(this.block);
    }

    /** Sent while it runs: its guest leaves its RAM as it is. */
    public FullMachine live() {
        DirtyLog log = new AtomicDirtyLog(List.of(block));
        provider = RamProvider.of(List.of(block), log);
        return this;
    }

    /** The same, found out by comparing. */
    public FullMachine compared() {
        provider = new ComparingRam(List.of(block));
        return this;
    }

    /** Saves it, and it stays as it was: its RAM lies as mapped-ram has it, or in a stream. */
    public FullMachine saved(Path file, String format) throws Exception {
        RunState before = state;
        Engine.create().send(this, "file:" + file, settings(format)).await();
        state = before;
        return this;
    }

    /** What a snapshot's format asks for. */
    public static Settings settings(String format) {
        return format.equals("stream") ? Settings.NONE : Settings.NONE.capability(format);
    }

    @Override
    public String type() {
        return type;
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
        return provider;
    }

    @Override
    public List<DeviceState> devices() {
        return List.of(
                new DeviceState() {
                    @Override
                    public String id() {
                        return device;
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
