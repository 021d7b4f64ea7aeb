package org.vmferry.cli.bench;

import org.vmferry.spi.Joined;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.AtomicDirtyLog;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;

/**
 * A machine whose guest, a thread, does what {@link DirtyRom} does: as fast as a pace allows. It
 * also writes the time into its first word, again and again: so the guest itself knows for how long
 * it stood still, on whichever side it goes on.
 */
final class DirtyingMachine implements Machine, AutoCloseable {
    private static final int PAGE = 4096;
    private static final int CLOCK = 0; // the time's address; all processes here have one clock

    private final RamBlock block;
    private final AtomicDirtyLog log;
    private final LiveBench.Pace pace;
    private final long from;
    private final long to;
    private volatile RunState state = RunState.PAUSED;
    private volatile long count;
    private final CompletableFuture<Long> gap = new CompletableFuture<>();
    private Thread guest;

    /**
     * A machine with one block; its guest stands still.
     *
     * @param memory of the block; the caller's
     * @param from the window's first byte
     * @param to where it ends
     */
    DirtyingMachine(MemorySegment memory, LiveBench.Pace pace, long from, long to) {
        block = RamBlock.of("pc.ram", memory, PAGE);
        log = new AtomicDirtyLog(List.of(block));
        this.pace = pace;
        memory.set(ValueLayout.JAVA_LONG, CLOCK, memory.get(ValueLayout.JAVA_LONG, CLOCK));
        memory.set(ValueLayout.JAVA_INT, from, memory.get(ValueLayout.JAVA_INT, from));
        this.from = from;
        this.to = to;
    }

    /** Pages that it has written to. */
    long count() {
        return count;
    }

    /** For how many ns the guest had stood still when it first ran here, by its own clock. */
    long gap() {
        return gap.join();
    }

    private void execute() {
        MemorySegment memory = block.memory().orElseThrow();
        gap.complete(System.nanoTime() - memory.get(ValueLayout.JAVA_LONG, CLOCK));
        for (long done = 0; state == RunState.RUNNING; LockSupport.parkNanos(LiveBench.TICK)) {
            for (long allowed = pace.allowed(); done < allowed; done++) {
                long at = from + done * PAGE % (to - from);
                memory.set(ValueLayout.JAVA_INT, at, (int) done + 1);
                log.mark(block, at / PAGE);
            }
            count = done;
            memory.set(ValueLayout.JAVA_LONG, CLOCK, System.nanoTime());
            log.mark(block, CLOCK / PAGE);
        }
    }

    @Override
    public String type() {
        return "vmferry-bench";
    }

    @Override
    public RunState runState() {
        return state;
    }

    @Override
    public synchronized void enter(RunState next) {
        state = next;
        if (guest != null) {
            LockSupport.unpark(guest);
            Joined.all(List.of(guest));
            guest = null;
        }
        if (next != RunState.RUNNING) return;
        guest = new Thread(this::execute, "bench-guest");
        guest.setDaemon(true);
        guest.start();
    }

    @Override
    public RamProvider ram() {
        return RamProvider.of(List.of(block), log);
    }

    @Override
    public void close() {
        enter(RunState.SHUTDOWN);
    }
}
