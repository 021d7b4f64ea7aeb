package org.vmferry.cli.demo;

import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.spi.ram.RamTarget;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * A worked example of a host: all that an emulator has to tell the engine about its machine. Three
 * RAM blocks, two devices, no CPU.
 */
final class DemoMachine implements Machine, AutoCloseable {
    private static final int PAGE = 4096;

    private final Arena arena = Arena.ofShared();
    private final List<RamBlock> blocks = new ArrayList<>();
    private final Clock clock = new Clock();
    private final Uart uart = new Uart();
    private final boolean adopts;
    private RunState state;

    /**
     * A machine.
     *
     * @param adopts whether it has no RAM of its own, but takes a snapshot's pages, mapped
     */
    DemoMachine(boolean adopts) {
        this.adopts = adopts;
        state = RunState.INMIGRATE;
        if (adopts) return;
        blocks.add(RamBlock.of("demo.ram", arena.allocate(64L << 20, PAGE), PAGE));
        blocks.add(RamBlock.of("demo.vram", arena.allocate(16L << 20, PAGE), PAGE));
        blocks.add(RamBlock.of("demo.rom", arena.allocate(64L << 10, PAGE), PAGE));
    }

    /** Does what a guest would: fills three quarters of RAM, a corner of video RAM, and the ROM. */
    DemoMachine boot() {
        state = RunState.RUNNING;
        var random = new SplittableRandom(42);
        fill(blocks.get(0), 0, 48L << 20, random);
        fill(blocks.get(1), 1L << 20, 256L << 10, random);
        fill(blocks.get(2), 0, 64L << 10, random);
        clock.ticks = 1_234_567;
        uart.sent = "Hello from the guest";
        return this;
    }

    private static void fill(RamBlock block, long from, long length, SplittableRandom random) {
        MemorySegment memory = block.memory().orElseThrow();
        for (long at = from; at < from + length; at += Long.BYTES)
            memory.set(ValueLayout.JAVA_LONG, at, random.nextLong());
    }

    @Override
    public String type() {
        return "vmferry-demo";
    }

    @Override
    public RunState runState() {
        return state;
    }

    /** An emulator stops its virtual CPUs here, or starts them. */
    @Override
    public void enter(RunState state) {
        this.state = state;
    }

    @Override
    public RamProvider ram() {
        return () -> blocks;
    }

    @Override
    public List<DeviceState> devices() {
        return List.of(clock, uart);
    }

    @Override
    public RamTarget ramTarget() {
        RamTarget own = RamTarget.of(blocks);
        if (!adopts) return own;
        return new RamTarget() {
            @Override
            public RamBlock open(BlockHeader header) {
                throw new AssertionError("its pages were to be mapped");
            }

            @Override
            public Optional<Arena> adopts(BlockHeader header) {
                return Optional.of(arena);
            }

            @Override
            public RamBlock adopt(BlockHeader header, MemorySegment memory) {
                blocks.add(RamBlock.of(header.id(), memory, header.pageSize()));
                return blocks.getLast();
            }
        };
    }

    /** The devices' state, for comparing. */
    String devicesNow() {
        return "clock at " + clock.ticks + ", uart sent '" + uart.sent + "'";
    }

    @Override
    public void close() {
        arena.close();
    }

    private static final class Clock implements DeviceState {
        private long ticks;

        @Override
        public String id() {
            return "demo-clock";
        }

        @Override
        public void save(DataOutput out) throws IOException {
            out.writeLong(ticks);
        }

        @Override
        public void load(DataInput in, int version) throws IOException {
            ticks = in.readLong();
        }
    }

    private static final class Uart implements DeviceState {
        private String sent = "";

        @Override
        public String id() {
            return "demo-uart";
        }

        @Override
        public void save(DataOutput out) throws IOException {
            out.writeUTF(sent);
        }

        @Override
        public void load(DataInput in, int version) throws IOException {
            sent = in.readUTF();
        }
    }
}
