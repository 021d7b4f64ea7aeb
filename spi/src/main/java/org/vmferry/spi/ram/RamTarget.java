package org.vmferry.spi.ram;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** A destination's guest RAM. Called on the migration thread, before any page arrives. */
@Status(Status.Level.STABLE)
public interface RamTarget {
    /**
     * Finds, resizes or creates the block that a stream announces.
     *
     * @param header what was announced; checked for sense, not for size
     * @return a block of that used length whose bytes are all zero or of which the host says that
     *     they may be overwritten
     * @throws MigrationException if there can be none
     */
    RamBlock open(BlockHeader header) throws MigrationException;

    /**
     * Whether the block can be memory that the host did not allocate: the pages of a snapshot,
     * mapped copy-on-write, so that a guest of any size runs at once and its pages come as they are
     * touched.
     *
     * @param header what was announced
     * @return the arena to map them in, which the host closes when its machine is gone, and also
     *     when the migration fails and its machine uses none of it: until then nothing can be saved
     *     over these bytes; empty to have the bytes copied through {@link #open}
     */
    default Optional<Arena> adopts(BlockHeader header) {
        return Optional.empty();
    }

    /**
     * Takes mapped memory for a block's RAM. Called only where {@link #adopts} gave an arena.
     *
     * @param header what was announced
     * @param memory {@code usedLength} bytes, private to this process, complete; a file cut short
     *     underneath it shows up as an {@link InternalError} in whoever touches the lost pages
     * @return the block over it
     * @throws MigrationException if there can be none
     */
    default RamBlock adopt(BlockHeader header, MemorySegment memory) throws MigrationException {
        throw MigrationException.host(
                "RAM block '%s': adopts() gave an arena, so adopt() must be implemented",
                header.id());
    }

    /**
     * Everything was read, and of this block nothing came: its source left it out as shared memory
     * (x-ignore-shared). Called before the machine begins, and not for a block that is shared here
     * too while x-ignore-shared is on.
     *
     * @param header as it was opened, with the guest address if anything says it; the block's bytes
     *     mean nothing
     * @throws MigrationException if the machine can't be without it, which is so by default
     */
    default void missing(BlockHeader header) throws MigrationException {
        throw MigrationException.user(
                "the RAM of block '%s' did not come: its source left it out as shared memory"
                        + " (x-ignore-shared). Only a machine that shares this memory can go on"
                        + " from here, with x-ignore-shared on",
                header.id());
    }

    /**
     * The target of a machine whose blocks are all there: each must have the announced length.
     *
     * @param blocks the machine's
     * @return a target that finds them by name
     */
    static RamTarget of(List<RamBlock> blocks) {
        Objects.requireNonNull(blocks, "blocks");
        return header -> {
            for (RamBlock block : blocks) {
                if (!block.id().equals(header.id())) continue;
                if (block.usedLength() != header.usedLength()) {
                    throw MigrationException.host(
                            "RAM block '%s' has %d bytes here, the stream announces %d",
                            header.id(), block.usedLength(), header.usedLength());
                }
                return block;
            }
            throw MigrationException.host("this machine has no RAM block '%s'", header.id());
        };
    }
}
