package org.vmferry.engine.memory;

import org.vmferry.spi.ram.RamBlock;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Which of a machine's blocks the kernel can watch, found out by trying; and why not the others.
 */
final class Watchable {
    private final List<WatchedBlock> blocks = new ArrayList<>();
    private final Map<String, String> obstacles = new LinkedHashMap<>(); // by a block's name

    /**
     * Of these blocks.
     *
     * @param shared whether shared memory will do, too
     */
    Watchable(List<? extends RamBlock> all, boolean shared) {
        try (WriteWatch trial = WriteWatch.open()) {
            for (RamBlock block : all) look(block, shared, trial);
        } catch (IOException e) {
            for (RamBlock block : all) obstacles.put(block.id(), String.valueOf(e.getMessage()));
        }
    }

    private void look(RamBlock block, boolean shared, WriteWatch trial) {
        try {
            if (block.memory().isEmpty()) throw new IOException("it is no native memory");
            WatchedBlock watched = new WatchedBlock(block);
            if (!shared && !watched.isPrivate()) {
                throw new IOException("it is mapped shared, so that others may write to it, too");
            }
            for (WatchedBlock other : blocks) {
                if (!watched.sharesPage(other)) continue;
                throw new IOException("it shares a page of the system with '" + other.id() + "'");
            }
            trial.add(watched.from(), watched.to());
            blocks.add(watched);
        } catch (IOException e) {
            obstacles.put(block.id(), String.valueOf(e.getMessage()));
        }
    }

    /** Those that it can, in their order. */
    List<WatchedBlock> blocks() {
        return blocks;
    }

    /** Why it can't the others, by their names, in their order. */
    Map<String, String> obstacles() {
        return obstacles;
    }
}
