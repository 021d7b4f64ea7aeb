package org.vmferry.engine.ram;

import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;

import java.io.IOException;
import java.util.Collection;

/**
 * How a destination's pages come, in the order of its methods: as records in the main stream, on a
 * carrier's channels, or out of their places in a file. Used by the migration thread only.
 */
public sealed interface RamIn extends AutoCloseable permits InlineIn, PlacedIn {
    /**
     * RAM's section begins.
     *
     * @param machine the machine's type, empty if the stream has none
     */
    default void connect(String machine) throws IOException {}

    /** Reads what stands behind a block's length in START. */
    void block(BlockHeader header) throws IOException;

    /** The block list is complete and checked: opens the blocks. */
    void open(RamTarget target) throws IOException;

    /** A block that was opened, as those see it who bring its pages. */
    default RamBlock opened(RamBlock block) {
        return block;
    }

    /** Those that were opened, before any page comes. */
    default void start(Collection<RamBlock> blocks) throws IOException {}

    /** Reads the rest of START. */
    void pages() throws IOException;

    /**
     * Reads the rest of a PART or END.
     *
     * @param last whether it is END
     */
    void section(boolean last) throws IOException;

    /** The whole stream was read. */
    default void finish() throws IOException {}

    /** Also after a failure; every thread is gone when this returns. */
    @Override
    void close();
}
