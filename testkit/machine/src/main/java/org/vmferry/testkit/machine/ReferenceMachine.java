package org.vmferry.testkit.machine;

import org.vmferry.spi.Joined;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.machine.CpuThrottle;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.AtomicDirtyLog;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.spi.ram.SharedDirtyLog;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.CRC32C;

/**
 * A small real computer, as an emulator would give it to the engine: RV64IM, one hart, a serial
 * port, a timer. Its memory map and its guest are in docs/reference-machine.md.
 *
 * <p>It is deterministic by instruction count: two machines of the same making are in the same
 * state after the same number of instructions, however often they were paused, and whether they
 * were migrated or not. While its run state is RUNNING a thread of its own executes the guest; in
 * any other there is none, and {@link #runFor} executes in the caller's.
 *
 * <p>Its methods may be called from any thread.
 */
@Status(Status.Level.EXPERIMENTAL)
public final class ReferenceMachine implements Machine, AutoCloseable {
    /** Instructions between two looks at the stop flag: some tens of microseconds. */
    private static final int SLICE = 8192;

    /** A CPU that does not run all of the time runs for so long, in ns, before it stands still. */
    private static final long STRIDE = 1_000_000;

    private final Arena arena = Arena.ofShared();
    private final List<Arena> adopted = new ArrayList<>();
    private final Optional<UUID> uuid;
    private final boolean adopting;
    private final int pace; // percent of the time that it runs
    private final Bus bus;
    private final Cpu cpu;
    private final RamProvider ram;
    private final AtomicDirtyLog marks;
    private final SharedDirtyLog log;

    private volatile RunState state = RunState.PRELAUNCH;
    private volatile String stopReason = "";
    private volatile boolean stop;
    private volatile int throttle; // percent of time to stand still
    private Thread thread; // executes the guest; null unless it was started

