package org.vmferry.mappedram;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** A host that adopts, or opens blocks full of garbage. */
final class MappingTarget implements RamTarget {
    final Map<String, MemorySegment> memory = new HashMap<>();
    int opened;
    private final Arena arena;

    MappingTarget(Arena arena) {
        this.arena = arena;
    }

    @Override
    public Optional<Arena> adopts(BlockHeader header) {
        return Optional.of(arena);
    }

    @Override
    public RamBlock adopt(BlockHeader header, MemorySegment mapped) {
        memory.put(header.id(), mapped);
        return RamBlock.of(header.id(), mapped, header.pageSize());
    }

    @Override
    public RamBlock open(BlockHeader header) throws MigrationException {
        opened++;
        MemorySegment garbage = arena.allocate(header.usedLength(), 4096).fill((byte) 0xa5);
        return adopt(header, garbage);
    }

    byte[] content(String id) {
        return memory.get(id).toArray(ValueLayout.JAVA_BYTE);
    }
}
