package org.vmferry.engine.memory;

import org.vmferry.spi.ram.RamBlock;

import java.util.Map;

/** What a dirty log has of the blocks that it was given. */
final class Given {
    private Given() {}

    /**
     * What it has of one of them.
     *
     * @param all by the blocks' names
     * @throws IllegalArgumentException if it was given no block of that name
     */
    static <T> T of(Map<String, T> all, RamBlock block) {
        T its = all.get(block.id());
        if (its != null) return its;
        throw new IllegalArgumentException(
                "the dirty log was not given a RAM block '" + block.id() + "'");
    }
}