    ReferenceMachine(ReferenceMachineBuilder b) {
        uuid = b.uuid;
        adopting = b.adopting;
        pace = b.pace;
        try {
            bus =
                    new Bus(
                            region("ref.rom", Bus.ROM_BASE, false, b, ReferenceMachineBuilder.ROM),
                            region(
                                    "ref.sram",
                                    Bus.SRAM_BASE,
                                    true,
                                    b,
                                    ReferenceMachineBuilder.SRAM),
                            ram(b));
            cpu = new Cpu(bus);
            bus.rom.write(0, MemorySegment.ofArray(b.code()));
            List<RamBlock> blocks = List.copyOf(bus.regions());
            marks = new AtomicDirtyLog(blocks);
            for (Region region : bus.regions()) region.marks = marks.marks(region);
            DirtyLog own = DirtyLog.startedStill(new Log(), this::whileStopped);
            log = new SharedDirtyLog(blocks, own);
            ram = RamProvider.of(blocks, b.dirtyLog.apply(log.reader()));
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    private Region region(
            String id, long base, boolean writable, ReferenceMachineBuilder b, long bytes) {
        return new Region(
                id, base, writable, b.hostMemory.allocate(arena, bytes), Optional.empty());
    }

    private Region ram(ReferenceMachineBuilder b) {
        if (b.memory == null) return region("ref.ram", Bus.RAM_BASE, true, b, b.ramBytes);
        RamBlock made = b.memory.apply(b.ramBytes);
        MemorySegment memory = made.memory().orElseThrow().asSlice(0, b.ramBytes);
        return new Region("ref.ram", Bus.RAM_BASE, true, memory, Optional.of(made));
    }

    /**
     * Makes machines.
     *
     * @return a builder with the defaults
     */
    public static ReferenceMachineBuilder builder() {
        return new ReferenceMachineBuilder();
    }

    @Override
    public String type() {
        return "vmferry-rv64im-1";
    }

    @Override
    public Optional<UUID> uuid() {
        return uuid;
    }

    @Override
    public RunState runState() {
        return state;
    }

    @Override
    public synchronized void enter(RunState next) {
        if (next == RunState.RUNNING && thread != null && thread.isAlive() && state == next) return;
        halt();
        // A guest that has stopped by itself, perhaps just now: the destination is to hear why.
        if (next == RunState.FINISH_MIGRATE && !stopReason.isEmpty()) return;
        state = next;
        if (next == RunState.RUNNING) start();
    }

    private void start() {
        stop = false;
        stopReason = "";
        thread = new Thread(this::execute, "vmferry-reference-cpu");
        thread.setDaemon(true);
        thread.start();
    }

    /** Ends the CPU's thread: what it wrote happens before this returns. */
    private void halt() {
        if (thread == null) return;
        stop = true;
        LockSupport.unpark(thread); // it may be standing still
        Joined.all(List.of(thread));
        thread = null;
    }

    private void execute() {
        try {
            for (long ran = 0; !stop; ) {
                long began = System.nanoTime();
                cpu.run(SLICE);
                int slowed = throttle;
                int share = (100 - slowed) * pace; // of 10,000
                ran = share == 10_000 ? 0 : ran + System.nanoTime() - began;
                if (ran >= STRIDE) {
                    standStill(ran * (10_000 - share) / share, slowed);
                    ran = 0;
                }
            }
        } catch (GuestStop e) {
            stopped(e.state(), e.getMessage());
        } catch (RuntimeException | Error e) { // such as a mapped file that was cut short
            stopped(RunState.INTERNAL_ERROR, e.toString());
        }
    }

    private void standStill(long nanos, int slowed) {
        long until = System.nanoTime() + nanos;
        while (!stop && throttle == slowed) {
            long rest = until - System.nanoTime();
            if (rest <= 0) return;
            LockSupport.parkNanos(this, Math.min(rest, STRIDE * 10)); // throttle may end first
        }
    }

    private void stopped(RunState why, String reason) {
        stopReason = "%s, at pc 0x%x".formatted(reason, cpu.pc());
        state = why;
    }

    /**
     * Executes instructions in the caller's thread.
     *
     * @param instructions how many; fewer if the guest stops, and the run state is then why
     * @return whether all of them were executed
     * @throws IllegalStateException if the machine is RUNNING
     */
    public synchronized boolean runFor(long instructions) {
        requireStopped();
        try {
            for (long left = instructions; left > 0; left -= SLICE) {
                cpu.run((int) Math.min(left, SLICE));
            }
            return true;
        } catch (GuestStop e) {
            stopped(e.state(), e.getMessage());
            return false;
        }
    }

    /**
     * How far the guest has come.
     *
     * @return instructions executed since boot, also those before a migration; while it runs, some
     *     thousands ago
     */
    public long instructions() {
        return cpu.retired();
    }

    /**
     * What left the serial port of this machine, not of the one that it came from.
     *
     * @return ASCII text
     */
    public String output() {
        return bus.uart.output();
    }

    /**
     * Why the guest stopped by itself.
     *
     * @return a sentence, or "" if it did not
     */
    public String stopReason() {
        return stopReason;
    }

    /**
     * What the machine's state comes to: registers, RAM, devices.
     *
     * @return equal for machines in the same state
     * @throws IllegalStateException if the machine is RUNNING
     */
    public synchronized MachineDigest digest() {
        requireStopped();
        Map<String, Integer> parts = new HashMap<>();
        byte[] piece = new byte[1 << 16];
        for (Region region : bus.regions()) {
            CRC32C crc = new CRC32C();
            for (long offset = 0; offset < region.size; offset += piece.length) {
                int length = (int) Math.min(piece.length, region.size - offset);
                region.read(offset, MemorySegment.ofArray(piece).asSlice(0, length));
                crc.update(piece, 0, length);
            }
            parts.put(region.id(), (int) crc.getValue());
        }
        for (DeviceState device : devices()) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try {
                device.save(new DataOutputStream(bytes));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            CRC32C crc = new CRC32C();
            crc.update(bytes.toByteArray());
            parts.put(device.id(), (int) crc.getValue());
        }
        return new MachineDigest(instructions(), parts);
    }

    /**
     * A register of the CPU.
     *
     * @param register which
     * @return its value
     * @throws IllegalStateException if the machine is RUNNING
     */
    public synchronized long register(Rv64.Register register) {
        requireStopped();
        return cpu.register(register.ordinal());
    }

    /**
     * Stores a byte as the guest does, marks and all.
     *
     * @param block one of {@link #ram()}'s
     * @param offset in the block
     * @param value what to store
     * @return false for ROM, to which no guest stores
     * @throws IllegalStateException if the machine is RUNNING
     */
    public synchronized boolean store(RamBlock block, long offset, byte value) {
        requireStopped();
        Region region = (Region) block;
        if (!region.writable) return false;
        try {
            bus.store(Rv64.Store.SB.ordinal(), region.base + offset, value, cpu.retired());
            return true;
        } catch (GuestStop e) {
            throw new IndexOutOfBoundsException(e.getMessage());
        }
    }

    private void requireStopped() {
        if (state == RunState.RUNNING) throw new IllegalStateException("the machine is running");
        halt(); // the guest may have stopped by itself just now
    }

    @Override
    public RamProvider ram() {
        return ram;
    }

    /**
     * Tells a tool of the host's which pages the guest writes to, also while a migration runs.
     *
     * @return a reader of its own, not started; it is to be stopped before the machine is closed
     */
    public DirtyLog dirtyLogReader() {
        return log.reader();
    }

    @Override
    public List<DeviceState> devices() {
        return List.of(cpu, bus.uart, bus.timer);
    }

    /** The CPU stands still between slices: what it executes stays the same. */
    @Override
    public Optional<CpuThrottle> throttle() {
        return Optional.of(percent -> throttle = percent);
    }

    @Override
    public RamTarget ramTarget() {
        RamTarget present = RamTarget.of(ram.blocks());
        if (!adopting) return present;
        return new RamTarget() {
            @Override
            public RamBlock open(BlockHeader header) throws MigrationException {
                return present.open(header);
            }

            @Override
            public Optional<Arena> adopts(BlockHeader header) {
                if (!header.id().equals(bus.ram.id())) return Optional.empty();
                Arena mapping = Arena.ofShared();
                adopted.add(mapping);
                return Optional.of(mapping);
            }

            @Override
            public RamBlock adopt(BlockHeader header, MemorySegment memory)
                    throws MigrationException {
                present.open(header); // checks the length
                bus.ram.adopt(memory);
                // Of what was mapped for it before nothing is used any more.
                while (adopted.size() > 1) adopted.removeFirst().close();
                return bus.ram;
            }
        };
    }

    /**
     * Ends the guest and gives its memory back. No migration may be using it any more.
     *
     * <p>Closing twice does nothing.
     */
    @Override
    public synchronized void close() {
        if (!arena.scope().isAlive()) return;
        enter(RunState.SHUTDOWN);
        arena.close();
        adopted.forEach(Arena::close);
    }

    /** Runs it between two instructions of the guest's. */
    private synchronized void whileStopped(Runnable work) {
        halt();
        try {
            work.run();
        } finally {
            if (state == RunState.RUNNING) start();
        }
    }

    /** The marks of the store path. */
    private final class Log implements DirtyLog {
        @Override
        public void start() {
            marks.start();
            bus.logging = true;
        }

        /** The CPU may still mark for a while: what starts the log anew clears that. */
        @Override
        public void stop() {
            bus.logging = false;
            marks.stop();
        }

        @Override
        public void harvest(RamBlock block, PageBitmap into) {
            marks.harvest(block, into);
        }
    }
}
