package org.vmferry.it.fuzz;

import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.spi.ram.RamTarget;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** A host of two RAM blocks and two devices, which notes how far a load comes. */
final class SmallMachine implements Machine {
    static final String TYPE = "fuzz-1";
    static final int PAGE = 4096;

    private final Trial trial;
    private final List<RamBlock> blocks;
    private volatile RunState state;

    /** One to load into. */
    SmallMachine(Trial trial) {
        this(trial, RunState.INMIGRATE, new byte[12 * PAGE], new byte[2 * PAGE]);
    }

    private SmallMachine(Trial trial, RunState state, byte[] ram, byte[] rom) {
        this.trial = trial;
        this.state = state;
        blocks =
                List.of(
                        noting(RamBlock.of("pc.ram", MemorySegment.ofArray(ram), PAGE)),
                        noting(RamBlock.of("/rom@fuzz", MemorySegment.ofArray(rom), PAGE)));
    }

    /** One to save: of three pages one is zero. */
    static SmallMachine full() {
        byte[] ram = new byte[12 * PAGE];
        for (int i = 0; i < ram.length; i++) {
            if (i / PAGE % 3 != 2) ram[i] = (byte) (i % PAGE / 64 * (i / PAGE + 1) + 1);
        }
        byte[] rom = new byte[2 * PAGE];
        for (int i = 0; i < PAGE; i++) rom[i] = (byte) ~i;
        return new SmallMachine(new Trial(), RunState.PAUSED, ram, rom);
    }

    private RamBlock noting(RamBlock real) {
        return new ForwardingBlock(real) {
            @Override
            public void write(long offset, MemorySegment source) {
                trial.page = true;
                super.write(offset, source);
            }
        };
    }

    @Override
    public String type() {
        return TYPE;
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
        return RamProvider.of(
                blocks,
                new DirtyLog() {
                    @Override
                    public void start() {
                        // Nobody writes.
                    }

                    @Override
                    public void stop() {
                        // Nobody writes.
                    }

                    @Override
                    public void harvest(RamBlock block, PageBitmap into) {
                        // Nobody writes.
                    }
                });
    }

    @Override
    public RamTarget ramTarget() {
        RamTarget target = RamTarget.of(blocks);
        return header -> {
            trial.begins();
            return target.open(header);
        };
    }

    @Override
    public List<DeviceState> devices() {
        return List.of(new Words("cpu", 0, 40), new Words("timer", 3, 2));
    }

    /** A device of some numbers. */
    private final class Words implements DeviceState {
        private final String id;
        private final int instance;
        private final int count;

        Words(String id, int instance, int count) {
            this.id = id;
            this.instance = instance;
            this.count = count;
        }

        @Override
        public String id() {
            return id;
        }

        @Override
        public int instance() {
            return instance;
        }

        @Override
        public void save(DataOutput out) throws IOException {
            for (int i = 0; i < count; i++) out.writeLong(i * 0x0101010101L);
        }

        @Override
        public void load(DataInput in, int version) throws IOException {
            trial.device = true;
            for (int i = 0; i < count; i++) in.readLong();
        }
    }
}
