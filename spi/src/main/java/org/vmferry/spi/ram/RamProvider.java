package org.vmferry.spi.ram;

import org.vmferry.spi.Status;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** A source's guest RAM. */
@Status(Status.Level.STABLE)
public interface RamProvider {
    /**
     * The machine's blocks, in the order in which they are sent.
     *
     * @return the same blocks for as long as a migration runs
     */
    List<RamBlock> blocks();

    /**
     * The log of the pages that the guest wrote to. A migration reads it alone; a host that reads
     * it too returns one of the readers of a {@link SharedDirtyLog}.
     *
     * @return the same at each call; empty if the host has none: then the engine makes one, from
     *     what the kernel tells or by comparing RAM with a copy; or, where there is no memory for
     *     that, pauses the machine before its RAM is copied
     */
    default Optional<DirtyLog> dirtyLog() {
        return Optional.empty();
    }

    /**
     * RAM of these blocks, whose pages a log tells of.
     *
     * @param blocks in the order in which they are sent
     * @param log all of theirs
     * @return gives both at each call
     */
    static RamProvider of(List<RamBlock> blocks, DirtyLog log) {
        Objects.requireNonNull(blocks, "blocks");
        Objects.requireNonNull(log, "log");
        return new RamProvider() {
            @Override
            public List<RamBlock> blocks() {
                return blocks;
            }

            @Override
            public Optional<DirtyLog> dirtyLog() {
                return Optional.of(log);
            }
        };
    }
}
