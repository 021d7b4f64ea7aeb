package org.vmferry.cli;

import org.vmferry.engine.Engine;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** A source for the commands' tests: two blocks, two devices. */
final class SmallMachine implements Machine {
    static final int PAGE = 4096;

    /** 64 pages: 8 full, 8 zero, and so on; each full one of its own number plus one. */
    final byte[] ram = new byte[64 * PAGE];

    private final List<RamBlock> blocks;
    private final String device;

    SmallMachine() {
        this(RamBlock.of("/rom@small", MemorySegment.ofArray(new byte[PAGE]), PAGE));
    }

    /** With another second block. */
    SmallMachine(RamBlock second) {
        this(second, "first");
    }

    /** With another name for its devices, too. */
    SmallMachine(RamBlock second, String device) {
        this.device = device;
        blocks = List.of(RamBlock.of("small.ram", MemorySegment.ofArray(ram), PAGE), second);
        for (int page = 0; page < 64; page++)
            if (page / 8 % 2 == 0)
                Arrays.fill(ram, page * PAGE, (page + 1) * PAGE, (byte) (page + 1));
    }

    /** Saves one. */
    static SmallMachine saved(Path file, Format format) throws Exception {
        return saved("file:" + file, format.settings());
    }

    static SmallMachine saved(String uri, Settings settings) throws Exception {
        var machine = new SmallMachine();
        Engine.create().send(machine, uri, settings).await();
        return machine;
    }

    @Override
    public String type() {
        return "small";
    }

    @Override
    public RunState runState() {
        return RunState.PAUSED;
    }

    @Override
    public void enter(RunState state) {}

    @Override
    public RamProvider ram() {
        return () -> blocks;
    }

    @Override
    public List<DeviceState> devices() {
        return List.of(new Device(device, 0), new Device(device, 1));
    }

    private record Device(String id, int instance) implements DeviceState {
        @Override
        public void save(DataOutput out) throws IOException {
            out.writeInt(instance);
        }

        @Override
        public void load(DataInput in, int version) throws IOException {
            in.readInt();
        }
    }
}
