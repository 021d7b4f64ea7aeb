package org.vmferry.testkit.parts;

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
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/** The smallest machine that keeps every rule: a thread that writes to its pages, and a counter. */
class ToyMachine implements Machine, RamProvider {
    private static final int PAGES = 100;

    final RamBlock ram = RamBlock.of("toy.ram", Arena.ofAuto().allocate(PAGES * 4096L, 4096), 4096);
    final AtomicDirtyLog marks = new AtomicDirtyLog(List.of(ram));
    volatile long count; // of the CPU's thread, or of who has stopped it
    private volatile RunState state = RunState.PRELAUNCH;
    private volatile boolean stop;
    private Thread cpu;

    void start() {
        if (cpu != null) return;
        stop = false;
        cpu = new Thread(this::execute, "toy-cpu");
        cpu.setDaemon(true);
        cpu.start();
    }

    private void execute() {
        while (!stop) {
            step();
            LockSupport.parkNanos(100_000);
        }
    }

    private void step() {
        count();
        byte[] bytes = new byte[2048];
        for (int i = 0; i < bytes.length; i++) bytes[i] = (byte) (count * i);
        long page = count * 31 % PAGES;
        ram.write(page * 4096 + 1000, MemorySegment.ofArray(bytes));
        mark(page);
    }

    void mark(long page) {
        marks.mark(ram, page);
    }

    /** What its guest comes to: its counter, and what lies in RAM. */
    List<?> runFor(long steps) {
        for (long i = 0; i < Math.min(steps, 1000); i++) step();
        return List.of(
                count, Arrays.hashCode(ram.memory().orElseThrow().toArray(ValueLayout.JAVA_BYTE)));
    }

    void store(long offset, byte value) {
        ram.write(offset, MemorySegment.ofArray(new byte[] {value}));
        mark(offset / 4096);
    }

    void count() {
        count++;
    }

    void halt() {
        if (cpu == null) return;
        stop = true;
        try {
            cpu.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        cpu = null;
    }

    @Override
    public String type() {
        return "toy";
    }

    @Override
    public RunState runState() {
        return state;
    }

    @Override
    public void enter(RunState next) {
        if (next == RunState.RUNNING) start();
        else halt();
        state = next;
    }

    @Override
    public RamProvider ram() {
        return this;
    }

    @Override
    public List<RamBlock> blocks() {
        return List.of(ram);
    }

    @Override
    public Optional<DirtyLog> dirtyLog() {
        return Optional.of(marks);
    }

    @Override
    public List<DeviceState> devices() {
        return List.of(new Counter("counter"));
    }

    class Counter implements DeviceState {
        private final String id;

        Counter(String id) {
            this.id = id;
        }

        @Override
        public String id() {
            return id;
        }

        @Override
        public void save(DataOutput out) throws IOException {
            out.writeLong(count);
        }

        @Override
        public void load(DataInput in, int version) throws IOException {
            count = in.readLong();
        }
    }
}
