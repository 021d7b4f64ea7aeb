package org.vmferry.testkit.machine;

import org.vmferry.spi.Status;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.RamBlock;

import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.function.LongFunction;
import java.util.function.UnaryOperator;

/** Makes {@link ReferenceMachine}s; each setting has a default. */
@Status(Status.Level.EXPERIMENTAL)
public final class ReferenceMachineBuilder {
    static final long ROM = 64 << 10; // bytes
    static final long SRAM = 64 << 10; // bytes

    long ramBytes = 64 << 20;
    HostMemory hostMemory = HostMemory.NATIVE;
    LongFunction<RamBlock> memory; // null: it makes its own
    boolean adopting;
    int pace = 25;
    Optional<UUID> uuid = Optional.empty();
    UnaryOperator<DirtyLog> dirtyLog = UnaryOperator.identity();
    private long windowPages = 1024;
    private long pagePeriod = 10_000;
    private long printPeriod = 1_000_000;
    private byte[] program;

    ReferenceMachineBuilder() {}

    /**
     * How much RAM there is; else 64 MiB.
     *
     * @param bytes a multiple of 4096, at least 1 MiB; in an array less than 2 GiB
     * @return this
     */
    public ReferenceMachineBuilder ram(long bytes) {
        if (bytes < 1 << 20 || bytes % Region.PAGE_SIZE != 0 || bytes > 1L << 40) {
            throw new IllegalArgumentException("RAM of " + bytes + " bytes");
        }
        ramBytes = bytes;
        return this;
    }

    /**
     * What the RAM is kept in; else native memory.
     *
     * @param kind which
     * @return this
     */
    public ReferenceMachineBuilder hostMemory(HostMemory kind) {
        hostMemory = Objects.requireNonNull(kind);
        return this;
    }

    /**
     * Makes the RAM of each machine that is built; else it makes its own. What the block knows of
     * its pages, {@link RamBlock#isFresh} and {@link RamBlock#isKnownZero}, the machine tells.
     *
     * @param maker gets its length in bytes, and gives a block of it over new native memory, which
     *     lasts as long as the machine does
     * @return this
     */
    public ReferenceMachineBuilder memory(LongFunction<RamBlock> maker) {
        memory = Objects.requireNonNull(maker);
        return this;
    }

    /**
     * Lets the machine take a mapped snapshot for its RAM.
     *
     * @return this
     */
    public ReferenceMachineBuilder adopting() {
        adopting = true;
        return this;
    }

    /**
     * Gives it a UUID; else it has none.
     *
     * @param id its UUID
     * @return this
     */
    public ReferenceMachineBuilder uuid(UUID id) {
        uuid = Optional.of(id);
        return this;
    }

    /**
     * To how many pages the guest writes, and checks them; else 1024.
     *
     * @param pages at least 1; with 8 bytes for each they must fit into RAM
     * @return this
     */
    public ReferenceMachineBuilder dirtyWindow(long pages) {
        if (pages < 1) throw new IllegalArgumentException("a window of " + pages + " pages");
        windowPages = pages;
        return this;
    }

    /**
     * How fast the guest writes to them; else one every 10,000 instructions. One every 250 is about
     * what it can do.
     *
     * @param instructions between two pages, at least 1
     * @return this
     */
    public ReferenceMachineBuilder dirtyEvery(long instructions) {
        if (instructions < 1) throw new IllegalArgumentException("every " + instructions);
        pagePeriod = instructions;
        return this;
    }

    /**
     * How much of the time its CPU runs while it is RUNNING; else 25 percent: a guest that never
     * stands still takes a processor from whoever moves it.
     *
     * @param percent 1 to 100; it runs for about a millisecond, then stands still for the rest
     * @return this
     */
    public ReferenceMachineBuilder pace(int percent) {
        if (percent < 1 || percent > 100) throw new IllegalArgumentException(percent + " percent");
        pace = percent;
        return this;
    }

    /**
     * How often the guest prints its counter; else every 1,000,000 instructions.
     *
     * @param instructions between two lines, at least 5000, so that the serial port can follow
     * @return this
     */
    public ReferenceMachineBuilder printEvery(long instructions) {
        if (instructions < 5000) throw new IllegalArgumentException("every " + instructions);
        printPeriod = instructions;
        return this;
    }

    /**
     * Another program than the usual guest, such as one from {@link Rv64Assembler}.
     *
     * @param code for address 0x1000; at most 64 KiB
     * @return this
     */
    public ReferenceMachineBuilder program(byte[] code) {
        if (code.length > ROM) {
            throw new IllegalArgumentException(
                    "a program of %d bytes for a ROM of %d".formatted(code.length, ROM));
        }
        program = code.clone();
        return this;
    }

    /**
     * Puts something between the engine and the dirty log, such as a {@link ForgetfulDirtyLog}.
     *
     * @param wrapper gets the engine's reader of the machine's own
     * @return this
     */
    public ReferenceMachineBuilder dirtyLog(UnaryOperator<DirtyLog> wrapper) {
        dirtyLog = wrapper;
        return this;
    }

    byte[] code() {
        return program != null
                ? program
                : GuestProgram.assemble(windowPages, pagePeriod, printPeriod);
    }

    /**
     * The machine, in the run state PRELAUNCH. It is to be closed.
     *
     * @return a new machine
     */
    public ReferenceMachine build() {
        if (program == null && GuestProgram.bytes(windowPages) > ramBytes) {
            throw new IllegalArgumentException(
                    "a window of %d pages needs %d bytes, RAM has %d"
                            .formatted(windowPages, GuestProgram.bytes(windowPages), ramBytes));
        }
        return new ReferenceMachine(this);
    }
}
