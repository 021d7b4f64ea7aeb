package org.vmferry.cli.bench;

import org.vmferry.engine.memory.GuestMemory;
import org.vmferry.engine.system.NativeCalls;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.spi.ram.RamTarget;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;

/**
 * One block: a mapped file as QEMU's memory-backend-file, this process's own memory as QEMU's plain
 * -m, or what a snapshot gives by mapping.
 */
final class BenchMachine implements Machine, AutoCloseable {
    private static final int POPULATE_WRITE = 23; // MADV_POPULATE_WRITE, since Linux 5.14
    private static final VarHandle WORD = ValueLayout.JAVA_LONG.varHandle();
    private static final String NAME = "pc.ram";
    private static final int PAGE = 4096;
    private static final long CHUNK = 64 << 10;
    private static final long PIECE = 1 << 30; // of what a buffer can be

    private final Arena arena = Arena.ofShared();
    private RamBlock block;
    private RunState state = RunState.PAUSED;

    /** Whether a bench goes on. */
    interface Check {
        void goesOn() throws MigrationException;
    }

    /**
     * A machine.
     *
     * @param ram the file that holds its RAM, or null to take a snapshot's pages
     * @param size of its RAM, in bytes
     */
    BenchMachine(Path ram, long size) throws IOException {
        if (ram == null) return;
        block = GuestMemory.ofFile(arena, ram, size).block(NAME, PAGE);
    }

    private BenchMachine(long size) {
        block = GuestMemory.allocate(arena, size).block(NAME, PAGE);
    }

    /** A machine whose RAM is this process's own, and zero. */
    static BenchMachine anonymous(long size) {
        return new BenchMachine(size);
    }

    /** A machine whose RAM is this process's own, with the content of a file. */
    static BenchMachine copyOf(Path ram, long size) throws IOException {
        BenchMachine machine = anonymous(size);
        try (var original = new BenchMachine(ram, size)) {
            machine.memory().copyFrom(original.memory());
            return machine;
        } catch (IOException | RuntimeException | Error e) {
            machine.close();
            throw e;
        }
    }

    /**
     * Makes RAM that compresses roughly as a guest's does. Of every four chunks of 64 KiB one is
     * zero, but was written to, so that both sides have to look; the pages of the others are, in
     * turn: random bytes (as of what is compressed or encrypted already), words of text, pointers
     * and small numbers, and a few bytes among zeros.
     */
    static void fill(Path ram, long size, Check check) throws IOException {
        var random = new SplittableRandom(1);
        byte[][] words = new byte[512][];
        for (int i = 0; i < words.length; i++) {
            words[i] = new byte[random.nextInt(3, 11)];
            for (int j = 0; j < words[i].length; j++) words[i][j] = (byte) random.nextInt('a', 'z');
        }
        byte[] page = new byte[PAGE];
        ByteBuffer view = ByteBuffer.wrap(page).order(ByteOrder.LITTLE_ENDIAN);
        try (var machine = new BenchMachine(ram, size)) {
            MemorySegment memory = machine.memory();
            for (long at = 0; at < size; at += PAGE) {
                if (at / CHUNK % 4 == 3) {
                    memory.set(ValueLayout.JAVA_BYTE, at, (byte) 0);
                    continue;
                }
                check.goesOn();
                fill(view.clear(), (int) (at / PAGE % 4), words, random);
                MemorySegment.copy(page, 0, memory, ValueLayout.JAVA_BYTE, at, PAGE);
            }
        }
    }

    private static void fill(ByteBuffer page, int kind, byte[][] words, SplittableRandom random) {
        switch (kind) {
            case 0 -> random.nextBytes(page.array());
            case 1 -> {
                while (page.remaining() > 11)
                    page.put(words[random.nextInt(words.length)]).put((byte) ' ');
            }
            case 2 -> {
                while (page.hasRemaining())
                    page.putLong(0xffff_8880_0000_0000L + random.nextInt(1 << 20) * 64L)
                            .putInt(random.nextInt(256))
                            .putInt(0);
            }
            default -> {
                Arrays.fill(page.array(), (byte) 0);
                for (int i = 0; i < 64; i++)
                    page.putLong(random.nextInt(PAGE / 8) * 8, random.nextLong());
            }
        }
    }

    /**
     * Makes every page, as QEMU's prealloc does: by the kernel, where it can, so that it is new to
     * both processes when it is first used.
     */
    void populate() {
        if (NativeCalls.available() && populated(memory())) return;
        // Atomic: a compiler leaves out the store of what was just loaded.
        for (long at = 0; at < memory().byteSize(); at += PAGE) WORD.getAndAdd(memory(), at, 0L);
    }

    private static boolean populated(MemorySegment memory) {
        try (Arena arena = Arena.ofConfined()) {
            MethodHandle madvise =
                    NativeCalls.handle(
                            "madvise",
                            FunctionDescriptor.of(
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.ADDRESS,
                                    ValueLayout.JAVA_LONG,
                                    ValueLayout.JAVA_INT));
            MemorySegment errno = arena.allocate(NativeCalls.ERRNO);
            return (int) madvise.invokeExact(errno, memory, memory.byteSize(), POPULATE_WRITE) == 0;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** A checksum of all RAM. */
    long checksum() {
        CRC32C crc = new CRC32C();
        long size = memory().byteSize();
        for (long at = 0; at < size; at += PIECE)
            crc.update(memory().asSlice(at, Math.min(PIECE, size - at)).asByteBuffer());
        return crc.getValue();
    }

    MemorySegment memory() {
        return block.memory().orElseThrow();
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
    public void enter(RunState next) {
        state = next;
    }

    @Override
    public RamProvider ram() {
        return () -> List.of(block);
    }

    @Override
    public RamTarget ramTarget() {
        if (block != null) return RamTarget.of(List.of(block));
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
                block = RamBlock.of(header.id(), memory, header.pageSize());
                return block;
            }
        };
    }

    @Override
    public void close() {
        arena.close();
    }
}
