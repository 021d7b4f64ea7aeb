package org.vmferry.cli.bench;

import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.spi.ram.RamTarget;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;

/** One block: a mapped file as QEMU's memory-backend-file, or what a snapshot gives by mapping. */
final class BenchMachine implements Machine, AutoCloseable {
    private static final int PAGE = 4096;

    private final Arena arena = Arena.ofShared();
    private RamBlock block;
    private RunState state = RunState.PAUSED;

    /**
     * A machine.
     *
     * @param ram the file that holds its RAM, or null to take a snapshot's pages
     * @param size of its RAM, in bytes
     */
    BenchMachine(Path ram, long size) throws IOException {
        if (ram == null) return;
        try (var file =
                FileChannel.open(
                        ram,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE)) {
            var memory = file.map(FileChannel.MapMode.READ_WRITE, 0, size, arena);
            block = RamBlock.of("pc.ram", memory, PAGE);
        }
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
