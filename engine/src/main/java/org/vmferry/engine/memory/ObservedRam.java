package org.vmferry.engine.memory;

import org.vmferry.spi.Status;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * RAM of a host that has no part in its dirty log: the kernel watches the blocks that it can
 * ({@link KernelDirtyLog}), the others are compared with a copy ({@link ComparingRam}). The engine
 * makes one for a host that gives no log; who completes I/O that stores late makes it itself, for
 * {@link #mark}.
 */
@Status(Status.Level.EXPERIMENTAL)
public final class ObservedRam implements RamProvider, DirtyLog {
    private final List<RamBlock> blocks = new ArrayList<>();
    private final Map<String, DirtyLog> logs = new HashMap<>(); // by a block's name
    private final Map<String, String> compared; // why, by its name
    private final List<DirtyLog> each = new ArrayList<>();

    /**
     * Over these blocks. Nothing is watched or copied until it is started.
     *
     * @param blocks the machine's, in the order in which they are sent
     */
    public ObservedRam(List<? extends RamBlock> blocks) {
        Watchable found = new Watchable(Objects.requireNonNull(blocks, "blocks"), false);
        compared = Collections.unmodifiableMap(found.obstacles());
        List<RamBlock> others = new ArrayList<>(blocks);
        others.removeIf(block -> !compared.containsKey(block.id()));
        Map<String, RamBlock> wrapped = new HashMap<>();
        if (!found.blocks().isEmpty()) take(new KernelDirtyLog(found), wrapped);
        if (!others.isEmpty()) take(new ComparingRam(others), wrapped);
        for (RamBlock block : blocks) this.blocks.add(wrapped.get(block.id()));
    }

    private <T extends DirtyLog & RamProvider> void take(T log, Map<String, RamBlock> wrapped) {
        each.add(log);
        for (RamBlock block : log.blocks()) {
            wrapped.put(block.id(), block);
            logs.put(block.id(), log);
        }
    }

    /**
     * The blocks that are compared.
     *
     * @return by name, in order, with why the kernel can't watch them
     */
    public Map<String, String> compared() {
        return compared;
    }

    @Override
    public List<RamBlock> blocks() {
        return List.copyOf(blocks);
    }

    @Override
    public Optional<DirtyLog> dirtyLog() {
        return Optional.of(this);
    }

    @Override
    public void start() {
        each.forEach(DirtyLog::start);
    }

    @Override
    public void stop() {
        each.forEach(DirtyLog::stop);
    }

    @Override
    public void harvest(RamBlock block, PageBitmap into) {
        Given.of(logs, block).harvest(block, Objects.requireNonNull(into, "into"));
    }

    /**
     * As {@link KernelDirtyLog#mark}; a block that is compared needs none.
     *
     * @param block one of the machine's
     * @param offset the first byte's offset in the block
     * @param bytes how many; they lie within the block
     */
    public void mark(RamBlock block, long offset, long bytes) {
        if (Given.of(logs, block) instanceof KernelDirtyLog log) log.mark(block, offset, bytes);
    }
}
