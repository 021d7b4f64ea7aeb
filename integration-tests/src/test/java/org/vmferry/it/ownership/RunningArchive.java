package org.vmferry.it.ownership;

import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.spi.machine.MachineArchive;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore;
import org.vmferry.spi.ram.AtomicDirtyLog;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * What a real QEMU sent, with a guest of our own that writes to its RAM while it "runs": a live
 * source that a real QEMU takes. The devices stay as they came.
 *
 * <p>The guest goes round its window, a page every few microseconds, and puts the number of the
 * store into the page's last word.
 */
final class RunningArchive implements MachineArchive, AutoCloseable {
    private static final int PAGE = 4096;
    private static final int STORES = 64; // between two looks at the run state

    private final ArchiveMachine archive;
    private final List<RamBlock> blocks;
    private final RamBlock ram;
    private final AtomicDirtyLog log;
    private final long from;
    private final long pages;
    private volatile RunState state = RunState.PAUSED;
    private volatile long stores;
    private Thread guest;

    /**
     * A guest over an archive that is whole.
     *
     * @param from its window's first byte in pc.ram
     * @param bytes of its window
     */
    RunningArchive(ArchiveMachine archive, long from, long bytes) {
        this.archive = archive;
        this.from = from;
        this.pages = bytes / PAGE;
        blocks = archive.ram().blocks();
        ram = blocks.stream().filter(b -> b.id().equals("pc.ram")).findFirst().orElseThrow();
        log = new AtomicDirtyLog(blocks);
    }

    /** How often it has written so far. */
    long stores() {
        return stores;
    }

    private void execute() {
        ByteBuffer count = ByteBuffer.allocateDirect(Long.BYTES).order(ByteOrder.nativeOrder());
        while (state == RunState.RUNNING) {
            for (int i = 0; i < STORES; i++) {
                long number = stores;
                long offset = from + number % pages * PAGE;
                count.putLong(0, number + 1);
                ram.write(offset + PAGE - Long.BYTES, MemorySegment.ofBuffer(count));
                log.mark(ram, offset / PAGE);
                stores = number + 1; // one writer
            }
            LockSupport.parkNanos(200_000);
        }
    }

    @Override
    public synchronized void enter(RunState next) {
        if (next == state) return;
        state = next;
        if (next == RunState.RUNNING) {
            guest = new Thread(this::execute, "guest");
            guest.setDaemon(true);
            guest.start();
            return;
        }
        if (guest == null) return;
        try {
            guest.join();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        guest = null;
    }

    @Override
    public RunState runState() {
        return state;
    }

    @Override
    public RamProvider ram() {
        return RamProvider.of(blocks, log);
    }

    @Override
    public SectionStore sections() {
        return archive.sections();
    }

    @Override
    public void close() {
        enter(RunState.SHUTDOWN);
    }
}
